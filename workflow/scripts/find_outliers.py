"""Which of the target's evaluated points are outliers, by the features of the first shadow model."""

from typing import Any

from lmia import plugins
from lmia.evaluation.outliers import find_outliers
from lmia.models.asked_models import TrainedModels
from lmia.models.features import distance_to_neighbour, penultimate
from lmia.models.voting import as_trained
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import job


def find(shadows: TrainedModels, output: str, spec: dict[str, Any]) -> None:
    rows, deltas = [], []
    for subject in shadows:
        distances = distance_to_neighbour(penultimate(as_trained(subject.network), subject.inputs), spec["neighbours"])
        is_outlier, delta = find_outliers(distances, spec["fraction"])
        rows.append({"distances": distances, "is_outlier": is_outlier, "example_ids": subject.ids})
        deltas.append(delta)
    shadows.save(output, "outliers", rows, {"outliers": spec, "deltas": deltas})


if __name__ == "__main__":
    params = snakemake.params
    with job(snakemake, *plugins.modules(models=params.model)):
        device = take_device(snakemake)
        find(
            shadows=TrainedModels(snakemake.input, params, device, snakemake.threads),
            output=snakemake.output[0],
            spec=params.outliers,
        )
