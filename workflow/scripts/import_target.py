"""A model that exists already as one artifact, with how often it is right on the records that are known."""

import os
from typing import Any

import numpy as np
import torch

from lmia import artifacts, plugins
from lmia.devices import describe, prepare
from lmia.evaluation.blind import blind_auc
from lmia.evaluation.right_labels import check_above_chance
from lmia.label_function import as_network
from lmia.models.checkpoints import to_arrays
from lmia.models.usability import check_answers
from lmia.split_rows import ids_of
from lmia.streams import seed_list
from lmia.training.loop import predict
from workflow.harness.errors import bad_input
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import job


def import_target(
    dataset: str, split: str, path: str | None, output: str, params: Any, device: torch.device, name: str
) -> None:
    data, _ = artifacts.load(dataset, "dataset", {"classes": ("i", 1)})
    parts, _ = artifacts.load(split, "split", {"members": ("i", 2), "nonmembers": ("i", 2)})
    inputs, classes = data["inputs"], data["classes"]
    (seed,) = seed_list(params.seeds)
    members, nonmembers = (ids_of(parts[part][0]) for part in ("members", "nonmembers"))
    shape, n_classes = inputs.shape[1:], int(classes.max()) + 1
    with bad_input(f"targets.{name}, on inputs of shape {list(shape)}"):
        network = as_network(plugins.bind("models", "build", params.model)(shape, n_classes), n_classes)
        if path is not None:
            plugins.load("targets", params.target["kind"]).load(network, path)
        arrays = to_arrays(network, seed)
        network = network.eval().to(device)
        check_answers(network, torch.from_numpy(inputs[members]).to(device), n_classes)
        of_members, of_others = (
            predict(network, torch.from_numpy(inputs[ids]).to(device)).cpu().numpy() for ids in (members, nonmembers)
        )
        check_above_chance(of_members, classes[members])
    arrays["train_accuracy"] = np.array([np.mean(of_members == classes[members])])
    arrays["test_accuracy"] = np.array([np.mean(of_others == classes[nonmembers])])
    ids = np.sort(np.concatenate([members, nonmembers]))
    auc, low, _ = blind_auc(inputs[ids], classes[ids], np.isin(ids, members), seed)
    if low > 0.5:
        arrays["flags"] = np.array([f"members and non-members differ by themselves (AUC {auc:.3f})"])
    provenance = {"model": params.model, "target": params.target, "seeds": [seed], "role": "target"}
    provenance |= {"dataset": artifacts.recorded_checksum(dataset), "split": artifacts.recorded_checksum(split)}
    artifacts.save(output, "model", arrays, provenance | {"torch": torch.__version__, "device": describe(device)})


if __name__ == "__main__":
    inputs, params = snakemake.input, snakemake.params
    study = snakemake.config["studies"][snakemake.wildcards.study]
    with job(snakemake, *plugins.modules(models=params.model, targets=params.target)):
        device = take_device(snakemake)
        prepare(device, snakemake.threads)
        entry = snakemake.config["targets"][study["model"]]
        import_target(
            dataset=inputs.dataset,
            split=inputs.split,
            path=os.path.expanduser(entry[params.place]) if params.place else None,
            output=snakemake.output[0],
            params=params,
            device=device,
            name=study["model"],
        )
