"""Noise robustness (section 4.3 of the paper): the share of a point's noisy copies that keep the true class."""

from typing import Self

import numpy as np

from lmia.attacks.observations import Answers


class Attack:
    """Score = share of correct answers.

    with_input: whether the unmodified input counts as one of them. Crafted queries are judged without it.
    """

    reads = ("labels",)

    def __init__(self, with_input: bool = True):
        self.with_input = with_input

    def fit(self, shadow: Answers, is_member: np.ndarray) -> Self:
        """Nothing to learn: strength and threshold are chosen on the shadow by whoever scores."""
        return self

    def score(self, target: Answers) -> np.ndarray:
        """Share of correct answers, floats (n,)."""
        return target.features()[:, 0 if self.with_input else 1 :].mean(axis=1)
