"""Difficulty calibration (Watson et al. 2022): how far a signal lies above that of models without the example."""

from collections.abc import Sequence

import numpy as np

from lmia.attacks.observations import Observations
from lmia.calibration.signals import signals


class Calibration:
    """Score = signal of the target less its mean over shadows that were not trained on the example.

    Args:
        between: whether it is less the middle of the means with and without the example, which needs shadows that were
            trained on it.
    """

    reads = ("labels", "distances", "white_box", "confidences")

    def __init__(self, between: bool = False):
        self.between = between

    def score(self, target: Observations, shadows: Sequence[Observations], is_member: np.ndarray) -> np.ndarray:
        """Floats (N,), the mean over the ways in which the model was asked.

        target, shadows: observations of the same N examples; is_member: bools (R, N), who was trained on what.
        """
        of_target, of_shadows = signals(target, shadows)
        expected = _mean(of_shadows, ~is_member)
        if self.between:
            expected = (expected + _mean(of_shadows, is_member)) / 2
        return (of_target - expected).mean(axis=1)


def _mean(signal: np.ndarray, is_in: np.ndarray) -> np.ndarray:
    """Of signals (R, N, A) over the shadows of bools (R, N); (N, A)."""
    weight = is_in[:, :, None].astype(float)
    return (weight * signal).sum(axis=0) / np.maximum(weight.sum(axis=0), 1)
