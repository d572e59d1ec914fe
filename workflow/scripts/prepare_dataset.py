"""A data set as one artifact: inputs in [0, 1] and classes."""

import numpy as np

from lmia import artifacts, plugins
from workflow.job import job


def prepare(output, spec):
    inputs, classes = plugins.bind("data", "load", spec)()
    low, high = float(inputs.min()), float(inputs.max())
    if not (low >= 0 and high <= 1) or len(inputs) != len(classes):  # NaN is neither
        raise ValueError(
            f"{spec['kind']}: expected as many inputs as classes and values in [0, 1], "
            f"got {len(inputs)} and {len(classes)}, values {low:g} to {high:g}; mend its load()"
        )
    arrays = {"inputs": np.asarray(inputs, np.float32), "classes": np.asarray(classes, np.int64)}
    artifacts.save(output, "dataset", arrays, {"spec": spec})


with job(snakemake, plugins.module_name("data", snakemake.params.spec["kind"])):
    prepare(snakemake.output[0], snakemake.params.spec)
