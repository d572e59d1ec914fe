"""Whether the data and the model of a study can be used: errors before anything is trained, and remarks."""

from pathlib import Path
from typing import Any

import torch

from lmia import artifacts, plugins
from lmia.data.warnings import remarks
from lmia.devices import prepare
from lmia.models.usability import check_model
from lmia.split_rows import ids_of
from lmia.table import Table
from workflow.harness.errors import bad_input
from workflow.harness.job import job


def check(dataset: str, split: str, output: str, spec: dict[str, Any] | None, name: str, threads: int) -> list[str]:
    """Write all remarks, one a line, and return them.

    spec: of the model, None for one that was trained elsewhere, which is looked at where it is taken over.
    """
    prepare(torch.device("cpu"), threads)
    data, _ = artifacts.load(dataset, "dataset", {"classes": ("i", 1)})
    parts, _ = artifacts.load(split, "split", {"members": ("i", 2), "nonmembers": ("i", 2)})
    inputs, classes, table = data["inputs"], data["classes"], Table.from_arrays(data)
    members, nonmembers = (ids_of(parts[name][0]) for name in ("members", "nonmembers"))
    found = [f"data: {line}" for line in remarks(inputs, classes, members, nonmembers, table)]
    if spec is not None:
        with bad_input(f"models.{name}, on inputs of shape {list(inputs.shape[1:])}"):
            build = plugins.bind("models", "build", spec)
            found += [f"model: {line}" for line in check_model(build, torch.from_numpy(inputs), int(classes.max()) + 1)]
    Path(output).write_text("\n".join(found or ["nothing to remark"]) + "\n")
    return found


if __name__ == "__main__":
    study = snakemake.wildcards.study
    spec = snakemake.params.model
    with job(snakemake, *(plugins.modules(models=spec) if spec else [])):
        found = check(
            dataset=snakemake.input.dataset,
            split=snakemake.input.split,
            output=snakemake.output[0],
            spec=spec,
            name=snakemake.config["studies"][study]["model"],
            threads=snakemake.threads,
        )
        print(*found, sep="\n")
    for line in found:
        print(f"studies.{study}: {line}", flush=True)
