"""Train and test accuracy of the target and of the shadow models, and what privacy the target's defense guarantees."""

from typing import Any

import numpy as np
import pandas as pd

from lmia import artifacts
from lmia.evaluation.metric_rows import MODEL_METRICS, guarantee_rows, model_rows
from lmia.split_rows import ids_of
from lmia.streams import seed_list
from workflow.harness.job import job


def sizes_of(split: str, seeds: list[int]) -> list[list[int]]:
    """Of each seed, number of members and of non-members, without canaries."""
    parts, _ = artifacts.load(split, "split", {"members": ("i", 2), "nonmembers": ("i", 2)})
    kinds, canaries = ("members", "nonmembers"), parts.get("canaries", ())
    return [[len(np.setdiff1d(ids_of(parts[name][row]), canaries)) for name in kinds] for row in range(len(seeds))]


def measure(
    target: str,
    shadows: list[str],
    split: str,
    splits: list[str],
    output: str,
    key: dict[str, Any],
    seeds: list[int],
) -> None:
    expected = {metric: ("f", 1) for metric in MODEL_METRICS}
    of_target, *of_shadows = [artifacts.load(path, "model", expected)[0] for path in (target, *shadows)]
    rows = [*model_rows([of_target], seeds, sizes_of(split, seeds), "")]
    rows += model_rows(of_shadows, seeds, sizes_of(splits[0], seeds), "shadow_") if of_shadows else []
    rows += guarantee_rows(of_target, seeds)
    pd.DataFrame([key | row for row in rows]).to_csv(output, index=False)


if __name__ == "__main__":
    with job(snakemake):
        measure(
            target=snakemake.input.target,
            shadows=list(snakemake.input.shadows),
            split=snakemake.input.split,
            splits=list(snakemake.input.splits),
            output=snakemake.output[0],
            key=snakemake.params.key,
            seeds=seed_list(snakemake.params.seeds),
        )
