"""Outliers (section 7 of the paper): points with few neighbours among the features of a model that the attacker has."""

import numpy as np


def find_outliers(distances: np.ndarray, fraction: float) -> tuple[np.ndarray, float]:
    """(bool (n,), delta): the points with fewer than k others within cosine distance delta.

    distances: to the k-th nearest, (n,); fraction: of the points that shall be outliers, in (0, 1); as k is given,
    delta follows. At least one point is wanted; points that tie with the first that is none are none.
    """
    n_outliers = max(1, round(fraction * len(distances)))
    delta = float(np.sort(distances)[-n_outliers - 1]) if n_outliers < len(distances) else -1.0
    return distances > delta, delta
