"""Confidence vectors for the baselines that are not label-only."""

from typing import Any

from lmia import plugins
from lmia.models.asked_models import TrainedModels
from lmia.queries import confidences
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import job
from workflow.harness.shared_cache import take_shared


def query_confidences(models: TrainedModels, output: str, defense: dict[str, Any], n_population: int) -> None:
    mask = plugins.bind("defenses", "Defense", defense)().mask
    rows = []
    for subject in models:
        probabilities, phi = confidences.query_confidences(subject.network, subject.inputs, subject.classes, mask)
        arrays = {"probabilities": probabilities, "phi": phi}
        if n_population:
            others = models.population(subject, n_population)
            _, arrays["population"] = confidences.query_confidences(subject.network, *others, mask)
        rows.append(subject.row(**arrays))
    models.save(output, "confidences", rows, {"defense": defense, "unit": ""})


if __name__ == "__main__":
    params = snakemake.params
    with job(snakemake, *plugins.modules(models=params.model, defenses=params.defense)) as attempt:
        device = take_device(snakemake)
        if not take_shared(snakemake, attempt, device):
            models = TrainedModels(snakemake.input, params, device, snakemake.threads)
            query_confidences(models, snakemake.output[0], params.defense, params.population)
