"""DHAttack (Li et al., USENIX Security 2025): the distance in one direction beside those of relabelled models.

All of these models are trained on labels of the target, on the same points, none of which is audited. They say how far
from a wrong label a point lies for models that have not seen it; a target for which it lies further has seen it.
"""

from typing import Self

import numpy as np
from scipy import special

from lmia.attacks.observations import Distances
from lmia.calibration.lira import VARIANCES, Normal

HALF = 0.5  # a level, which a misclassified point is before the first one


class Attack:
    """Score = how many standard deviations the target's distance lies above that of its relabelled models.

    Distances are numbers of levels d, of which log(d + 1/2) is compared. Standard deviations do not go to 0 where all
    models agree, as those of an example alone would: see `variance`.

    Args:
        variance: Of an example's distance: "each", its own, but not below a thousandth of that of all; "fixed", that of
            all examples; "shrunk", a mean of the two; "student", as shrunk.
        published: Score as the authors' code does: psi(d) in the place of the logarithm, the standard deviation of each
            example's own models plus 1e-30, and the normal distribution function of the number of them, less 1. Where
            the models agree, that is 0 or -1 for whatever is another number, and psi hardly tells distances from 19
            levels on apart: many points share the highest score.

    Raises ValueError for another variance.
    """

    reads = ("distances",)

    def __init__(self, variance: str = "shrunk", published: bool = False):
        if variance not in VARIANCES:
            raise ValueError(f"variance: expected one of {', '.join(VARIANCES)}, got {variance}")
        self.variance, self.published = variance, published

    def fit(self, shadow: Distances, is_member: np.ndarray) -> Self:
        """Nothing to learn."""
        return self

    def score(self, target: Distances) -> np.ndarray:
        """Floats (n,), finite. Raises ValueError where the target was asked without relabelled models."""
        if target.relabelled_levels is None or target.relabelled_levels.shape[1] < 3:
            raise ValueError(
                "relabelled: expected distances by two relabelled models or more beside those of the target; set "
                "relabelled of the query set, of kind directions"
            )
        levels = target.relabelled_levels[:, :, -1]
        own, others = levels[:, 0], levels[:, 1:]
        if self.published:
            return special.ndtr(deviations(psi(own), psi(others))) - 1
        signals = np.log(others.T[:, :, None] + HALF)  # (L, n, 1)
        expected = Normal(signals, np.ones(signals.shape[:2], bool), self.variance)
        return expected.standardized(np.log(own[:, None] + HALF))[:, 0]


def psi(levels: np.ndarray) -> np.ndarray:
    """The authors' map of distances d >= 0 in levels, floats of their shape: log p / (1 - p), p = exp(-exp(-d) - 1e-8).

    1 - p is computed without loss of digits, and what follows in float32, as theirs.
    """
    exponent = np.exp(-np.asarray(levels, float)) + 1e-8
    return (-exponent - np.log(-np.expm1(-exponent))).astype(np.float32)


def deviations(own: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How far numbers (n,) lie above the mean of others (n, L), in the standard deviations of these plus 1e-30."""
    own, others = np.asarray(own, float), np.asarray(others, float)
    return (own - others.mean(axis=1)) / (others.std(axis=1) + 1e-30)
