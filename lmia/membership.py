"""Which of the points that were asked about are members: for what fits attacks, measures or draws, never to ask."""

from pathlib import Path

import numpy as np

from lmia import artifacts


def load_membership(split: str | Path, example_ids: np.ndarray) -> np.ndarray:
    """Whether each point was trained on, bools (s, n), one row per seed.

    split: path of an artifact of splits, of the models that were asked; example_ids: ints (s, n).

    Raises ValueError where the split is of another number of seeds.
    """
    members = artifacts.load(split, "split", {"members": ("i", 2)})[0]["members"]
    return np.stack([np.isin(ids, of_seed) for ids, of_seed in zip(example_ids, members, strict=True)])
