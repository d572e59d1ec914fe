"""Baseline with confidences: the one in the true class (Yeom et al. 2018)."""

import numpy as np


class Attack:
    """Score = confidence in the true class."""

    reads = ("confidences",)

    def fit(self, shadow, is_member):
        """Nothing to learn."""
        return self

    def score(self, target):
        """Probability of the true class, floats (n,)."""
        return target.probabilities[np.arange(len(target.classes)), target.classes].astype(float)
