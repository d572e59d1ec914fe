"""Scores of several attacks beside the membership of their points, from the artifacts that hold them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lmia import artifacts
from lmia.membership import load_membership


def load_scores(scores: Sequence[str], splits: Sequence[str]) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
    """attack -> list over seeds of (scores (n,), is_member (n,)), as the attack is meant to be run.

    scores: paths, named by their attacks; splits: the target's split of each of them.
    """
    found = {}
    for path, split in zip(scores, splits, strict=True):
        arrays, _ = artifacts.load(path, "scores", {"scores": ("f", 3)})
        is_member = load_membership(split, arrays["example_ids"])
        found.setdefault(Path(path).stem, []).extend(zip(arrays["scores"][:, 0], is_member, strict=True))
    return found
