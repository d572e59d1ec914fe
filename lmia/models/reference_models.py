"""Models of the attacker's own beside those that are asked, and which of them have not seen an example."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import nn

from lmia import artifacts
from lmia.models.asked_models import Subject, TrainedModels
from lmia.split_rows import ids_of


class ReferenceModels:
    """Shadows that stand beside the models of one role, the target or another shadow.

    Args:
        models: Those that are asked.
        files: Artifacts of the references' models, in the order in which they are taken.
        splits: Those of their splits.
        most: How many of them serve for one example at most, int >= 1.
    """

    def __init__(self, models: TrainedModels, files: Sequence[str | Path], splits: Sequence[str | Path], most: int):
        self._models, self._most = models, most
        self._arrays = [artifacts.load(file, "model")[0] for file in files]
        self._members = [artifacts.load(file, "split", {"members": ("i", 2)})[0]["members"] for file in splits]

    def without(self, subject: Subject) -> list[tuple[np.ndarray, list[nn.Module]]]:
        """(rows (m,), networks): for each of a subject's points the first references that were not trained on it.

        Points that all of them were trained on are in no row.
        """
        row = self._models.seeds.index(subject.seed)
        is_out = np.stack([~np.isin(subject.ids, ids_of(members[row])) for members in self._members], axis=1)
        chosen = is_out & (is_out.cumsum(axis=1) <= self._most)
        networks = [self._models.network(arrays, subject.seed) for arrays in self._arrays]
        groups, group = np.unique(chosen, axis=0, return_inverse=True)
        return [
            (np.flatnonzero(group.ravel() == number), [networks[i] for i in np.flatnonzero(used)])
            for number, used in enumerate(groups)
            if used.any()
        ]
