"""Train the model of one role and seed: what it is trained on, and what is kept of it beside its weights."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from lmia.asked_points import reference_ids
from lmia.defenses.base import Defense
from lmia.journal import Journal
from lmia.streams import stream
from lmia.training.loop import model_flag, predict, share, train
from lmia.training.options import TrainingOptions


def train_role(
    build: Callable[[tuple[int, ...], int], nn.Module],
    data: dict[str, np.ndarray],
    members: np.ndarray,
    nonmembers: np.ndarray,
    seed: int,
    role: str,
    defense: Defense,
    options: TrainingOptions,
    source: dict[str, np.ndarray],
    device: torch.device,
    journal: Journal | None = None,
) -> tuple[nn.Module, dict]:
    """Fit a new model on the members of a role.

    Args:
        build: (shape, n_classes) -> module.
        data: "inputs" (n, *shape) float32, and "classes" (n,).
        members, nonmembers: ids, what it is trained and what it is compared on.
        seed: of all that is drawn.
        role: "target", or "shadow0" and so on.
        defense: a new one, for this model alone.
        options: of the training.
        source: weights of another study's model, by their names, which the defense may start from; {} for none.
        device: where it is trained.
        journal: of this model, see `train`.

    Returns (model in evaluation mode, its record): train_accuracy, test_accuracy, epochs, what the defense reports, and
    flag, "" where nothing speaks against it.
    """

    def points(ids: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.from_numpy(data["inputs"][ids]).to(device), torch.from_numpy(data["classes"][ids]).to(device)

    def reference():
        draw = stream(seed, f"reference points of {role}")
        return points(reference_ids(len(data["classes"]), members, nonmembers, draw))

    (inputs, classes), (others, other_classes) = points(members), points(nonmembers)
    defense.supply(reference=reference, source=lambda: source)
    start = int(stream(seed, f"training of {role}").integers(2**31))
    network, losses = train(build, inputs, classes, int(data["classes"].max()) + 1, start, defense, options, journal)
    predicted, tested = predict(network, inputs), predict(network, others)
    record = {"train_accuracy": share(predicted, classes), "test_accuracy": share(tested, other_classes)}
    record |= {"epochs": len(losses)} | defense.report()
    return network, record | {"flag": model_flag(losses, predicted, tested, other_classes)}
