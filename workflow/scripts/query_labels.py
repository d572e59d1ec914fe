"""Labels of a query set that is known in advance."""

from functools import partial

import numpy as np

from lmia import plugins
from lmia.models.asked_models import TrainedModels
from lmia.queries.fixed_queries import ask_fixed
from lmia.streams import streams
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import job
from workflow.harness.journal_file import journal_of
from workflow.harness.shared_cache import take_shared


def query_labels(models, output, spec, precision, name, journal):
    perturbation = plugins.bind("perturbations", "Perturbation", spec)()
    rows, asked = [], []
    for subject in models:
        draws, part = partial(streams, subject.seed, name, subject.ids), journal.part(f"seed {subject.seed}")
        labels, how = ask_fixed(subject.network, subject.inputs, perturbation, draws, journal=part, **precision)
        row = {"labels": labels.astype(np.int32), "classes": subject.classes, "example_ids": subject.ids}
        rows.append(row | {"magnitudes": np.array([0.0, *perturbation.magnitudes])})
        asked.append(how)
    models.save(output, "answers", rows, {"query": spec, "unit": perturbation.unit, "asked": asked})


if __name__ == "__main__":
    params = snakemake.params
    with job(snakemake, *plugins.modules(models=params.model, perturbations=params.query)) as attempt:
        device = take_device(snakemake)
        if not take_shared(snakemake, attempt, device):
            query_labels(
                models=TrainedModels(snakemake.input, params, device, snakemake.threads),
                output=snakemake.output[0],
                spec=params.query,
                precision=params.precision,
                name=params.name,
                journal=journal_of(snakemake, attempt, device),
            )
