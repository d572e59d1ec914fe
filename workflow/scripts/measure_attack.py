"""Metrics of one attack, one row per seed, setting and metric."""

import numpy as np
import pandas as pd

from lmia import artifacts
from lmia.evaluation.metric_rows import attack_rows
from lmia.streams import seed_list
from workflow.harness.job import job


def load_outliers(path, example_ids):
    """Which of the points are outliers, (s, n)."""
    found, _ = artifacts.load(path, "outliers", {"is_outlier": ("b", 2), "example_ids": ("i", 2)})
    if not np.array_equal(example_ids, found["example_ids"]):
        raise ValueError(f"{path}: is of other points than the scores; remove it and run again")
    return found["is_outlier"]


def measure(scores, split, output, key, seeds, outliers, metrics):
    expected = {"scores": ("f", 3), "example_ids": ("i", 2), "searches": ("i", 3)}
    scored, _ = artifacts.load(scores, "scores", expected)
    members = artifacts.load(split, "split", {"members": ("i", 2)})[0]["members"]
    is_outlier = load_outliers(outliers, scored["example_ids"]) if outliers else [None] * len(seeds)
    rows = []
    for s, seed in enumerate(seeds):
        is_member = np.isin(scored["example_ids"][s], members[s])
        rows += [key | row for row in attack_rows(scored, s, is_member, is_outlier[s], seed, **metrics)]
    pd.DataFrame(rows).to_csv(output, index=False)


if __name__ == "__main__":
    with job(snakemake):
        measure(
            scores=snakemake.input.scores,
            split=snakemake.input.split,
            output=snakemake.output[0],
            key=snakemake.params.key,
            seeds=seed_list(snakemake.params.seeds),
            outliers=snakemake.input.outliers,
            metrics=snakemake.params.metrics,
        )
