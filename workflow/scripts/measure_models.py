"""Train and test accuracy of the target and of the shadow models, and what privacy the target's defense guarantees."""

from typing import Any

import pandas as pd

from lmia import artifacts
from lmia.evaluation.metric_rows import MODEL_METRICS, guarantee_rows, model_rows
from lmia.streams import seed_list
from workflow.harness.job import job


def measure(
    target: str, shadows: list[str], output: str, key: dict[str, Any], n_nonmembers: int, seeds: list[int]
) -> None:
    expected, sizes = {metric: ("f", 1) for metric in MODEL_METRICS}, (key["n_train"], n_nonmembers)
    of_target, *of_shadows = [artifacts.load(path, "model", expected)[0] for path in (target, *shadows)]
    rows = [*model_rows([of_target], seeds, sizes, ""), *model_rows(of_shadows, seeds, sizes, "shadow_")]
    rows += guarantee_rows(of_target, seeds)
    pd.DataFrame([key | row for row in rows]).to_csv(output, index=False)


if __name__ == "__main__":
    with job(snakemake):
        measure(
            target=snakemake.input.target,
            shadows=list(snakemake.input.shadows),
            output=snakemake.output[0],
            key=snakemake.params.key,
            n_nonmembers=snakemake.params.n_nonmembers,
            seeds=seed_list(snakemake.params.seeds),
        )
