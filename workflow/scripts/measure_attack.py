"""Metrics of one attack, one row per seed, setting and metric."""

import numpy as np
import pandas as pd

from lmia import artifacts
from lmia.evaluation.flags import attack_flags
from lmia.evaluation.intervals import evaluate, proportion
from workflow.harness.job import job
from workflow.seeds import seed_list

UNRANKED = (np.nan, np.nan, np.nan)  # scores that only decide have no ROC, and no guess no precision


def on_outliers(guess, is_member):
    """Precision and recall on few points, which no bootstrap resolves: name -> (value, low, high)."""
    hits, of = int((guess & is_member).sum()), {"precision": int(guess.sum()), "recall": int(is_member.sum())}
    return {f"outlier_{name}": proportion(hits, n) if n else UNRANKED for name, n in of.items()}


def load_outliers(path, example_ids):
    """Which of the points are outliers, (s, n)."""
    found, _ = artifacts.load(path, "outliers", {"is_outlier": ("b", 2), "example_ids": ("i", 2)})
    if not np.array_equal(example_ids, found["example_ids"]):
        raise ValueError(f"{path}: is of other points than the scores; remove it and run again")
    return found["is_outlier"]


def measure(scores, split, output, key, seeds, outliers, fprs, resamples):
    expected = {"scores": ("f", 3), "example_ids": ("i", 2), "searches": ("i", 3)}
    scored, _ = artifacts.load(scores, "scores", expected)
    members = artifacts.load(split, "split", {"members": ("i", 2)})[0]["members"]
    is_outlier = load_outliers(outliers, scored["example_ids"]) if outliers else None
    rows = []
    for s, seed in enumerate(seeds):
        is_member = np.isin(scored["example_ids"][s], members[s])
        for v, setting in enumerate(scored["settings"]):
            values = evaluate(scored["scores"][s, v], is_member, scored["thresholds"][s, v], fprs, resamples, seed)
            if not scored["can_rank"][s]:
                values |= {name: UNRANKED for name in values if name == "auc" or name.startswith("tpr_at")}
            if is_outlier is not None:
                guess = scored["scores"][s, v] >= scored["thresholds"][s, v]
                values |= on_outliers(guess[is_outlier[s]], is_member[is_outlier[s]])
            same = key | {"seed": seed, "queries": scored["queries"][s, v], "setting": setting}
            same["flags"] = attack_flags(scored["scores"][s, v], scored["thresholds"][s, v], *scored["searches"][s, v])
            for metric, (value, low, high) in values.items():
                rows.append(same | {"metric": metric, "value": value, "ci_low": low, "ci_high": high})
    pd.DataFrame(rows).to_csv(output, index=False)


with job(snakemake):
    measure(
        scores=snakemake.input.scores,
        split=snakemake.input.split,
        output=snakemake.output[0],
        key=snakemake.params.key,
        seeds=seed_list(snakemake.params.seeds),
        outliers=snakemake.input.outliers,
        **snakemake.params.metrics,
    )
