"""Train and test accuracy of the target models."""

import pandas as pd

from lmia import artifacts
from workflow.job import job
from workflow.seeds import seed_list


def measure(model, output, key, seeds):
    arrays, _ = artifacts.load(model, "model", {"train_accuracy": ("f", 1), "test_accuracy": ("f", 1)})
    rows = [
        key | {"seed": seed, "metric": metric, "value": arrays[metric][row]}
        for row, seed in enumerate(seeds)
        for metric in ("train_accuracy", "test_accuracy")
    ]
    pd.DataFrame(rows).to_csv(output, index=False)


with job(snakemake):
    measure(
        model=snakemake.input[0],
        output=snakemake.output[0],
        key=snakemake.params.key,
        seeds=seed_list(snakemake.wildcards.seeds),
    )
