"""Confidence vectors for the baselines that are not label-only."""

from lmia import plugins
from lmia.models.asked_models import TrainedModels
from lmia.queries.confidences import read_confidences
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import job
from workflow.harness.shared_cache import take_shared


def query(models, output, defense):
    mask = plugins.bind("defenses", "Defense", defense)().mask
    rows = [
        {
            "probabilities": read_confidences(subject.network, subject.inputs, mask),
            "classes": subject.classes,
            "example_ids": subject.ids,
        }
        for subject in models
    ]
    models.save(output, "confidences", rows, {"defense": defense, "unit": ""})


if __name__ == "__main__":
    params = snakemake.params
    with job(snakemake, *plugins.modules(models=params.model, defenses=params.defense)) as attempt:
        device = take_device(snakemake)
        if not take_shared(snakemake, attempt, device):
            query(
                models=TrainedModels(snakemake.input, params, device, snakemake.threads),
                output=snakemake.output[0],
                defense=params.defense,
            )
