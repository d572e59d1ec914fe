"""Train the models of one role: what they are trained on, and what is kept of them beside their weights."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from lmia.box import Box
from lmia.canaries import given_inputs
from lmia.defenses.base import Defense
from lmia.journal import Journal
from lmia.models.checkpoints import to_arrays
from lmia.models.voting import as_answered
from lmia.split_rows import ids_of, told_classes
from lmia.streams import stream
from lmia.training.loop import model_flag, predict, share, train
from lmia.training.options import TrainingOptions


def train_block(
    build: Callable[[tuple[int, ...], int], nn.Module],
    data: dict[str, np.ndarray],
    split: Mapping[str, np.ndarray],
    seeds: Sequence[int],
    role: str,
    new_defense: Callable[[], Defense],
    options: TrainingOptions,
    source: dict[str, np.ndarray],
    device: torch.device,
    journal: Journal,
) -> dict[str, np.ndarray]:
    """Fit the models of a role, one for each seed of a block: arrays of an artifact of models.

    Args:
        build: See `train_role`.
        data: See `train_role`.
        split: "members" (s, n) and "nonmembers" (s, m), ids for each seed, see `lmia.splits.draw_block`; perhaps
            "canaries" (k,) and what goes with them, see `lmia.canaries.draw_canaries`, and "labels" (s, n), which
            members have in the place of their classes.
        seeds: of the block, s of them.
        role: See `train_role`.
        new_defense: () -> the defense of one model.
        options: See `train_role`.
        source: See `train_role`.
        device: See `train_role`.
        journal: of the block, with a part for each seed.

    Returns the weights, see `checkpoints.to_arrays`, and of each number of the records an array (s,); and flags (s,)
    where something speaks against any of the models.
    """
    n_classes = int(data["classes"].max()) + 1  # a target may say fewer
    arrays, records = {}, []
    for row, seed in enumerate(tqdm(seeds, desc="models")):
        network, record = train_role(
            build,
            data | {"classes": told_classes(data["classes"], split, row)},
            n_classes,
            ids_of(split["members"][row]),
            ids_of(split["nonmembers"][row]),
            seed,
            role,
            new_defense(),
            options,
            source,
            device,
            journal.part(f"seed {seed}"),
            split,
        )
        arrays |= to_arrays(network, seed)
        records.append(record)
    flags = [record.pop("flag") for record in records]
    arrays |= {name: np.array([record[name] for record in records]) for name in records[0]}
    return arrays | ({"flags": np.array(flags)} if any(flags) else {})


def train_role(
    build: Callable[[tuple[int, ...], int], nn.Module],
    data: dict[str, np.ndarray],
    n_classes: int,
    members: np.ndarray,
    nonmembers: np.ndarray,
    seed: int,
    role: str,
    defense: Defense,
    options: TrainingOptions,
    source: dict[str, np.ndarray],
    device: torch.device,
    journal: Journal | None = None,
    split: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> tuple[nn.Module, dict]:
    """Fit a new model on the members of a role.

    Args:
        build: (shape, n_classes) -> module.
        data: "inputs" (n, *shape) float32, and "classes" (n,).
        n_classes: how many there are.
        members, nonmembers: ids, what it is trained and what it is compared on.
        seed: of all that is drawn.
        role: "target", or "shadow0" and so on.
        defense: a new one, for this model alone.
        options: of the training.
        source: weights of another study's model, by their names, which the defense may start from; {} for none.
        device: where it is trained.
        journal: of this model, see `train`.
        split: with "canaries" where there are some, see `train_block`, which accuracies and flags leave out.

    Returns (model in evaluation mode, its record): train_accuracy, test_accuracy, epochs, what the defense reports, and
    flag, "" where nothing speaks against it.
    """

    def points(ids: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        inputs = given_inputs(data["inputs"], ids, split)
        return torch.from_numpy(inputs).to(device), torch.from_numpy(data["classes"][ids]).to(device)

    def reference():
        draw = stream(seed, f"reference points of {role}")
        return points(reference_ids(len(data["classes"]), members, nonmembers, draw))

    inputs, classes = points(members)
    defense.supply(reference=reference, source=lambda: source)
    start = int(stream(seed, f"training of {role}").integers(2**31))
    network, losses = train(build, inputs, classes, n_classes, start, defense, options, journal)
    shape, box = tuple(inputs.shape[1:]), Box.from_arrays(data)
    canaries = split.get("canaries", np.array([], int))
    answers = as_answered(network, reported := defense.report(), shape, box).to(device)
    (own, own_classes), (others, other_classes) = (points(np.setdiff1d(ids, canaries)) for ids in (members, nonmembers))
    predicted, tested = predict(answers, own), predict(answers, others)
    record = {"train_accuracy": share(predicted, own_classes), "test_accuracy": share(tested, other_classes)}
    record |= {"epochs": len(losses)} | reported
    return network, record | {"flag": model_flag(losses, predicted, tested, other_classes)}


def reference_ids(
    n_available: int, members: np.ndarray, nonmembers: np.ndarray, draw: np.random.Generator
) -> np.ndarray:
    """As many points as members, or as are left, of those that are neither, ascending; some defenses learn from them.

    Returns ids (k,). Raises ValueError where none is left.
    """
    others = np.setdiff1d(np.arange(n_available), np.concatenate([members, nonmembers]))
    if not len(others):
        raise ValueError("the defense needs points beside members and non-members, and the data set has none left")
    return np.sort(draw.permutation(others)[: len(members)])
