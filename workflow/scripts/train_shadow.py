"""A shadow of a given model: trained like it, on a random half of the records that the given one is judged by."""

import os
from typing import Any

import numpy as np
import torch

from lmia import artifacts, plugins
from lmia.devices import describe, prepare
from lmia.evaluation.flag_texts import join
from lmia.label_function import as_network
from lmia.models.checkpoints import to_arrays
from lmia.models.usability import check_answers, labels_of
from lmia.split_rows import ids_of
from lmia.splits import role_parts
from lmia.streams import seed_list, stream
from lmia.table import Table
from lmia.targets.opened import OpenedFile
from lmia.targets.torch import fill_from
from lmia.targets.trained import TrainedAgain, train
from lmia.training.loop import labels_flag
from workflow.harness.errors import bad_input
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import job
from workflow.harness.shared_cache import take_shared

PARTS = ("members", "nonmembers", "others")


def train_shadow(
    dataset: str, split: str, path: str | None, output: str, params: Any, device: torch.device, key: str
) -> None:
    """path: of a file that tells how to train, None where the trainer does; key: of the configuration, to blame."""
    data, _ = artifacts.load(dataset, "dataset", {"classes": ("i", 1)})
    parts, _ = artifacts.load(split, "split", {part: ("i", 2) for part in PARTS})
    inputs, classes = data["inputs"], data["classes"]
    members, nonmembers, others = (ids_of(parts[part][0]) for part in PARTS)
    (seed,), ids = seed_list(params.seeds), np.sort(np.concatenate([members, others]))
    draw = int(stream(seed, "training of a shadow", role_parts(params.role)[1]).integers(2**31))
    n_classes, table = int(classes.max()) + 1, Table.from_arrays(data)
    with bad_input(key):
        build = plugins.bind("models", "build", params.model, table=table, job_device=device)
        network: Any = as_network(build(inputs.shape[1:], n_classes), n_classes, table)
        if path is not None:
            plugins.load("targets", params.model["kind"]).load(network, path)
        if isinstance(network, TrainedAgain):
            network.retrain(inputs[ids], classes[ids], draw, asked=inputs[np.concatenate([members, nonmembers])])
        else:
            fit = plugins.bind("trainers", "fit", params.trainer, n_classes=n_classes, device=device)
            fill_from(network, train(fit, inputs[ids], classes[ids], draw, table, device))
        arrays = to_arrays(network, seed)
        network = network.eval().to(device)
        check_answers(network, torch.from_numpy(inputs[members]), n_classes)
    if isinstance(network, OpenedFile):
        arrays["runtime"] = np.array([network.runtime])  # so that answers of another version are others
    own, of_others = (labels_of(network, torch.from_numpy(inputs[of])) for of in (members, nonmembers))
    for metric, labels, of in (("train_accuracy", own, members), ("test_accuracy", of_others, nonmembers)):
        arrays[metric] = np.array([np.mean(labels.numpy() == classes[of])])
        print(f"{metric} on {len(of)} records, of {len(ids)} that it is trained on in all: {arrays[metric][0]:.4f}")
    if flagged := join([labels_flag(own, of_others, torch.from_numpy(classes[nonmembers]))]):
        arrays["flags"] = np.array([flagged])
    provenance = {"model": params.model, "trainer": params.trainer, "seeds": [seed], "role": params.role}
    provenance |= {"dataset": artifacts.recorded_checksum(dataset), "split": artifacts.recorded_checksum(split)}
    artifacts.save(output, "model", arrays, provenance | {"torch": torch.__version__, "device": describe(device)})


if __name__ == "__main__":
    inputs, params = snakemake.input, snakemake.params
    name = snakemake.config["studies"][snakemake.wildcards.study]["model"]
    target = snakemake.config["targets"][name]
    modules = plugins.modules(models=params.model)
    modules += plugins.modules(trainers=params.trainer) if params.trainer else []
    with job(snakemake, *modules) as attempt:
        device = take_device(snakemake)  # before long work
        if not take_shared(snakemake, attempt, device):
            prepare(device, snakemake.threads)
            train_shadow(
                dataset=inputs.dataset,
                split=inputs.split,
                path=os.path.expanduser(target[params.place]) if params.place else None,
                output=snakemake.output[0],
                params=params,
                device=device,
                key=f"trainers.{target['trainer']}" if params.trainer else f"targets.{name}",
            )
