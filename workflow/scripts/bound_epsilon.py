"""Lower bounds on the epsilon of a pool's training, by what one attack guesses of each model's coins."""

from typing import Any

import pandas as pd

from lmia.evaluation.epsilon_rows import epsilon_rows
from lmia.evaluation.score_files import load_pool_scores
from lmia.streams import seed_list
from workflow.harness.job import job


def bound(
    scores: list[str],
    splits: list[str],
    output: str,
    key: dict[str, Any],
    blocks: list[list[int]],
    epsilon: dict[str, float],
) -> None:
    scored, is_member = load_pool_scores(scores, splits, blocks)
    models = sorted(seed for block in blocks for seed in block)
    pd.DataFrame([key | row for row in epsilon_rows(scored, is_member, models, **epsilon)]).to_csv(output, index=False)


if __name__ == "__main__":
    with job(snakemake):
        bound(
            scores=list(snakemake.input.scores),
            splits=list(snakemake.input.splits),
            output=snakemake.output[0],
            key=snakemake.params.key,
            blocks=[seed_list(block) for block in snakemake.params.blocks],
            epsilon=snakemake.params.epsilon,
        )
