"""Metrics of one attack over all models of a pool together, one row per setting and metric."""

from typing import Any

import pandas as pd

from lmia.evaluation.pooled import pool_rows
from lmia.evaluation.score_files import load_pool_scores
from lmia.streams import seed_list
from workflow.harness.job import job


def measure(
    scores: list[str],
    splits: list[str],
    output: str,
    key: dict[str, Any],
    blocks: list[list[int]],
    metrics: dict[str, Any],
) -> None:
    scored, is_member = load_pool_scores(scores, splits, blocks)
    pd.DataFrame([key | row for row in pool_rows(scored, is_member, **metrics)]).to_csv(output, index=False)


if __name__ == "__main__":
    with job(snakemake):
        measure(
            scores=list(snakemake.input.scores),
            splits=list(snakemake.input.splits),
            output=snakemake.output[0],
            key=snakemake.params.key,
            blocks=[seed_list(block) for block in snakemake.params.blocks],
            metrics=snakemake.params.metrics,
        )
