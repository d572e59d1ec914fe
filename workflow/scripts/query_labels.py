"""Answers to queries that are known in advance, labels only."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from lmia import plugins
from lmia.journal import Journal
from lmia.models.asked_models import Subject, TrainedModels
from lmia.models.crafting_models import CraftedQueries
from lmia.queries.fixed_queries import BadQueries, ask_crafted, ask_fixed, check_magnitudes
from lmia.streams import streams
from workflow.harness.errors import bad_input
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import job
from workflow.harness.journal_file import journal_of
from workflow.harness.shared_cache import take_shared
from workflow.harness.terms import terms_of


def query_labels(
    models: TrainedModels, output: str, spec: dict[str, Any], precision: dict[str, Any], name: str, journal: Journal
) -> None:
    """Ask a perturbation's queries."""
    perturbation = plugins.bind("perturbations", "Perturbation", spec, table=models.table, box=models.box)()
    option = getattr(plugins.load("perturbations", spec["kind"]), "MAGNITUDES", None)
    if option in spec:
        with bad_input(f"queries.{name}"):
            check_magnitudes(perturbation, option, spec[option])

    def ask(subject: Subject, part: Journal) -> tuple[np.ndarray, dict[str, Any]]:
        draws = partial(streams, subject.draws, name, subject.ids)
        options = precision | {"box": models.box, "journal": part}
        return ask_fixed(subject.network, subject.inputs, perturbation, draws, **options)

    with bad_input(f"queries.{name}.kind", BadQueries):
        ask_models(models, output, ask, perturbation.magnitudes, journal, {"query": spec, "unit": perturbation.unit})


def query_crafted(
    models: TrainedModels, output: str, crafted: str, spec: dict[str, Any], precision: dict[str, Any], journal: Journal
) -> None:
    """Ask the queries of a file of `craft_queries`."""
    queries = CraftedQueries(crafted)

    def ask(subject: Subject, part: Journal) -> tuple[np.ndarray, dict[str, Any]]:
        inputs = torch.from_numpy(queries.of(subject))
        return ask_crafted(subject.network, subject.inputs, inputs, journal=part, **precision)

    ask_models(models, output, ask, queries.magnitudes, journal, {"query": spec, "unit": queries.unit})


def ask_models(
    models: TrainedModels,
    output: str,
    ask: Callable[[Subject, Journal], tuple[np.ndarray, dict[str, Any]]],
    magnitudes: Sequence[float],
    journal: Journal,
    provenance: dict[str, Any],
) -> None:
    """Write the labels of each model. ask: (model, its part of the journal) -> (labels, how it was asked)."""
    columns, rows, asked = {"magnitudes": np.array([0.0, *magnitudes])}, [], []
    for subject in models:
        labels, how = ask(subject, journal.part(f"seed {subject.seed}"))
        rows.append(subject.row(labels=labels.astype(np.int32)) | columns)
        asked.append(how)
    models.save(output, "answers", rows, provenance | {"asked": asked})


if __name__ == "__main__":
    params, crafted = snakemake.params, snakemake.input.get("crafted") or None
    modules = plugins.modules(models=params.model)
    modules += [] if crafted else plugins.modules(perturbations=params.query)
    with job(snakemake, *modules) as attempt:
        device = take_device(snakemake)
        if not take_shared(snakemake, attempt, device):
            models = TrainedModels(snakemake.input, params, device, snakemake.threads, terms_of(snakemake))
            to_ask = {"spec": params.query, "precision": params.precision}
            to_ask |= {"journal": journal_of(snakemake, attempt, device)}
            if crafted:
                query_crafted(models, snakemake.output[0], crafted, **to_ask)
            else:
                query_labels(models, snakemake.output[0], name=params.name, **to_ask)
