"""The model's labels beside those of references, which are trained like it on random parts of the data."""

from typing import Any

import numpy as np
import torch

from lmia import plugins
from lmia.data.equal_inputs import number_inputs
from lmia.journal import Journal
from lmia.models.asked_models import TrainedModels
from lmia.queries.oracle import LabelOracle
from lmia.queries.references import ask_references, told
from workflow.harness.errors import bad_input
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import job
from workflow.harness.journal_file import journal_of
from workflow.harness.shared_cache import take_shared


def query_references(
    models: TrainedModels, output: str, n_train: int, n_references: int, name: str, journal: Journal
) -> None:
    (inputs, classes), rows = models.everything, []
    same = number_inputs(inputs)
    for subject in models:
        network: Any = subject.network  # that can be trained again, or the configuration's check would have said so

        def train(*arguments: Any, network: Any = network) -> torch.nn.Module:
            with bad_input(f"targets.{name}"):
                return network.retrained(*arguments)

        own = LabelOracle(subject.network, len(subject.ids), budget=1)(subject.inputs, np.arange(len(subject.ids)))
        part = journal.part(f"seed {subject.seed}")
        labels, is_in = ask_references(
            train, inputs, classes, same, subject.ids, n_train, n_references, subject.seed, part
        )
        of_own, of_others = told(labels, is_in, subject.classes)
        print(f"references are right on {of_own:.4f} of the records that they know, and on {of_others:.4f} of others")
        rows.append(subject.row(labels=own.cpu().numpy(), reference_labels=labels, is_in=is_in))
    models.save(output, "references", rows, {"references": n_references, "n_train": n_train, "unit": ""})


if __name__ == "__main__":
    params = snakemake.params
    with job(snakemake, *plugins.modules(models=params.model)) as attempt:
        device = take_device(snakemake)
        if not take_shared(snakemake, attempt, device):
            query_references(
                models=TrainedModels(snakemake.input, params, device, snakemake.threads),
                output=snakemake.output[0],
                n_train=params.n_train,
                n_references=params.n_references,
                name=snakemake.config["studies"][snakemake.wildcards.study]["model"],
                journal=journal_of(snakemake, attempt, device),
            )
