"""Boundary distance (section 4.2 of the paper): members lie further from the decision boundary.

Of distances by gradients it is the white-box bound of figure 2c.
"""

from typing import Self

import numpy as np

from lmia.attacks.observations import Distances


class Attack:
    """Score = L2 distance to the boundary, 0 where misclassified, inf where censored (no other label was found)."""

    reads = ("distances", "white_box")

    def fit(self, shadow: Distances, is_member: np.ndarray) -> Self:
        """Nothing to learn: the threshold is chosen on the shadow by whoever scores."""
        return self

    def score(self, target: Distances) -> np.ndarray:
        """Distance around the input itself, floats (n,)."""
        return target.features()[:, 0]
