"""Distances to the decision boundary by gradients, for the bound that is not label-only."""

import numpy as np

from lmia import plugins
from lmia.boundary.white_box import white_box_distances
from workflow.frozen import FrozenModels
from workflow.harness.job import job
from workflow.harness.journals import journal_of
from workflow.harness.shared_cache import take_shared
from workflow.seeds import seed_list


def follow(frozen, output, spec, journal):
    columns = {"best": [], "spent": [], "classes": [], "example_ids": []}
    for seed, model, inputs, classes, ids in frozen:
        name = f"seed {seed}"
        best, spent = white_box_distances(
            model, inputs, classes, steps=spec["steps"], progress=name, journal=journal.part(name)
        )
        columns["best"].append(best[:, None].astype(np.float32))
        columns["spent"].append(spent[:, None].astype(np.int32))
        columns["classes"].append(classes)
        columns["example_ids"].append(ids)
        print(f"seed {seed}: {np.isinf(best).sum()} of {len(ids)} searches censored")
    frozen.save(output, "white_box", columns, {"query": spec, "unit": ""})


with job(snakemake, plugins.module_name("models", snakemake.params.model["kind"])) as attempt:
    frozen = FrozenModels(snakemake, seed_list(snakemake.params.seeds))
    if not take_shared(snakemake, attempt, frozen.device):
        follow(
            frozen=frozen,
            output=snakemake.output[0],
            spec=snakemake.params.query,
            journal=journal_of(snakemake, attempt, frozen.device),
        )
