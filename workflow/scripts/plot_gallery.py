"""What the queries of fixed perturbations look like."""

from typing import Any

import torch

from lmia import artifacts, plugins
from lmia.devices import prepare
from lmia.figures.gallery import plot
from lmia.figures.style import save
from lmia.queries.examples import last_of_each_magnitude
from workflow.harness.job import job


def draw(dataset: str, output: Any, options: dict[str, Any], queries: dict[str, dict], threads: int) -> None:
    prepare(torch.device("cpu"), threads)
    data, _ = artifacts.load(dataset, "dataset", {"inputs": ("f", 4)})
    images, shown = data["inputs"][: options["examples"]], {}
    for name, spec in queries.items():
        perturbation = plugins.bind("perturbations", "Perturbation", spec)()
        shown[name] = (*last_of_each_magnitude(torch.from_numpy(images), perturbation, name), perturbation.unit)
    save(plot(images, shown, options), output)


if __name__ == "__main__":
    params = snakemake.params
    kinds = [query["kind"] for query in params.queries.values()]
    with job(snakemake, *(plugins.module_name("perturbations", kind) for kind in kinds)):
        draw(snakemake.input.dataset, snakemake.output, params.figure, params.queries, snakemake.threads)
