"""Train and test accuracy of the target and of the shadow models."""

import pandas as pd

from lmia import artifacts
from lmia.intervals import proportion
from workflow.job import job
from workflow.seeds import seed_list

METRICS = ("train_accuracy", "test_accuracy")


def measure(target, shadows, output, key, seeds):
    rows = []
    for prefix, paths in (("", [target]), ("shadow_", shadows)):
        models = [artifacts.load(path, "model", {metric: ("f", 1) for metric in METRICS})[0] for path in paths]
        n = key["n_train"] * len(models)  # points of each kind; the shadows of a seed are counted together
        for row, seed in enumerate(seeds):
            for metric in METRICS:
                hits = round(key["n_train"] * sum(model[metric][row] for model in models))
                value, low, high = proportion(hits, n)
                same = key | {"seed": seed, "metric": prefix + metric}
                rows.append(same | {"value": value, "ci_low": low, "ci_high": high})
    pd.DataFrame(rows).to_csv(output, index=False)


with job(snakemake):
    measure(
        target=snakemake.input.target,
        shadows=list(snakemake.input.shadows),
        output=snakemake.output[0],
        key=snakemake.params.key,
        seeds=seed_list(snakemake.wildcards.seeds),
    )
