"""Boundary distance (section 4.2 of the paper): members lie further from the decision boundary.

Of distances by gradients it is the white-box bound of figure 2c. Without a shadow, the threshold is a quantile of the
target's distances around random inputs (Li and Zhang, CCS 2021).
"""

from typing import Self

import numpy as np

from lmia.attacks.observations import Distances

THRESHOLDS = ("shadows", "random_inputs")


class Attack:
    """Score = L2 distance to the boundary, 0 where misclassified, inf where censored (no other label was found).

    Args:
        threshold: Where it comes from: "shadows", by their balanced accuracy, or "random_inputs", the target's own
            distances around these, of which nobody need know a member. That is one decision: nothing says how many
            non-members lie beyond it. Besides those for the examples, it costs each target the queries of the searches
            around its random inputs.
        quantile: Of those distances, in (0, 1): the threshold is the smallest of them that this share does not
            exceed.

    Raises ValueError for other values.
    """

    reads = ("distances", "white_box")

    def __init__(self, threshold: str = "shadows", quantile: float = 0.5):
        if threshold not in THRESHOLDS:
            raise ValueError(f"threshold: expected one of {', '.join(THRESHOLDS)}, got {threshold!r}")
        if not 0 < quantile < 1:
            raise ValueError(f"quantile: expected a fraction between 0 and 1, got {quantile}")
        self._needs_shadow, self._quantile = threshold == "shadows", quantile

    def fit(self, shadow: Distances, is_member: np.ndarray) -> Self:
        """Nothing to learn: a threshold of the shadow is chosen by whoever scores."""
        return self

    def threshold_on(self, target: Distances) -> float | None:
        """The quantile of distances around random inputs, None where the shadow's threshold is to be taken.

        NaN, which calls nobody a member, where so many searches around random inputs found no other label.
        Raises ValueError where it needs random inputs and the target was asked about none.
        """
        if self._needs_shadow:
            return None
        if target.random_distance is None or not len(target.random_distance):
            raise ValueError(
                "threshold: random_inputs: expected distances of the target around random inputs, got none; set "
                "random_inputs of its boundary search"
            )
        # A distance that was found and no mean of two, one of which may be infinite.
        found = np.quantile(target.random_distance[:, -1], self._quantile, method="inverted_cdf")
        return float(found) if np.isfinite(found) else float("nan")

    def score(self, target: Distances) -> np.ndarray:
        """Distance around the input itself, floats (n,)."""
        return target.features()[:, 0]
