"""Labels of a query set that is known in advance."""

from functools import partial

import numpy as np

from lmia import plugins
from lmia.queries.fixed import ask_fixed
from lmia.streams import streams
from workflow.frozen import FrozenModels
from workflow.harness.job import job
from workflow.harness.journals import journal_of
from workflow.harness.shared_cache import take_shared
from workflow.seeds import seed_list


def ask(frozen, output, spec, precision, name, journal):
    perturbation = plugins.bind("perturbations", "Perturbation", spec)()
    asked = []
    columns = {"labels": [], "classes": [], "example_ids": [], "magnitudes": []}
    for seed, model, inputs, classes, ids in frozen:
        draws, part = partial(streams, seed, name, ids), journal.part(f"seed {seed}")
        labels, how = ask_fixed(model, inputs, perturbation, draws, journal=part, **precision)
        asked.append(how)
        columns["labels"].append(labels.astype(np.int32))
        columns["classes"].append(classes)
        columns["example_ids"].append(ids)
        columns["magnitudes"].append(np.array([0.0, *perturbation.magnitudes]))
    frozen.save(output, "answers", columns, {"query": spec, "unit": perturbation.unit, "asked": asked})


with job(
    snakemake,
    plugins.module_name("models", snakemake.params.model["kind"]),
    plugins.module_name("perturbations", snakemake.params.query["kind"]),
) as attempt:
    frozen = FrozenModels(snakemake, seed_list(snakemake.params.seeds))
    if not take_shared(snakemake, attempt, frozen.device):
        ask(
            frozen=frozen,
            output=snakemake.output[0],
            spec=snakemake.params.query,
            precision=snakemake.params.precision,
            name=snakemake.params.name,
            journal=journal_of(snakemake, attempt, frozen.device),
        )
