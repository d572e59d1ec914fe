"""A model that exists already as one artifact, with how often it is right on the records that are known."""

import os
from typing import Any

import numpy as np
import torch

from lmia import artifacts, plugins
from lmia.data.hidden_twins import count_hidden_twins, naming_columns
from lmia.devices import describe, prepare
from lmia.evaluation.blind import blind_auc
from lmia.evaluation.flag_texts import join
from lmia.evaluation.right_labels import check_above_chance, check_not_exchanged, check_order
from lmia.label_function import LabelFunction, as_network
from lmia.models.checkpoints import to_arrays
from lmia.models.usability import check_answers, labels_of
from lmia.split_rows import ids_of
from lmia.splits import MIN_KNOWN
from lmia.streams import seed_list, stream
from lmia.table import Table
from lmia.targets.ledger import ASKED_AGAIN
from lmia.targets.opened import OpenedFile
from lmia.targets.sklearn import Estimator
from lmia.targets.torch import fill_from
from lmia.targets.trained import train
from lmia.training.loop import labels_flag
from workflow.harness.errors import bad_input
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import job
from workflow.harness.terms import terms_of


def import_target(
    dataset: str,
    split: str,
    path: str | None,
    output: str,
    params: Any,
    terms: dict[str, Any],
    device: torch.device,
    name: str,
    trainer: str | None,
) -> None:
    data, _ = artifacts.load(dataset, "dataset", {"classes": ("i", 1)})
    parts, _ = artifacts.load(split, "split", {"members": ("i", 2), "nonmembers": ("i", 2)})
    inputs, classes = data["inputs"], data["classes"]
    (seed,) = seed_list(params.seeds)
    members, nonmembers = (ids_of(parts[part][0]) for part in ("members", "nonmembers"))
    whose, others = "known records", "known non-members"
    if "in_question" in parts:  # nobody knows of any record whether it was in training
        nonmembers, whose, others = parts["in_question"][0], "records in question", "records in question"
    shape, n_classes, table = inputs.shape[1:], int(classes.max()) + 1, Table.from_arrays(data)
    with bad_input(f"targets.{name}, on inputs of shape {list(shape)}"):
        build = plugins.bind("models", "build", params.model | terms, table=table, job_device=device)
        network = as_network(build(shape, n_classes), n_classes, table)
        if path is not None:
            plugins.load("targets", params.target["kind"]).load(network, path)
    draw = int(stream(seed, "training of a given model").integers(2**31))
    if isinstance(network, Estimator) and network.settings is not None:
        with bad_input(f"targets.{name}.settings"):
            asked = inputs[np.concatenate([members, nonmembers])]
            network.retrain(inputs[members], classes[members], draw, asked)
            again = network.retrained(inputs[members], classes[members], draw)
            points = torch.from_numpy(inputs)
            if not torch.equal(labels_of(network, points), labels_of(again, points)):
                raise ValueError("training again gives another model each time; set its random_state in the file")
    if trainer is not None:
        with bad_input(f"trainers.{trainer}"):
            fit = plugins.bind("trainers", "fit", params.trainer, n_classes=n_classes, device=device)
            fill_from(network, train(fit, inputs[members], classes[members], draw, table, device))
    with bad_input(f"targets.{name}, on inputs of shape {list(shape)}"):
        arrays = to_arrays(network, seed)
        network = network.eval().to(device)
        ids = np.sort(np.concatenate([members, nonmembers]))
        otherwise = _answered_otherwise(network, inputs[ids])  # at once, as another model may be there before long
        kind, looked_at = ("known members", members) if len(members) else (others, nonmembers)
        found = check_answers(network, torch.from_numpy(inputs[looked_at]), n_classes)
        of_members, of_others = (
            labels_of(network, torch.from_numpy(inputs[ids])) if len(ids) else torch.zeros(0).long()
            for ids in (members, nonmembers)
        )
        is_enough = len(looked_at) >= MIN_KNOWN  # of records in question there may be one alone
        if is_enough:
            of_known = (of_members if len(members) else of_others).numpy()
            check_above_chance(of_known, classes[looked_at], kind)
            check_order(of_known, classes[looked_at], None if table is None else table.classes.tolist(), kind)
        if len(members) and "in_question" not in parts:
            right = [labels.numpy() == classes[of] for labels, of in ((of_members, members), (of_others, nonmembers))]
            check_not_exchanged(*right)
    if isinstance(network, OpenedFile):
        arrays["runtime"] = np.array([network.runtime])  # so that answers of another version are others
    if isinstance(network, LabelFunction):
        found = []  # ones at its labels are our own
    if otherwise is not None:
        arrays["answered_otherwise"] = np.array([otherwise])
        print(f"{100 * otherwise:.0f} % of known records are answered otherwise when asked again")
        found += [f"answers {100 * otherwise:.0f} % of inputs otherwise when asked again"] if otherwise else []
    found += [labels_flag(of_members, of_others, torch.from_numpy(classes[nonmembers]))] if is_enough else []
    parts = (("train_accuracy", of_members, members), ("test_accuracy", of_others, nonmembers))
    for metric, labels, of in parts if len(members) else parts[1:]:
        arrays[metric] = np.array([np.mean(labels.numpy() == classes[of])])
        print(f"{metric} on {len(of)} {whose}: {arrays[metric][0]:.4f}; is that what you know of the model?")
    if len(members):
        seen = inputs[ids] if table is None else table.features(inputs[ids])
        auc, low, _ = blind_auc(seen, classes[ids], np.isin(ids, members), seed)
        if low > 0.5:
            found.append(f"members and non-members differ by themselves (AUC {auc:.3f})")
        if table is not None and (twins := count_hidden_twins(table, inputs, members, nonmembers)):
            names = ", ".join(naming_columns(table, len(inputs)))
            found.append(f"{twins} of {len(nonmembers)} non-members equal a member but for {names}")
    if flagged := join(found):
        arrays["flags"] = np.array([flagged])
    provenance = {"model": params.model, "target": params.target, "seeds": [seed], "role": "target"}
    provenance |= {"dataset": artifacts.recorded_checksum(dataset), "split": artifacts.recorded_checksum(split)}
    artifacts.save(output, "model", arrays, provenance | {"torch": torch.__version__, "device": describe(device)})


def _answered_otherwise(network: torch.nn.Module, inputs: np.ndarray) -> float | None:
    """Share of some inputs (n, *shape) that get another label when asked again; None where `check_answers` saw that."""
    if not isinstance(network, LabelFunction) or not network.keeps_answers:
        return None
    chosen = inputs[np.unique(np.linspace(0, len(inputs) - 1, ASKED_AGAIN).round().astype(int))]
    points = torch.from_numpy(chosen)
    return float((network.again(points) != labels_of(network, points)).double().mean())


if __name__ == "__main__":
    inputs, params = snakemake.input, snakemake.params
    study = snakemake.config["studies"][snakemake.wildcards.study]
    modules = plugins.modules(models=params.model, targets=params.target)
    modules += plugins.modules(trainers=params.trainer) if params.trainer else []
    with job(snakemake, *modules):
        device = take_device(snakemake)
        prepare(device, snakemake.threads)
        entry = snakemake.config["targets"][study["model"]]
        import_target(
            dataset=inputs.dataset,
            split=inputs.split,
            path=os.path.expanduser(entry[params.place]) if params.place and not params.trainer else None,
            output=snakemake.output[0],
            params=params,
            terms=terms_of(snakemake),
            device=device,
            name=study["model"],
            trainer=entry["trainer"] if params.trainer else None,
        )
