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


kinds = [query["kind"] for query in snakemake.params.queries.values()]
with job(snakemake, *(plugins.module_name("perturbations", kind) for kind in kinds)):
    prepare(torch.device("cpu"), snakemake.threads)
    data, _ = artifacts.load(snakemake.input.dataset, "dataset", {"inputs": ("f", 4)})
    images = data["inputs"][: snakemake.params.figure["examples"]]
    figure = plot(images, perturbed(torch.from_numpy(images), snakemake.params.queries), snakemake.params.figure)
    save(figure, snakemake.output)
