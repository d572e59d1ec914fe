"""Scores of several attacks beside the membership of their points, from the artifacts that hold them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lmia import artifacts
from lmia.canaries import load_canaries
from lmia.membership import load_membership, load_pool_membership


def load_scores(scores: Sequence[str], splits: Sequence[str]) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
    """attack -> list over seeds of (scores (n,), is_member (n,)), as the attack is meant to be run, without canaries.

    scores: paths, named by their attacks; splits: the target's split of each of them.
    """
    found = {}
    for path, split in zip(scores, splits, strict=True):
        arrays, _ = artifacts.load(path, "scores", {"scores": ("f", 3)})
        is_member, is_canary = (of(split, arrays["example_ids"]) for of in (load_membership, load_canaries))
        found.setdefault(Path(path).stem, []).extend(
            (of_seed[~wrong], known[~wrong])
            for of_seed, known, wrong in zip(arrays["scores"][:, 0], is_member, is_canary, strict=True)
        )
    return found


def load_pool_scores(
    scores: Sequence[str], splits: Sequence[str], blocks: Sequence[Sequence[int]]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Scores of one attack on all models of a pool, in the order of their numbers, and their membership.

    scores, splits: paths, one for each block; blocks: numbers of the models of each.

    Returns (scores (K, w, N), thresholds (K, w), queries (K, w), shares (K, w, 2), can_rank (K,), settings (w,) and
    is_canary (N,) by name, as `lmia.calibration.scoring.score_targets` has them; bools (K, N)).
    """
    loaded = [artifacts.load(path, "scores", {"scores": ("f", 3), "example_ids": ("i", 2)})[0] for path in scores]
    is_member = load_pool_membership(splits, blocks, loaded[0]["example_ids"][0])
    order = np.argsort(np.concatenate(blocks))
    names = ("scores", "thresholds", "queries", "shares", "can_rank")
    joined = {name: np.concatenate([of[name] for of in loaded])[order] for name in names}
    is_canary = load_canaries(splits[0], loaded[0]["example_ids"][0])
    return joined | {"settings": loaded[0]["settings"], "is_canary": is_canary}, is_member
