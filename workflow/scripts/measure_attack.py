"""Metrics of one attack, one row per seed, setting and metric."""

import numpy as np
import pandas as pd

from lmia import artifacts
from lmia.intervals import evaluate
from workflow.job import job
from workflow.seeds import seed_list

UNRANKED = (np.nan, np.nan, np.nan)  # scores that only decide have no ROC


def measure(scores, split, output, key, seeds, fprs, resamples):
    scored, _ = artifacts.load(scores, "scores", {"scores": ("f", 3), "example_ids": ("i", 2)})
    members = artifacts.load(split, "split", {"members": ("i", 2)})[0]["members"]
    rows = []
    for s, seed in enumerate(seeds):
        is_member = np.isin(scored["example_ids"][s], members[s])
        for v, setting in enumerate(scored["settings"]):
            values = evaluate(scored["scores"][s, v], is_member, scored["thresholds"][s, v], fprs, resamples, seed)
            if not scored["can_rank"][s]:
                values |= {name: UNRANKED for name in values if name == "auc" or name.startswith("tpr_at")}
            same = key | {"seed": seed, "queries": scored["queries"][s, v], "setting": setting}
            for metric, (value, low, high) in values.items():
                rows.append(same | {"metric": metric, "value": value, "ci_low": low, "ci_high": high})
    pd.DataFrame(rows).to_csv(output, index=False)


with job(snakemake):
    measure(
        scores=snakemake.input.scores,
        split=snakemake.input.split,
        output=snakemake.output[0],
        key=snakemake.params.key,
        seeds=seed_list(snakemake.wildcards.seeds),
        **snakemake.params.metrics,
    )
