"""Distances to the decision boundary by HopSkipJump, as the course of every search."""

import importlib
from typing import Any

import numpy as np

from lmia import artifacts, plugins
from lmia.boundary.courses import pad_moments
from lmia.boundary.random_inputs import search_random_inputs
from lmia.boundary.search import search_boundary
from lmia.journal import Journal
from lmia.models.asked_models import TrainedModels
from lmia.streams import seed_list, streams
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import job
from workflow.harness.journal_file import journal_of
from workflow.harness.shared_cache import take_shared
from workflow.harness.terms import terms_of

STOPPING = "lmia.boundary.stopping"  # by name, so that searches which run to the end do not depend on its code


def load_rules(path: str, seeds: list[int]) -> dict[int, Any]:
    """seed -> when its searches are settled, a `Stopping`."""
    arrays, _ = artifacts.load(path, "stopping")
    return {seed: importlib.import_module(STOPPING).Stopping.from_arrays(arrays, seed) for seed in seeds}


def search(
    models: TrainedModels, output: str, spec: dict[str, Any], name: str, rules: dict[int, Any], journal: Journal
) -> None:
    options = {key: value for key, value in spec.items() if key not in ("kind", "random_inputs")}
    n_random = spec["random_inputs"]
    rows, ways = [], []
    for subject in models:
        rule, title, pool = rules.get(subject.seed), f"seed {subject.seed}", models.starting_points(subject)
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
            **options,
        )
        arrays = {"distance": distance.astype(np.float32), "n_queries": n_queries.astype(np.int32)}
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
        rows.append(subject.row(**arrays))
        ways.append(asked)
        print(f"{title}: {np.isinf(distance[..., -1]).sum()} of {distance[..., -1].size} searches censored; {asked}")
    # Seeds may differ in their number of moments.
    for array in rows[0].keys() & {"distance", "n_queries", "random_distance", "random_queries"}:
        for row, padded in zip(rows, pad_moments([row[array] for row in rows]), strict=True):
            row[array] = padded
    models.save(output, "distances", rows, {"query": spec, "unit": "", "asked": ways})


if __name__ == "__main__":
    params, stopping = snakemake.params, snakemake.input.stopping
    with job(snakemake, *plugins.modules(models=params.model), *([STOPPING] if stopping else [])) as attempt:
        device = take_device(snakemake)
        if not take_shared(snakemake, attempt, device):
            search(
                models=TrainedModels(snakemake.input, params, device, snakemake.threads, terms_of(snakemake)),
                output=snakemake.output[0],
                spec=params.query,
                name=params.name,
                rules=load_rules(stopping, seed_list(params.seeds)) if stopping else {},
                journal=journal_of(snakemake, attempt, device),
            )
