"""Train and test accuracy of the target and of the shadow models, and what privacy the target's defense guarantees."""

import pandas as pd

from lmia import artifacts
from lmia.evaluation import flags
from lmia.evaluation.intervals import proportion
from workflow.harness.job import job
from workflow.seeds import seed_list

METRICS = ("train_accuracy", "test_accuracy")
GUARANTEES = ("epsilon", "delta")  # of private training, the same for target and shadows


def flags_of(models, row, prefix):
    """What is wrong with models of one seed, and whose they are; see `lmia.training.loop.model_flag`."""
    whose, found = "shadow" if prefix else "target", [model["flags"][row] for model in models if "flags" in model]
    return flags.join(f"{whose} {flag}" for flag in found if flag)


def measure(target, shadows, output, key, n_nonmembers, seeds):
    rows, expected = [], {metric: ("f", 1) for metric in METRICS}
    roles = {"": [target], "shadow_": shadows}
    roles = {prefix: [artifacts.load(path, "model", expected)[0] for path in paths] for prefix, paths in roles.items()}
    for prefix, models in roles.items():
        for row, seed in enumerate(seeds):
            for metric, n in zip(METRICS, (key["n_train"], n_nonmembers), strict=True):
                hits = round(n * sum(model[metric][row] for model in models))  # the shadows of a seed count together
                value, low, high = proportion(hits, n * len(models))
                same = key | {"seed": seed, "metric": prefix + metric, "flags": flags_of(models, row, prefix)}
                rows.append(same | {"value": value, "ci_low": low, "ci_high": high})
    (own,) = roles[""]
    for metric in [metric for metric in GUARANTEES if metric in own]:
        for seed, value in zip(seeds, own[metric], strict=True):
            rows.append(key | {"seed": seed, "metric": metric, "value": value, "ci_low": value, "ci_high": value})
    pd.DataFrame(rows).to_csv(output, index=False)


with job(snakemake):
    measure(
        target=snakemake.input.target,
        shadows=list(snakemake.input.shadows),
        output=snakemake.output[0],
        key=snakemake.params.key,
        n_nonmembers=snakemake.params.n_nonmembers,
        seeds=seed_list(snakemake.params.seeds),
    )
