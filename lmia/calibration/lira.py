"""Likelihood-ratio calibration of any signal: LiRA (Carlini et al. 2022, algorithm 1) without confidences.

For each example, the target's signal is compared with those of shadows that were trained on it and of shadows that
were not. Few shadows give a poor variance: it is shrunk towards that of all examples together, or spread by Student's
t (normal-inverse-gamma predictive, Murphy 2007, section 6).
"""

from collections.abc import Sequence

import numpy as np
from scipy import special

from lmia.attacks.observations import Observations
from lmia.calibration.signals import signals

VARIANCES = ("each", "fixed", "shrunk", "student")
WEIGHT = 8.0  # observations that the variance over all examples counts as, beside an example's own
LEAST = 1e-3  # share of the variance over all examples that an example's own does not go below
TINY = 1e-12  # variance where no signal varies at all


class Calibration:
    """Score = log-likelihood ratio, or how far the signal lies above that of non-members.

    Args:
        online: whether shadows trained on the example are used too; without, the score is the distance from the mean of
            those that were not, in their standard deviations.
        variance: "each": of each example's own shadows; "fixed": of all examples together; "shrunk": a mean of the two;
            "student": as shrunk, with the heavier tails of few shadows.
    """

    reads = ("labels", "distances", "white_box", "confidences")

    def __init__(self, online: bool = True, variance: str = "shrunk"):
        if variance not in VARIANCES:
            raise ValueError(f"variance: expected one of {', '.join(VARIANCES)}, got {variance}")
        self.online, self.variance = online, variance

    def score(self, target: Observations, shadows: Sequence[Observations], is_member: np.ndarray) -> np.ndarray:
        """Floats (N,), the mean over the ways in which the model was asked.

        target, shadows: observations of the same N examples; is_member: bools (R, N), who was trained on what.
        """
        of_target, of_shadows = signals(target, shadows)
        outside = Normal(of_shadows, ~is_member, self.variance)
        if not self.online:
            return outside.standardized(of_target).mean(axis=1)
        inside = Normal(of_shadows, is_member, self.variance)
        return (inside.log_density(of_target) - outside.log_density(of_target)).mean(axis=1)


class Normal:
    """The distribution of each example's signal over some of the shadows.

    Args:
        signal: floats (R, N, A).
        is_in: bools (R, N), the shadows that count for each example; of whole pairs, as many for each.
        variance: see `Calibration`.

    Raises ValueError where no example has two such shadows, of which a variance could be told.
    """

    def __init__(self, signal: np.ndarray, is_in: np.ndarray, variance: str):
        if is_in.sum(axis=0).max() < 2:
            raise ValueError(
                "shadows: expected two with each example and two without, for a variance; give each target at least 4, "
                "or take a rule that needs none, as difference"
            )
        weight = is_in[:, :, None].astype(float)
        n = np.maximum(weight.sum(axis=0), 1)  # (N, 1)
        self.mean = (weight * signal).sum(axis=0) / n
        squares = (weight * (signal - self.mean) ** 2).sum(axis=0)
        common = np.maximum(squares.sum(axis=0) / max(float((n - 1).sum()), 1.0), TINY)  # (A,)
        self.is_student = variance == "student"
        if variance == "each":
            self.variance = np.maximum(squares / np.maximum(n - 1, 1), LEAST * common)
        elif variance == "fixed":
            self.variance = np.broadcast_to(common, squares.shape)
        elif variance == "shrunk":
            self.variance = (WEIGHT * common + squares) / (WEIGHT + n - 1)
        else:
            self.freedom = WEIGHT + n
            self.variance = (WEIGHT * common + squares) / self.freedom * (n + 1) / n

    def standardized(self, signal: np.ndarray) -> np.ndarray:
        """How far signals (N, A) lie above the mean, in standard deviations."""
        return (signal - self.mean) / np.sqrt(self.variance)

    def log_density(self, signal: np.ndarray) -> np.ndarray:
        """Of signals (N, A), natural logarithm."""
        squared = self.standardized(signal) ** 2
        if not self.is_student:
            return -(squared + np.log(2 * np.pi * self.variance)) / 2
        half = (self.freedom + 1) / 2
        norm = special.gammaln(half) - special.gammaln(self.freedom / 2)
        return norm - np.log(self.freedom * np.pi * self.variance) / 2 - half * np.log1p(squared / self.freedom)
