"""A model that exists already as one artifact, with how often it is right on the records that are known."""

import os
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Known:
    """Records by which a model is looked at.

    inputs: float32 (n, *shape); classes: ints (n,); table: of the data set, None where it is none; members, nonmembers:
    ids among these; in_question: whether the latter are records of which nobody knows; seed: of all draws.
    """

    inputs: np.ndarray
    classes: np.ndarray
    table: Table | None
    members: np.ndarray
    nonmembers: np.ndarray
    in_question: bool
    seed: int

    @classmethod
    def of(cls, dataset: str, split: str, seed: int) -> "Known":
        """From a data set and a split of it."""
        data, _ = artifacts.load(dataset, "dataset", {"classes": ("i", 1)})
        parts, _ = artifacts.load(split, "split", {"members": ("i", 2), "nonmembers": ("i", 2)})
        in_question = "in_question" in parts
        members = ids_of(parts["members"][0])
        others = parts["in_question"][0] if in_question else ids_of(parts["nonmembers"][0])
        return cls(data["inputs"], data["classes"], Table.from_arrays(data), members, others, in_question, seed)

    @property
    def ids(self) -> np.ndarray:
        return np.sort(np.concatenate([self.members, self.nonmembers]))

    @property
    def n_classes(self) -> int:
        return int(self.classes.max()) + 1

    @property
    def looked_at(self) -> tuple[np.ndarray, str]:
        """The records that a sound model is right about more often than by chance, and which they are."""
        if len(self.members):
            return self.members, "known members"
        return self.nonmembers, "records in question" if self.in_question else "known non-members"


def import_target(
    known: Known,
    path: str | None,
    output: str,
    params: Any,
    terms: dict[str, Any],
    device: torch.device,
    name: str,
    trainer: str | None,
    provenance: dict[str, Any],
) -> None:
    """Write the model that a target of the configuration is.

    path: of its file, None where it has none, or a trainer makes it; terms: of a paid address; name, trainer: of its
    entries, the latter None for none.
    """
    blamed = f"targets.{name}, on inputs of shape {list(known.inputs.shape[1:])}"
    with bad_input(blamed):
        build = plugins.bind("models", "build", params.model | terms, table=known.table, job_device=device)
        network = as_network(build(known.inputs.shape[1:], known.n_classes), known.n_classes, known.table)
        if path is not None:
            plugins.load("targets", params.target["kind"]).load(network, path)
    train_again(network, known, params, device, name, trainer)
    with bad_input(blamed):
        arrays = to_arrays(network, known.seed)
        network = network.eval().to(device)
        otherwise = answered_otherwise(network, known.inputs[known.ids])  # at once: another may be there before long
        ids, _ = known.looked_at
        found = check_answers(network, torch.from_numpy(known.inputs[ids]), known.n_classes)
        of_members, of_others = (
            labels_of(network, torch.from_numpy(known.inputs[of])) if len(of) else torch.zeros(0).long()
            for of in (known.members, known.nonmembers)
        )
        is_enough = len(ids) >= MIN_KNOWN  # of records in question there may be one alone
        if is_enough:
            check_labels(of_members, of_others, known)
    if isinstance(network, OpenedFile):
        arrays["runtime"] = np.array([network.runtime])  # so that answers of another version are others
    if isinstance(network, LabelFunction):
        found = []  # ones at its labels are our own
    if otherwise is not None:
        arrays["answered_otherwise"] = np.array([otherwise])
        print(f"{100 * otherwise:.0f} % of known records are answered otherwise when asked again")
        found += [f"answers {100 * otherwise:.0f} % of inputs otherwise when asked again"] if otherwise else []
    if is_enough:
        found.append(labels_flag(of_members, of_others, torch.from_numpy(known.classes[known.nonmembers])))
    if flagged := join([*found, *differences(known)]):
        arrays["flags"] = np.array([flagged])
    artifacts.save(output, "model", arrays | accuracies(of_members, of_others, known), provenance)


def train_again(
    network: torch.nn.Module, known: Known, params: Any, device: torch.device, name: str, trainer: str | None
) -> None:
    """Train a model on the known members, where the configuration says so: by itself, or by a trainer."""
    draw = int(stream(known.seed, "training of a given model").integers(2**31))
    inputs, classes = known.inputs[known.members], known.classes[known.members]
    if isinstance(network, Estimator) and network.settings is not None:
        with bad_input(f"targets.{name}.settings"):
            network.retrain(inputs, classes, draw, known.inputs[np.concatenate([known.members, known.nonmembers])])
            again, points = network.retrained(inputs, classes, draw), torch.from_numpy(known.inputs)
            if not torch.equal(labels_of(network, points), labels_of(again, points)):
                raise ValueError("training again gives another model each time; set its random_state in the file")
    if trainer is not None:
        with bad_input(f"trainers.{trainer}"):
            fit = plugins.bind("trainers", "fit", params.trainer, n_classes=known.n_classes, device=device)
            fill_from(network, train(fit, inputs, classes, draw, known.table, device))


def check_labels(of_members: torch.Tensor, of_others: torch.Tensor, known: Known) -> None:
    """Raise ValueError where a model's labels (m,) and (k,) are those of one that is fed wrongly."""
    ids, kind = known.looked_at
    labels = (of_members if len(known.members) else of_others).numpy()
    check_above_chance(labels, known.classes[ids], kind)
    check_order(labels, known.classes[ids], None if known.table is None else known.table.classes.tolist(), kind)
    if len(known.members) and not known.in_question:
        pairs = ((of_members, known.members), (of_others, known.nonmembers))
        check_not_exchanged(*(labels.numpy() == known.classes[of] for labels, of in pairs))


def accuracies(of_members: torch.Tensor, of_others: torch.Tensor, known: Known) -> dict[str, np.ndarray]:
    """How many of a model's labels (m,) and (k,) are right, as arrays of its artifact; of members where there are."""
    whose, found = "records in question" if known.in_question else "known records", {}
    parts = (("train_accuracy", of_members, known.members), ("test_accuracy", of_others, known.nonmembers))
    for metric, labels, of in parts if len(known.members) else parts[1:]:
        found[metric] = np.array([np.mean(labels.numpy() == known.classes[of])])
        print(f"{metric} on {len(of)} {whose}: {found[metric][0]:.4f}; is that what you know of the model?")
    return found


def differences(known: Known) -> list[str]:
    """Flags of members and others that can be told apart without the model."""
    if not len(known.members):
        return []
    found, seen = [], known.inputs[known.ids]
    seen = seen if known.table is None else known.table.features(seen)
    auc, low, _ = blind_auc(seen, known.classes[known.ids], np.isin(known.ids, known.members), known.seed)
    if low > 0.5:
        found.append(f"members and non-members differ by themselves (AUC {auc:.3f})")
    if known.table is None:
        return found
    if twins := count_hidden_twins(known.table, known.inputs, known.members, known.nonmembers):
        names = ", ".join(naming_columns(known.table, len(known.inputs)))
        found.append(f"{twins} of {len(known.nonmembers)} non-members equal a member but for {names}")
    return found


def answered_otherwise(network: torch.nn.Module, inputs: np.ndarray) -> float | None:
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
        entry, (seed,) = snakemake.config["targets"][study["model"]], seed_list(params.seeds)
        provenance = {"model": params.model, "target": params.target, "seeds": [seed], "role": "target"}
        provenance |= {part: artifacts.recorded_checksum(inputs[part]) for part in ("dataset", "split")}
        import_target(
            Known.of(inputs.dataset, inputs.split, seed),
            path=os.path.expanduser(entry[params.place]) if params.place and not params.trainer else None,
            output=snakemake.output[0],
            params=params,
            terms=terms_of(snakemake),
            device=device,
            name=study["model"],
            trainer=entry["trainer"] if params.trainer else None,
            provenance=provenance | {"torch": torch.__version__, "device": describe(device)},
        )
