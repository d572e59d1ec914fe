"""Which of the points that were asked about are members: for what fits attacks, measures or draws, never to ask."""

from collections.abc import Sequence
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


def load_pool_membership(
    splits: Sequence[str | Path], blocks: Sequence[Sequence[int]], example_ids: np.ndarray
) -> np.ndarray:
    """Which models of a pool were trained on which of its points, bools (K, n), in the order of the models' numbers.

    splits: paths of artifacts, one for each block; blocks: numbers of the models of each; example_ids: ints (n,).
    """
    in_blocks = [
        load_membership(split, np.tile(example_ids, (len(models), 1)))
        for split, models in zip(splits, blocks, strict=True)
    ]
    return np.concatenate(in_blocks)[np.argsort(np.concatenate(blocks))]
