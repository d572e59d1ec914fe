"""Difficulty calibration (after Watson et al. 2022) for labels: right, where models without the example are not."""

from typing import Self

import numpy as np

from lmia.attacks.observations import Compared


class Attack:
    """Score = whether the model is right, less the share of references without the example that are.

    A record that models label rightly anyway says nothing; one that only its own model labels rightly was learned.
    """

    reads = ("references",)

    def fit(self, shadow: Compared, is_member: np.ndarray) -> Self:
        """Nothing to learn."""
        return self

    def score(self, target: Compared) -> np.ndarray:
        """Floats (n,) from -1 to 1."""
        right, expected = target.features().T
        return right - expected
