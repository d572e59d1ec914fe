"""Train and test accuracy of the target and of the shadow models, and what privacy the target's defense guarantees."""

from typing import Any

import pandas as pd

from lmia import artifacts
from lmia.evaluation.metric_rows import MODEL_METRICS, guarantee_rows, model_rows
from lmia.split_rows import ids_of
from lmia.streams import seed_list
from workflow.harness.job import job


def measure(target: str, shadows: list[str], split: str, output: str, key: dict[str, Any], seeds: list[int]) -> None:
    parts, _ = artifacts.load(split, "split", {"members": ("i", 2), "nonmembers": ("i", 2)})
    sizes = [[len(ids_of(parts[name][row])) for name in ("members", "nonmembers")] for row in range(len(seeds))]
    expected = {metric: ("f", 1) for metric in MODEL_METRICS}
    of_target, *of_shadows = [artifacts.load(path, "model", expected)[0] for path in (target, *shadows)]
    rows = [*model_rows([of_target], seeds, sizes, "")]
    rows += model_rows(of_shadows, seeds, sizes, "shadow_") if of_shadows else []
    rows += guarantee_rows(of_target, seeds)
    pd.DataFrame([key | row for row in rows]).to_csv(output, index=False)


if __name__ == "__main__":
    with job(snakemake):
        measure(
            target=snakemake.input.target,
            shadows=list(snakemake.input.shadows),
            split=snakemake.input.split,
            output=snakemake.output[0],
            key=snakemake.params.key,
            seeds=seed_list(snakemake.params.seeds),
        )
