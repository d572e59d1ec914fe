"""A data set as one artifact: inputs and classes, and its table where it has columns of its own, or its box."""

from typing import Any

from lmia import artifacts, plugins
from lmia.box import Box
from lmia.data.array_checks import checked
from workflow.harness.errors import bad_input
from workflow.harness.job import job


def prepare(output: str, name: str, spec: dict[str, Any], where: dict[str, Any]) -> None:
    with bad_input(f"datasets.{name}"):
        loaded = plugins.bind("data", "load", spec | where)()
        if not isinstance(loaded, tuple) or len(loaded) not in (2, 3):
            raise ValueError(f"expected (inputs, classes) from load() of {spec['kind']}, got {type(loaded).__name__}")
        more = loaded[2] if len(loaded) == 3 else None
        inputs, classes = checked(*loaded[:2], box=more if isinstance(more, Box) else None)
        arrays = more.to_arrays() if more is not None else {}
    artifacts.save(output, "dataset", {"inputs": inputs, "classes": classes} | arrays, {"spec": spec})


if __name__ == "__main__":
    name, spec = snakemake.wildcards.dataset, snakemake.params.spec
    # Where files lie is not part of the specification: an artifact is the same, wherever these came from.
    entry = snakemake.config["datasets"][name]
    with job(snakemake, *plugins.modules(data=spec)):
        prepare(
            output=snakemake.output[0],
            name=name,
            spec=spec,
            where={key: entry[key] for key in snakemake.params.places if entry.get(key) is not None},
        )
