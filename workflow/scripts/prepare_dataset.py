"""A data set as one artifact: inputs in [0, 1] and classes."""

from lmia import artifacts, plugins
from lmia.data.arrays import checked
from workflow.harness.errors import bad_input
from workflow.harness.job import job


def prepare(output, name, spec, where):
    with bad_input(f"datasets.{name}"):
        loaded = plugins.bind("data", "load", spec | where)()
        if not isinstance(loaded, tuple) or len(loaded) != 2:
            raise ValueError(f"expected (inputs, classes) from load() of {spec['kind']}, got {type(loaded).__name__}")
        inputs, classes = checked(*loaded)
    artifacts.save(output, "dataset", {"inputs": inputs, "classes": classes}, {"spec": spec})


with job(snakemake, plugins.module_name("data", snakemake.params.spec["kind"])):
    name = snakemake.wildcards.dataset
    entry, spec = snakemake.config["datasets"][name], snakemake.params.spec
    # Where files lie is not part of the specification: an artifact is the same, wherever these came from.
    where = {key: value for key, value in entry.items() if key not in spec and value is not None}
    prepare(snakemake.output[0], name, spec, where)
