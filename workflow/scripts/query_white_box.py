"""Distances to the decision boundary by gradients, for the bound that is not label-only."""

import numpy as np

from lmia import plugins
from lmia.boundary.white_box import white_box_distances
from lmia.models.asked_models import TrainedModels
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import job
from workflow.harness.journal_file import journal_of
from workflow.harness.shared_cache import take_shared


def query_white_box(models, output, spec, journal):
    rows = []
    for subject in models:
        title = f"seed {subject.seed}"
        best, spent = white_box_distances(
            subject.network,
            subject.inputs,
            subject.classes,
            steps=spec["steps"],
            progress=title,
            journal=journal.part(title),
        )
        row = {"distance": best[:, None].astype(np.float32), "n_queries": spent[:, None].astype(np.int32)}
        rows.append(row | {"classes": subject.classes, "example_ids": subject.ids})
        print(f"{title}: {np.isinf(best).sum()} of {len(best)} searches censored")
    models.save(output, "white_box", rows, {"query": spec, "unit": ""})


if __name__ == "__main__":
    params = snakemake.params
    with job(snakemake, *plugins.modules(models=params.model)) as attempt:
        device = take_device(snakemake)
        if not take_shared(snakemake, attempt, device):
            query_white_box(
                models=TrainedModels(snakemake.input, params, device, snakemake.threads),
                output=snakemake.output[0],
                spec=params.query,
                journal=journal_of(snakemake, attempt, device),
            )
