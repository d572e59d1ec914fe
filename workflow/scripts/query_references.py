"""The model's labels beside those of references, which are trained like it on random parts of the data."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from lmia import artifacts, plugins
from lmia.data.equal_inputs import number_inputs
from lmia.journal import Journal
from lmia.models.asked_models import TrainedModels
from lmia.models.usability import check_answers
from lmia.queries.oracle import LabelOracle
from lmia.queries.references import ask_references, told
from lmia.targets.trained import as_asked, train
from workflow.harness.errors import bad_input
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import job
from workflow.harness.journal_file import journal_of
from workflow.harness.shared_cache import take_shared
from workflow.harness.terms import terms_of

LOOKED_AT = 100  # records that a trainer's model is asked about first
Train = Callable[[np.ndarray, np.ndarray, int], torch.nn.Module]


def like(
    models: TrainedModels, network: Any, target: dict[str, Any], trainer: dict[str, Any] | None, name: str
) -> Train:
    """How models like a network are trained: by a trainer, or by itself.

    target: entry of the configuration; trainer: what it names, None for none; name: of the target.
    """
    if trainer is None:
        key, fitted = f"targets.{name}", network.retrained  # or the configuration's check would have said so
    else:
        key, n_classes = f"trainers.{target['trainer']}", int(models.everything[1].max()) + 1
        fit = plugins.bind("trainers", "fit", trainer, n_classes=n_classes, device=models.device)

        def fitted(inputs: np.ndarray, classes: np.ndarray, seed: int) -> torch.nn.Module:
            trained = train(fit, inputs, classes, seed, models.table, models.device)
            network = as_asked(trained, n_classes, models.table, models.device)
            check_answers(network, torch.from_numpy(inputs[:LOOKED_AT]), n_classes)
            return network

    def blamed(*arguments: Any) -> torch.nn.Module:
        with bad_input(key):
            return fitted(*arguments)

    return blamed


def asked_already(path: str, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(labels (n, r), bools (n, r)) of the given model's references, about the same records (n,).

    They are those of its shadows as well: the same training on the same records.
    """
    arrays, _ = artifacts.load(path, "references", {"reference_labels": ("i", 3), "example_ids": ("i", 2)})
    if not np.array_equal(arrays["example_ids"][0], ids):
        raise ValueError(f"{path}: expected references that were asked about the {len(ids)} records of a shadow")
    return arrays["reference_labels"][0], arrays["is_in"][0]


def query_references(
    models: TrainedModels,
    output: str,
    of_target: str | None,
    n_train: int,
    n_references: int,
    target: dict[str, Any],
    trainer: dict[str, Any] | None,
    name: str,
    journal: Journal,
) -> None:
    """Write the labels of a given model, or of its shadow, and of its references.

    of_target: file of the given model's references, which are those of a shadow too, None for the given model itself;
    n_train: on so many records each is trained; target, trainer: entries of the configuration, the latter None where
    the model trains itself; name: of the target.
    """
    (inputs, classes), rows = models.everything, []
    same = number_inputs(inputs)
    for subject in models:
        own = LabelOracle(subject.network, len(subject.ids), budget=1)(subject.inputs, np.arange(len(subject.ids)))
        part = journal.part(f"seed {subject.seed}")
        if of_target is not None:
            labels, is_in = asked_already(of_target, subject.ids)
        else:
            labels, is_in = ask_references(
                like(models, subject.network, target, trainer, name),
                inputs,
                classes,
                same,
                subject.ids,
                n_train,
                n_references,
                subject.seed,
                part,
            )
        of_own, of_others = told(labels, is_in, subject.classes)
        print(f"references are right on {of_own:.4f} of the records that they know, and on {of_others:.4f} of others")
        rows.append(subject.row(labels=own.cpu().numpy(), reference_labels=labels, is_in=is_in))
    models.save(output, "references", rows, {"references": n_references, "n_train": n_train, "unit": ""})


if __name__ == "__main__":
    params = snakemake.params
    name = snakemake.config["studies"][snakemake.wildcards.study]["model"]
    modules = plugins.modules(models=params.model)
    modules += plugins.modules(trainers=params.trainer) if params.trainer else []
    with job(snakemake, *modules) as attempt:
        device = take_device(snakemake)
        if not take_shared(snakemake, attempt, device):
            query_references(
                models=TrainedModels(snakemake.input, params, device, snakemake.threads, terms_of(snakemake)),
                output=snakemake.output[0],
                of_target=snakemake.input.get("of_target") or None,
                n_train=params.n_train,
                n_references=params.n_references,
                target=snakemake.config["targets"][name],
                trainer=params.trainer,
                name=name,
                journal=journal_of(snakemake, attempt, device),
            )
