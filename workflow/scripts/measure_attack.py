"""Metrics of one attack, one row per seed, setting and metric."""

from typing import Any

import pandas as pd

from lmia import artifacts
from lmia.canaries import load_canaries
from lmia.evaluation.metric_rows import attack_rows
from lmia.evaluation.outliers import load_outliers
from lmia.membership import load_membership
from lmia.streams import seed_list
from workflow.harness.job import job


def measure(
    scores: str,
    split: str,
    output: str,
    key: dict[str, Any],
    seeds: list[int],
    outliers: str | None,
    gap: str | None,
    metrics: dict[str, Any],
) -> None:
    """Write the metrics of one attack on the targets of a block, as a table.

    key: columns that all rows have alike; outliers: file of the points that are some, None where the study has none;
    gap: file of the gap attack's scores, None where it did not run; metrics: options of `attack_rows`.
    """
    expected = {"scores": ("f", 3), "example_ids": ("i", 2), "searches": ("i", 3)}
    scored, _ = artifacts.load(scores, "scores", expected)
    is_member, is_canary = (of(split, scored["example_ids"]) for of in (load_membership, load_canaries))
    if is_canary.any():  # of all models of a pool the same, and measured of all together
        ordinary = ~is_canary[0]
        is_member, scored["scores"] = is_member[:, ordinary], scored["scores"][:, :, ordinary]
    is_outlier = load_outliers(outliers, scored["example_ids"]) if outliers else None
    of_gap = artifacts.load(gap, "scores", expected)[0] if gap else None
    rows = attack_rows(scored, is_member, is_outlier, seeds, **metrics, gap=of_gap)
    pd.DataFrame([key | row for row in rows]).to_csv(output, index=False)


if __name__ == "__main__":
    with job(snakemake):
        measure(
            scores=snakemake.input.scores,
            split=snakemake.input.split,
            output=snakemake.output[0],
            key=snakemake.params.key,
            seeds=seed_list(snakemake.params.seeds),
            outliers=snakemake.input.outliers,
            gap=snakemake.input.gap,
            metrics=snakemake.params.metrics,
        )
