"""Distances to a wrong label along fixed directions, as the course of every search."""

from typing import Any

import numpy as np

from lmia import plugins
from lmia.boundary.fixed_directions import fixed_points, search_directions
from lmia.journal import Journal
from lmia.models.asked_models import TrainedModels
from lmia.streams import stream
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import job
from workflow.harness.journal_file import journal_of
from workflow.harness.shared_cache import take_shared
from workflow.harness.terms import terms_of


def search(
    models: TrainedModels, output: str, spec: dict[str, Any], precision: dict[str, Any], name: str, journal: Journal
) -> None:
    rows, ways = [], []
    for subject in models:
        # Target and shadow of a seed, and all models of a pool, move towards the same random point.
        draw = stream(subject.draws, f"{name}, direction")
        points = fixed_points(spec["directions"], subject.inputs.shape[1:], draw, models.box)
        asked, title = (subject.network, subject.inputs, subject.classes, points), f"seed {subject.seed}"
        options = {"levels": spec["levels"], "method": spec["method"], **precision}
        distance, n_queries, way = search_directions(*asked, journal=journal.part(title), progress=title, **options)
        rows.append(subject.row(distance=distance.astype(np.float32), n_queries=n_queries.astype(np.int32)))
        ways.append(way)
        print(f"{title}: {np.isinf(distance[..., -1]).sum()} of {distance[..., -1].size} searches censored; {way}")
    models.save(output, "distances", rows, {"query": spec, "unit": "", "asked": ways})


if __name__ == "__main__":
    params = snakemake.params
    with job(snakemake, *plugins.modules(models=params.model)) as attempt:
        device = take_device(snakemake)
        if not take_shared(snakemake, attempt, device):
            search(
                models=TrainedModels(snakemake.input, params, device, snakemake.threads, terms_of(snakemake)),
                output=snakemake.output[0],
                spec=params.query,
                precision=params.precision,
                name=params.name,
                journal=journal_of(snakemake, attempt, device),
            )
