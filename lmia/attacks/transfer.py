"""Transfer attack (Li and Zhang, CCS 2021): a model that was trained on the target's labels stands for the target."""

from typing import Self

import numpy as np

from lmia.attacks.observations import Relabelled

MISLABELLED = -100.0  # score of a point that the target itself mislabels, as the authors set it


class Attack:
    """Score = minus the cross-entropy of the true class under the relabelled model; -100 where the target is wrong."""

    reads = ("relabelled",)

    def fit(self, shadow: Relabelled, is_member: np.ndarray) -> Self:
        """Nothing to learn."""
        return self

    def score(self, target: Relabelled) -> np.ndarray:
        """Floats (n,), at most 0."""
        return np.where(target.labels == target.classes, -target.losses, MISLABELLED)
