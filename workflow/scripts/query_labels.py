"""Answers to queries that are known in advance, labels only."""

from functools import partial
from typing import Any

import numpy as np

from lmia import plugins
from lmia.journal import Journal
from lmia.models.asked_models import TrainedModels
from lmia.queries.fixed_queries import ask_fixed, check_magnitudes
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
    perturbation = plugins.bind("perturbations", "Perturbation", spec, table=models.table, box=models.box)()
    option = getattr(plugins.load("perturbations", spec["kind"]), "MAGNITUDES", None)
    if option in spec:
        with bad_input(f"queries.{name}"):
            check_magnitudes(perturbation, option, spec[option])
    magnitudes = {"magnitudes": np.array([0.0, *perturbation.magnitudes])}
    rows, asked = [], []
    for subject in models:
        draws, part = partial(streams, subject.draws, name, subject.ids), journal.part(f"seed {subject.seed}")
        labels, how = ask_fixed(subject.network, subject.inputs, perturbation, draws, journal=part, **precision)
        rows.append(subject.row(labels=labels.astype(np.int32)) | magnitudes)
        asked.append(how)
    models.save(output, "answers", rows, {"query": spec, "unit": perturbation.unit, "asked": asked})


if __name__ == "__main__":
    params = snakemake.params
    with job(snakemake, *plugins.modules(models=params.model, perturbations=params.query)) as attempt:
        device = take_device(snakemake)
        if not take_shared(snakemake, attempt, device):
            query_labels(
                models=TrainedModels(snakemake.input, params, device, snakemake.threads, terms_of(snakemake)),
                output=snakemake.output[0],
                spec=params.query,
                precision=params.precision,
                name=params.name,
                journal=journal_of(snakemake, attempt, device),
            )
