"""The label of each example, and what a model that was trained on labels of the target makes of its true class."""

import numpy as np

from lmia import plugins
from lmia.models.asked_models import TrainedModels
from lmia.models.relabelled_models import RelabelledModels
from lmia.models.voting import as_trained
from lmia.queries.confidences import query_confidences
from lmia.queries.oracle import LabelOracle
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import job
from workflow.harness.shared_cache import take_shared
from workflow.harness.terms import terms_of


def query_relabelled(models: TrainedModels, relabelled: RelabelledModels, output: str) -> None:
    rows = []
    for subject in models:
        n, (own,) = len(subject.ids), relabelled.of(subject)
        labels = LabelOracle(subject.network, n, budget=1)(subject.inputs, np.arange(n)).cpu().numpy()
        _, phi = query_confidences(
            as_trained(own), subject.inputs, subject.classes, lambda probabilities: probabilities
        )
        rows.append(subject.row(labels=labels.astype(np.int32), losses=np.logaddexp(0, -phi)))
        print(f"seed {subject.seed}: its model is sure of the true class of {np.mean(phi > 0):.4f} of the examples")
    models.save(output, "relabelled", rows, {"unit": ""} | relabelled.provenance)


if __name__ == "__main__":
    inputs, params = snakemake.input, snakemake.params
    with job(snakemake, *plugins.modules(models=params.model)) as attempt:
        device = take_device(snakemake)
        if not take_shared(snakemake, attempt, device):
            models = TrainedModels(inputs, params, device, snakemake.threads, terms_of(snakemake))
            query_relabelled(models, RelabelledModels(models, inputs.relabelled), snakemake.output[0])
