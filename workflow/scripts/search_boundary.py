"""Distances to the decision boundary by HopSkipJump, as the course of every search."""

import importlib

import numpy as np

from lmia import artifacts, plugins
from lmia.boundary.search import search_boundary
from lmia.streams import streams
from workflow.frozen import FrozenModels
from workflow.harness.job import job
from workflow.harness.journals import journal_of
from workflow.harness.shared_cache import take_shared
from workflow.seeds import seed_list

STOPPING = "lmia.boundary.stopping"  # by name, so that searches which run to the end do not depend on its code


def load_rules(path, seeds):
    """seed -> when its searches are settled."""
    arrays, _ = artifacts.load(path, "stopping")
    return {seed: importlib.import_module(STOPPING).Stopping.from_arrays(arrays, seed) for seed in seeds}


def search(frozen, output, spec, name, rules, journal):
    options = {key: value for key, value in spec.items() if key != "kind"}
    columns = {"best": [], "spent": [], "stopped": [], "classes": [], "example_ids": []}
    ways = []
    for seed, model, inputs, classes, ids in frozen:
        rule = rules.get(seed)

        def draws(copy, seed=seed, ids=ids):
            return streams(seed, f"{name}, copy {copy}", ids)

        best, spent, asked = search_boundary(
            model,
            inputs,
            classes,
            draws,
            pool=frozen.pool(seed, ids),
            settled=rule,
            progress=f"seed {seed}",
            journal=journal.part(f"seed {seed}"),
            **options,
        )
        last = best[:, 0, -1]
        columns["best"].append(best.astype(np.float32))
        columns["spent"].append(spent.astype(np.int32))
        searched = (last > 0) & np.isfinite(last)
        columns["stopped"].append(searched & rule(last, spent[:, 0, -1]) if rule else np.zeros(len(ids), bool))
        columns["classes"].append(classes)
        columns["example_ids"].append(ids)
        ways.append(asked)
        print(f"seed {seed}: {np.isinf(best[:, :, -1]).sum()} of {best[:, :, -1].size} searches censored; {asked}")
    frozen.save(output, "distances", pad(columns), {"query": spec, "unit": "", "asked": ways})


def pad(columns):
    """Seeds may differ in their number of moments: the last one stands."""
    for name in ("best", "spent"):
        length = max(array.shape[2] for array in columns[name])
        columns[name] = [np.pad(a, [(0, 0), (0, 0), (0, length - a.shape[2])], "edge") for a in columns[name]]
    return columns


stopping = snakemake.input.stopping
with job(
    snakemake,
    plugins.module_name("models", snakemake.params.model["kind"]),
    *([STOPPING] if stopping else []),
) as attempt:
    seeds = seed_list(snakemake.params.seeds)
    frozen = FrozenModels(snakemake, seeds)
    if not take_shared(snakemake, attempt, frozen.device):
        search(
            frozen=frozen,
            output=snakemake.output[0],
            spec=snakemake.params.query,
            name=snakemake.params.name,
            rules=load_rules(stopping, seeds) if stopping else {},
            journal=journal_of(snakemake, attempt, frozen.device),
        )
