"""Distances to the decision boundary by HopSkipJump, as the course of every search."""

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from lmia import artifacts, plugins
from lmia.boundary.courses import pad_moments
from lmia.boundary.random_inputs import search_random_inputs
from lmia.boundary.schedules import SCHEDULES
from lmia.boundary.search import search_boundary
from lmia.boundary.starts import origins
from lmia.box import Box
from lmia.journal import Journal
from lmia.models.asked_models import Subject, TrainedModels
from lmia.streams import seed_list, streams
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import job
from workflow.harness.journal_file import journal_of
from workflow.harness.shared_cache import take_shared
from workflow.harness.terms import terms_of

# By name, so that searches which run to the end do not depend on the code of the first, and those that start at no
# models of the attacker's own do not on that of the others.
STOPPING = "lmia.boundary.stopping"
REFERENCES = ("lmia.models.reference_models", "lmia.boundary.references")


def load_rules(path: str, seeds: list[int]) -> dict[int, Any]:
    """seed -> when its searches are settled, a `Stopping`."""
    arrays, _ = artifacts.load(path, "stopping")
    return {seed: importlib.import_module(STOPPING).Stopping.from_arrays(arrays, seed) for seed in seeds}


def load_references(models: TrainedModels, files: Any, spec: dict[str, Any]) -> Any:
    """`ReferenceModels` that searches start at, None where they start at none."""
    if not files.references:
        return None
    references = importlib.import_module(REFERENCES[0]).ReferenceModels
    return references(models, files.references, files.reference_splits, spec["references"])


def reference_crossings(references: Any, subject: Subject, box: Box, journal: Journal) -> Mapping[str, np.ndarray]:
    """ "points" and "distance" of a subject's inputs, see `lmia.boundary.references`."""
    if (kept := journal.get()) is not None:
        return kept
    find = importlib.import_module(REFERENCES[1]).reference_crossings
    points, distance = find(references.without(subject), subject.inputs, subject.classes, box=box)
    return journal.finish({"points": points.numpy(), "distance": distance.astype(np.float32)})


def search(
    models: TrainedModels,
    output: str,
    spec: dict[str, Any],
    name: str,
    rules: dict[int, Any],
    journal: Journal,
    references: Any = None,
) -> None:
    options = {key: value for key, value in spec.items() if key not in ("kind", "random_inputs", "references")}
    n_random = spec["random_inputs"]
    rows, ways = [], []
    for subject in models:
        rule, title, pool = rules.get(subject.seed), f"seed {subject.seed}", models.starting_points(subject)
        arrays: dict[str, np.ndarray] = {}
        beside, known = {}, None
        if references is not None:
            found = reference_crossings(references, subject, models.box, journal.part(f"{title}, references"))
            arrays["reference_distance"] = found["distance"]
            beside = {"crossings": torch.from_numpy(found["points"])}
            known = np.isfinite(found["distance"]) & (found["distance"] > 0)
        distance, n_queries, asked = search_boundary(
            subject.network,
            subject.inputs,
            subject.classes,
            lambda copy, subject=subject: streams(subject.draws, f"{name}, copy {copy}", subject.ids),
            pool=pool,
            box=models.box,
            settled=rule,
            progress=title,
            journal=journal.part(title),
            **beside,
            **options,
        )
        arrays |= {"distance": distance.astype(np.float32), "n_queries": n_queries.astype(np.int32)}
        arrays["stopped"] = rule.ended(distance[:, 0], n_queries[:, 0]) if rule else np.zeros(len(distance), bool)
        if n_random:
            random_distance, random_queries = search_random_inputs(
                subject.network,
                n_random,
                subject.inputs.shape[1:],
                lambda purpose, subject=subject: streams(subject.draws, f"{name}, random {purpose}", range(n_random)),
                pool=pool,
                box=models.box,
                progress=f"{title}, random inputs",
                journal=journal.part(f"{title}, random inputs"),
                **options | {"precision": asked["precision"]},
            )
            arrays["random_distance"] = random_distance.astype(np.float32)
            arrays["random_queries"] = random_queries.astype(np.int32)
        halvings = SCHEDULES[options.get("schedule", "economical")].halvings_in(subject.inputs[0].numel())
        asked["starts"] = origins(distance, n_queries, halvings, 0 if pool is None else len(pool[1]), known)
        rows.append(subject.row(**arrays))
        ways.append(asked)
        print(f"{title}: {np.isinf(distance[..., -1]).sum()} of {distance[..., -1].size} searches censored; {asked}")
    # Seeds may differ in their number of moments.
    for array in rows[0].keys() & {"distance", "n_queries", "random_distance", "random_queries"}:
        for row, padded in zip(rows, pad_moments([row[array] for row in rows]), strict=True):
            row[array] = padded
    models.save(output, "distances", rows, {"query": spec, "unit": "", "asked": ways})


if __name__ == "__main__":
    params, files = snakemake.params, snakemake.input
    by_name = [*([STOPPING] if files.stopping else []), *(REFERENCES if files.references else [])]
    with job(snakemake, *plugins.modules(models=params.model), *by_name) as attempt:
        device = take_device(snakemake)
        if not take_shared(snakemake, attempt, device):
            models = TrainedModels(files, params, device, snakemake.threads, terms_of(snakemake))
            search(
                models=models,
                output=snakemake.output[0],
                spec=params.query,
                name=params.name,
                rules=load_rules(files.stopping, seed_list(params.seeds)) if files.stopping else {},
                references=load_references(models, files, params.query),
                journal=journal_of(snakemake, attempt, device),
            )
