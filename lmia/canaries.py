"""Canaries of a pool: examples with a wrong label, which only a model that was trained on them knows."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lmia import artifacts
from lmia.asked_points import in_order_of_evaluation
from lmia.streams import stream


def draw_canaries(examples: np.ndarray, classes: np.ndarray, n: int, pool: int) -> dict[str, np.ndarray]:
    """Canaries among the examples of a pool (Aerni et al. 2024).

    Each has a class that is drawn uniformly from all but its own. They are the first examples that are evaluated, so
    all models are asked about them. Whether a model is trained on one is decided by the coins of the pool, as of any
    example.

    Args:
        examples: Ids (N,) of the pool, ascending.
        classes: Ints (n_available,), of the whole data set, from 0.
        n: How many, at most N.
        pool: Int >= 0, its number.

    Returns arrays of an artifact of splits: canaries (n,), ids, and canary_classes (n,), ints.
    """
    ids = np.sort(in_order_of_evaluation(examples, pool)[:n])
    others = stream(pool, "labels of canaries").integers(0, int(classes.max()), n)
    return {"canaries": ids, "canary_classes": others + (others >= classes[ids])}


def given_classes(classes: np.ndarray, split: Mapping[str, np.ndarray]) -> np.ndarray:
    """Classes (n_available,) as models are trained on them and attackers know them: those of canaries are wrong."""
    if "canaries" not in split:
        return classes
    given = classes.copy()
    given[split["canaries"]] = split["canary_classes"]
    return given


def load_canaries(split: str | Path, example_ids: np.ndarray) -> np.ndarray:
    """Which points are canaries, bools of the shape of `example_ids`; split: path of an artifact of splits."""
    arrays, _ = artifacts.load(split, "split", {"members": ("i", 2)})
    return np.isin(example_ids, arrays.get("canaries", np.array([], int)))
