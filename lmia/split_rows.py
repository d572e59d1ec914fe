"""Rows of ids in an artifact of splits, one for each seed: models of a pool differ in how many they have."""

from collections.abc import Mapping, Sequence

import numpy as np

FILL = -1  # no id, at the end of rows that are shorter than the longest


def padded(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Rows of ids (n_i,) as one array (s, n), those that are shorter filled up."""
    longest = max(map(len, rows))
    return np.stack([np.pad(row, (0, longest - len(row)), constant_values=FILL) for row in rows])


def ids_of(row: np.ndarray) -> np.ndarray:
    """The ids in one row, without what fills it up."""
    return row[row != FILL]


def told_classes(classes: np.ndarray, split: Mapping[str, np.ndarray], row: int) -> np.ndarray:
    """Classes (n_available,) of which those of the members in a row of a split are its "labels", if it has some.

    split: "members" (s, m), ids, and perhaps "labels" (s, m), ints: what a target says of them.
    """
    if "labels" not in split:
        return classes
    told = classes.copy()
    told[ids_of(split["members"][row])] = split["labels"][row]
    return told
