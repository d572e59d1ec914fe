"""Confidence vectors for the baselines that are not label-only."""

from lmia import plugins
from lmia.queries.confidences import read_confidences
from workflow.frozen import FrozenModels
from workflow.harness.job import job
from workflow.harness.shared_cache import take_shared
from workflow.seeds import seed_list


def read(frozen, output, defense):
    mask = plugins.bind("defenses", "Defense", defense)().mask
    columns = {"probabilities": [], "classes": [], "example_ids": []}
    for _, model, inputs, classes, ids in frozen:
        columns["probabilities"].append(read_confidences(model, inputs, mask))
        columns["classes"].append(classes)
        columns["example_ids"].append(ids)
    frozen.save(output, "confidences", columns, {"defense": defense, "unit": ""})


with job(
    snakemake,
    plugins.module_name("models", snakemake.params.model["kind"]),
    plugins.module_name("defenses", snakemake.params.defense["kind"]),
) as attempt:
    frozen = FrozenModels(snakemake, seed_list(snakemake.params.seeds))
    if not take_shared(snakemake, attempt, frozen.device):
        read(
            frozen=frozen,
            output=snakemake.output[0],
            defense=snakemake.params.defense,
        )
