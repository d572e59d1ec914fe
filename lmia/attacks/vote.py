"""Noise robustness (section 4.3 of the paper): the share of a point's noisy copies that keep the true class."""

from typing import Self

import numpy as np

from lmia.attacks.observations import Answers


class Attack:
    """Score = share of correct answers, the unmodified input counted as one of them."""

    reads = ("labels",)

    def fit(self, shadow: Answers, is_member: np.ndarray) -> Self:
        """Nothing to learn: strength and threshold are chosen on the shadow by whoever scores."""
        return self

    def score(self, target: Answers) -> np.ndarray:
        """Share of correct answers, floats (n,)."""
        return target.features().mean(axis=1)
