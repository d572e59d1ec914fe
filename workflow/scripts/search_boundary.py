"""Distances to the decision boundary by HopSkipJump, as the course of every search."""

import numpy as np

from lmia import plugins
from lmia.boundary import search_boundary
from lmia.streams import streams
from workflow.frozen import FrozenModels
from workflow.job import job
from workflow.seeds import seed_list


def search(frozen, output, spec, name):
    options = {key: value for key, value in spec.items() if key != "kind"}
    columns = {"best": [], "spent": [], "classes": [], "example_ids": []}
    for seed, model, inputs, classes, ids in frozen:

        def draws(copy, seed=seed, ids=ids):
            return streams(seed, f"{name}, copy {copy}", ids)

        best, spent = search_boundary(model, inputs, classes, draws, progress=f"seed {seed}", **options)
        columns["best"].append(best.astype(np.float32))
        columns["spent"].append(spent.astype(np.int32))
        columns["classes"].append(classes)
        columns["example_ids"].append(ids)
        print(f"seed {seed}: {np.isinf(best[:, :, -1]).sum()} of {best[:, :, -1].size} searches censored")
    frozen.save(output, "distances", pad(columns), {"query": spec, "unit": ""})


def pad(columns):
    """Seeds may differ in their number of moments: the last one stands."""
    for name in ("best", "spent"):
        length = max(array.shape[2] for array in columns[name])
        columns[name] = [np.pad(a, [(0, 0), (0, 0), (0, length - a.shape[2])], "edge") for a in columns[name]]
    return columns


with job(snakemake, plugins.module_name("models", snakemake.params.model["kind"])):
    search(
        frozen=FrozenModels(snakemake, seed_list(snakemake.wildcards.seeds)),
        output=snakemake.output[0],
        spec=snakemake.params.query,
        name=snakemake.wildcards.query,
    )
