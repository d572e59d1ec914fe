"""Baseline with confidences: the largest one (Salem et al. 2019)."""

from typing import Self

import numpy as np

from lmia.attacks.observations import Confidences


class Attack:
    """Score = confidence in the predicted class."""

    reads = ("confidences",)

    def fit(self, shadow: Confidences, is_member: np.ndarray) -> Self:
        """Nothing to learn."""
        return self

    def score(self, target: Confidences) -> np.ndarray:
        """Largest probability of each row, floats (n,)."""
        return target.probabilities.max(axis=1).astype(float)
