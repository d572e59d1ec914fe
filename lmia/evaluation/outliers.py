"""Outliers (section 7 of the paper): points with few neighbours among the features of a model that the attacker has."""

from pathlib import Path

import numpy as np

from lmia import artifacts


def find_outliers(distances: np.ndarray, fraction: float) -> tuple[np.ndarray, float]:
    """(bool (n,), delta): the points with fewer than k others within cosine distance delta.

    distances: to the k-th nearest, (n,); fraction: of the points that shall be outliers, in (0, 1); as k is given,
    delta follows. At least one point is wanted; points that tie with the first that is none are none.
    """
    n_outliers = max(1, round(fraction * len(distances)))
    delta = float(np.sort(distances)[-n_outliers - 1]) if n_outliers < len(distances) else -1.0
    return distances > delta, delta


def load_outliers(path: str | Path, example_ids: np.ndarray) -> np.ndarray:
    """Which of the points are outliers, bools (s, n), one row per seed.

    path: of an artifact of outliers; example_ids: ints (s, n). Raises ValueError where it is of other points.
    """
    found, _ = artifacts.load(path, "outliers", {"is_outlier": ("b", 2), "example_ids": ("i", 2)})
    if not np.array_equal(example_ids, found["example_ids"]):
        raise ValueError(f"{path}: is of other points than the scores; remove it and run again")
    return found["is_outlier"]
