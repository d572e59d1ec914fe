"""Models of an attacker's own that are trained on labels of a target, and the points that the target labels for it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from torch import nn

from lmia import artifacts
from lmia.models.asked_models import Subject, TrainedModels
from lmia.models.voting import COPIES, SIGMA, as_answered
from lmia.streams import stream


def relabelled_ids(n_available: int, examples: np.ndarray, pool: int, n: int) -> np.ndarray:
    """Points beside all that a pool audits, which each of its models labels for an attacker, ascending.

    They are the same for all models of the pool: its number draws them, and more points include fewer.

    Args:
        n_available: Examples in the data set.
        examples: Ids of those that the pool audits.
        pool: Int >= 0, its number.
        n: Points, int >= 1.

    Returns ids (n,). Raises ValueError where fewer are left.
    """
    others = np.setdiff1d(np.arange(n_available), examples)
    if n > len(others):
        raise ValueError(
            f"relabelled: expected at most {len(others)}, the points beside the {len(examples)} examples of the pool, "
            f"got {n}; lower it, or train on less of the data set"
        )
    return np.sort(stream(pool, "points that targets label").permutation(others)[:n])


class RelabelledModels:
    """Those that were trained on labels of each target of a block.

    Args:
        models: The targets.
        files: Artifacts of the models, L of them with one for each target.
    """

    def __init__(self, models: TrainedModels, files: Sequence[str | Path]):
        self._models, loaded = models, [artifacts.load(file, "model") for file in files]
        self._arrays = [arrays for arrays, _ in loaded]
        self.provenance = {"relabelled": [provenance["sha256"] for _, provenance in loaded]}

    def of(self, subject: Subject) -> Iterator[nn.Module]:
        """Yields the L models of one target, in evaluation mode, one after the other: many would fill a device.

        They answer as the target does, under its defense too.
        """
        row = self._models.seeds.index(subject.seed)
        for arrays in self._arrays:
            numbers = {name: arrays[name][row] for name in (COPIES, SIGMA) if name in arrays}
            network = self._models.network(arrays, subject.seed)
            answering = as_answered(network, numbers, subject.inputs.shape[1:], self._models.box)
            yield answering.to(self._models.device).eval()
