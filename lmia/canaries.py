"""Canaries of a pool: examples that only a model knows which was trained on them.

Mislabelled ones have a wrong label. Those out of distribution are noise with any label, which no other example tells.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lmia import artifacts
from lmia.asked_points import in_order_of_evaluation
from lmia.box import UNIT, Box
from lmia.streams import stream, streams

KINDS = ("mislabelled", "out_of_distribution")


def draw_canaries(
    examples: np.ndarray,
    classes: np.ndarray,
    n: int,
    pool: int,
    kind: str = KINDS[0],
    shape: tuple[int, ...] = (),
    box: Box = UNIT,
) -> dict[str, np.ndarray]:
    """Canaries in the place of examples of a pool (Aerni et al. 2024).

    They are the first examples that are evaluated, so all models are asked about them. Whether a model is trained on
    one is decided by the coins of the pool, as of any example.

    Args:
        examples: Ids (N,) of the pool, ascending.
        classes: Ints (n_available,), of the whole data set, from 0.
        n: How many, at most N.
        pool: Int >= 0, its number.
        kind: "mislabelled": each has a class that is drawn uniformly from all but its own; "out_of_distribution": each
            is drawn uniformly from the box, and so is its class from all.
        shape: Of an input, and `box` that it lies in; read for canaries out of distribution alone.

    Returns arrays of an artifact of splits: canaries (n,), ids, canary_classes (n,), ints, and of those out of
    distribution canary_inputs (n, *shape), float32.
    """
    ids, n_classes = np.sort(in_order_of_evaluation(examples, pool)[:n]), int(classes.max()) + 1
    if kind == "mislabelled":
        others = stream(pool, "labels of canaries").integers(0, n_classes - 1, n)
        return {"canaries": ids, "canary_classes": others + (others >= classes[ids])}
    draws = streams(pool, "canaries out of distribution", ids)
    given = np.array([draw.integers(n_classes) for draw in draws])
    shares = np.stack([draw.random(shape, dtype=np.float32) for draw in draws])
    return {"canaries": ids, "canary_classes": given, "canary_inputs": box.at(shares)}


def given_classes(classes: np.ndarray, split: Mapping[str, np.ndarray]) -> np.ndarray:
    """Classes (n_available,) as models are trained on them and attackers know them, with those of canaries."""
    if "canaries" not in split:
        return classes
    given = classes.copy()
    given[split["canaries"]] = split["canary_classes"]
    return given


def given_inputs(inputs: np.ndarray, ids: np.ndarray, split: Mapping[str, np.ndarray]) -> np.ndarray:
    """Inputs (n, *shape) of examples `ids` (n,), with those of canaries out of distribution; a new array."""
    given = inputs[ids]
    if "canary_inputs" in split:
        is_canary = np.isin(ids, split["canaries"])
        given[is_canary] = split["canary_inputs"][np.searchsorted(split["canaries"], ids[is_canary])]
    return given


def load_canaries(split: str | Path, example_ids: np.ndarray) -> np.ndarray:
    """Which points are canaries, bools of the shape of `example_ids`; split: path of an artifact of splits."""
    arrays, _ = artifacts.load(split, "split", {"members": ("i", 2)})
    return np.isin(example_ids, arrays.get("canaries", np.array([], int)))
