"""What the queries of fixed perturbations look like."""

import torch

from lmia import artifacts, plugins
from lmia.devices import prepare
from lmia.figures.gallery import plot
from lmia.figures.style import save
from lmia.streams import streams
from workflow.harness.job import job


def perturbed(inputs, queries):
    """name -> (images (n, m, *shape), magnitudes (m,), unit): the last query of each magnitude."""
    shown = {}
    for name, spec in queries.items():
        perturbation = plugins.bind("perturbations", "Perturbation", spec)()
        blocks = torch.cat(list(perturbation.blocks(inputs, streams(0, name, range(len(inputs))))), dim=1)
        last = {magnitude: column for column, magnitude in enumerate(perturbation.magnitudes)}
        shown[name] = (blocks[:, list(last.values())].numpy(), list(last), perturbation.unit)
    return shown


def draw(dataset, output, settings, queries, threads):
    prepare(torch.device("cpu"), threads)
    data, _ = artifacts.load(dataset, "dataset", {"inputs": ("f", 4)})
    images = data["inputs"][: settings["examples"]]
    save(plot(images, perturbed(torch.from_numpy(images), queries), settings), output)


if __name__ == "__main__":
    params = snakemake.params
    kinds = [query["kind"] for query in params.queries.values()]
    with job(snakemake, *(plugins.module_name("perturbations", kind) for kind in kinds)):
        draw(
            dataset=snakemake.input.dataset,
            output=snakemake.output,
            settings=params.figure,
            queries=params.queries,
            threads=snakemake.threads,
        )
