"""Distances to the decision boundary by gradients, for the bound that is not label-only."""

from typing import Any

import numpy as np

from lmia import plugins
from lmia.boundary.white_box import white_box_distances
from lmia.journal import Journal
from lmia.models.asked_models import TrainedModels
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import job
from workflow.harness.journal_file import journal_of
from workflow.harness.shared_cache import take_shared


def query_white_box(models: TrainedModels, output: str, spec: dict[str, Any], journal: Journal) -> None:
    rows = []
    for subject in models:
        asked, title = (subject.network, subject.inputs, subject.classes), f"seed {subject.seed}"
        options = {"steps": spec["steps"], "box": models.box}
        found = white_box_distances(*asked, **options, progress=title, journal=journal.part(title))
        distance, n_queries = found[0][:, None].astype(np.float32), found[1][:, None].astype(np.int32)
        rows.append(subject.row(distance=distance, n_queries=n_queries))
        print(f"{title}: {np.isinf(distance).sum()} of {len(distance)} searches censored")
    models.save(output, "white_box", rows, {"query": spec, "unit": ""})


if __name__ == "__main__":
    params = snakemake.params
    with job(snakemake, *plugins.modules(models=params.model)) as attempt:
        device = take_device(snakemake)
        if not take_shared(snakemake, attempt, device):
            models = TrainedModels(snakemake.input, params, device, snakemake.threads)
            query_white_box(models, snakemake.output[0], params.query, journal_of(snakemake, attempt, device))
