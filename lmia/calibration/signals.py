"""One number per example and way of asking that calibration can compare between models: near to normal, and finite.

All constants come from the shadows. The forms follow LiRA's (Carlini et al. 2022, section IV), whose signal is the
logit of a confidence; distances are positive and get a logarithm, counts get an empirical logit.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lmia.attacks.observations import Answers, Confidences, Distances, Observations
from lmia.log_odds import HIGHEST

FLOOR = 0.01  # quantile of the shadows' positive distances, half of which stands for the distance of a wrong label


def signals(target: Observations, shadows: Sequence[Observations]) -> tuple[np.ndarray, np.ndarray]:
    """(of the target (N, A), of the shadows (R, N, A)), floats, higher = more robust or more confident.

    Distances give the logarithm of each copy's; labels the logit of how many queries of each magnitude keep the class;
    confidences the log odds phi of the true class. target, shadows: observations of one kind, of the same N examples.
    """
    if isinstance(target, Distances):
        distances = np.stack([observed.features() for observed in shadows])
        limits = _limits(distances)
        return _log_distances(target.features(), *limits), _log_distances(distances, *limits)
    of: Any = _count_logits if isinstance(target, Answers) else _log_odds
    asked, of_shadows = of(target), np.stack([of(observed) for observed in shadows])
    limits = _limits_of_odds(of_shadows)
    return _finite(asked, *limits), _finite(of_shadows, *limits)


def _limits(distances: np.ndarray) -> tuple[float, float]:
    """What stands for a distance of 0, where the label is wrong, and for an infinite one, where none was found."""
    found = distances[np.isfinite(distances) & (distances > 0)]
    if not len(found):  # no shadow has a boundary to compare with, but a wrong label still tells
        return 0.5, 1.0
    return float(np.quantile(found, FLOOR)) / 2, float(found.max())


def _log_distances(distances: np.ndarray, floor: float, highest: float) -> np.ndarray:
    return np.log(np.maximum(np.where(np.isinf(distances), highest, distances), floor))


def _count_logits(observed: Answers) -> np.ndarray:
    """Of each magnitude, the unmodified input counted with it; of the input alone where nothing else was asked."""
    groups = [observed.at(magnitude) for magnitude in observed.settings()] or [observed]
    kept = np.stack([group.features().sum(axis=1) for group in groups], axis=1)
    asked = np.array([group.labels.shape[1] for group in groups])
    return np.log((kept + 0.5) / (asked - kept + 0.5))


def _log_odds(observed: Confidences) -> np.ndarray:
    return observed.log_odds()[:, None]


def _limits_of_odds(odds: np.ndarray) -> tuple[float, float]:
    """What stands for infinite odds, as of a class that cannot be: the outermost others, or their squares were all."""
    found = odds[np.abs(odds) < HIGHEST]
    return (float(found.min()), float(found.max())) if len(found) else (-1.0, 1.0)


def _finite(odds: np.ndarray, lowest: float, highest: float) -> np.ndarray:
    return np.where(odds >= HIGHEST, highest, np.where(odds <= -HIGHEST, lowest, odds))
