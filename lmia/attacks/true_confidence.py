"""Baseline with confidences: the one in the true class (Yeom et al. 2018)."""

from typing import Self

import numpy as np

from lmia.attacks.observations import Confidences


class Attack:
    """Score = confidence in the true class."""

    reads = ("confidences",)

    def fit(self, shadow: Confidences, is_member: np.ndarray) -> Self:
        """Nothing to learn."""
        return self

    def score(self, target: Confidences) -> np.ndarray:
        """Probability of the true class, floats (n,)."""
        return target.probabilities[np.arange(len(target.classes)), target.classes].astype(float)
