"""Distances to a wrong label along fixed directions, as the course of every search."""

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from lmia import plugins
from lmia.boundary.fixed_directions import as_levels, points_of, search_directions
from lmia.journal import Journal
from lmia.models.asked_models import TrainedModels
from lmia.streams import stream
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import job
from workflow.harness.journal_file import journal_of
from workflow.harness.shared_cache import take_shared
from workflow.harness.terms import terms_of

# By name, so that searches of targets alone do not depend on its code.
RELABELLED = "lmia.models.relabelled_models"


def load_relabelled(models: TrainedModels, files: Sequence[str]) -> Any:
    """`RelabelledModels` whose distances stand beside those of their targets, None where there are none."""
    return importlib.import_module(RELABELLED).RelabelledModels(models, files) if files else None


def search(
    models: TrainedModels,
    output: str,
    spec: dict[str, Any],
    precision: dict[str, Any],
    name: str,
    journal: Journal,
    relabelled: Any = None,
) -> None:
    options = {"levels": spec["levels"], "method": spec["method"], **precision}
    rows, ways, provenance = [], [], {} if relabelled is None else relabelled.provenance
    for subject in models:
        # Target and shadow of a seed, and all models of a pool, move towards the same random point.
        draw = stream(subject.draws, f"{name}, direction")
        points = points_of(spec["directions"], subject.inputs, draw, models.box)
        asked, title = (subject.inputs, subject.classes, points), f"seed {subject.seed}"
        part = {"journal": journal.part(title), "progress": title}
        distance, n_queries, way = search_directions(subject.network, *asked, **part, **options)
        arrays = {"distance": distance.astype(np.float32), "n_queries": n_queries.astype(np.int32)}
        if relabelled is not None:
            courses, alike = (
                [(distance, n_queries)],
                options | {"precision": way["precision"], "most_disagreement": 1.0},
            )
            for number, network in enumerate(relabelled.of(subject)):
                part = journal.part(f"{title}, relabelled {number}")
                courses.append(search_directions(network, *asked, journal=part, **alike)[:2])
            levels = [as_levels(course[:, 0], subject.inputs, points[0], spec["levels"]) for course, _ in courses]
            arrays["relabelled_levels"] = np.stack(levels, axis=1).astype(np.int16)
            arrays["relabelled_queries"] = np.stack([n[:, 0] for _, n in courses], axis=1).astype(np.int32)
        rows.append(subject.row(**arrays))
        ways.append(way)
        print(f"{title}: {np.isinf(distance[..., -1]).sum()} of {distance[..., -1].size} searches censored; {way}")
    models.save(output, "distances", rows, {"query": spec, "unit": "", "asked": ways} | provenance)


if __name__ == "__main__":
    params, files = snakemake.params, snakemake.input
    by_name = [RELABELLED] if files.relabelled else []
    with job(snakemake, *plugins.modules(models=params.model), *by_name) as attempt:
        device = take_device(snakemake)
        if not take_shared(snakemake, attempt, device):
            models = TrainedModels(files, params, device, snakemake.threads, terms_of(snakemake))
            search(
                models=models,
                output=snakemake.output[0],
                spec=params.query,
                precision=params.precision,
                name=params.name,
                journal=journal_of(snakemake, attempt, device),
                relabelled=load_relabelled(models, files.relabelled),
            )
