"""A data set as one artifact: inputs in [0, 1] and classes."""

from lmia import artifacts, plugins
from lmia.data.arrays import checked
from workflow.harness.blame import bad_input
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
    entry = snakemake.config["datasets"][name]
    # Not among the params, which say what a result depends on: the file is known by its hash.
    where = {} if "path" in snakemake.params.spec or not entry.get("path") else {"path": entry["path"]}
    prepare(snakemake.output[0], name, snakemake.params.spec, where)
