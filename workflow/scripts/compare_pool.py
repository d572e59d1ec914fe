"""By how much each attack is above each other on a pool, as each is meant to be run."""

from typing import Any

import pandas as pd

from lmia.evaluation.pooled import differences
from lmia.evaluation.score_files import load_pool_scores
from lmia.streams import seed_list
from workflow.harness.job import job


def compare(
    scores: list[str],
    splits: list[str],
    output: str,
    attacks: list[str],
    key: dict[str, Any],
    blocks: list[list[int]],
    metrics: dict[str, Any],
) -> None:
    n = len(blocks)
    loaded = [load_pool_scores(scores[at : at + n], splits, blocks) for at in range(0, len(scores), n)]
    of_attacks = {attack: scored["scores"][:, 0] for attack, (scored, _) in zip(attacks, loaded, strict=True)}
    rows = differences(of_attacks, loaded[0][1], **metrics, is_canary=loaded[0][0]["is_canary"])
    pd.DataFrame([key | row for row in rows]).to_csv(output, index=False)


if __name__ == "__main__":
    with job(snakemake):
        compare(
            scores=list(snakemake.input.scores),
            splits=list(snakemake.input.splits),
            output=snakemake.output[0],
            attacks=snakemake.params.attacks,
            key=snakemake.params.key,
            blocks=[seed_list(block) for block in snakemake.params.blocks],
            metrics=snakemake.params.metrics,
        )
