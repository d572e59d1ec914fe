"""Observations as attacks take them, from the artifacts that hold them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lmia import artifacts
from lmia.attacks.observations import OBSERVATIONS, Answers, Confidences, Distances


def load_observations(
    path: str | Path, observation: str
) -> tuple[list[Answers | Distances | Confidences], np.ndarray, dict]:
    """(one observation per seed, example ids (s, n), provenance). observation: a key of OBSERVATIONS."""
    source = OBSERVATIONS[observation]
    arrays, provenance = artifacts.load(path, source.folder, {"example_ids": ("i", 2)})
    seeds = range(len(arrays["example_ids"]))
    observed = [source.type(*(arrays[name][s] for name in source.arrays)) for s in seeds]
    return observed, arrays["example_ids"], provenance


def check_precision(provenances: Sequence[dict]) -> None:
    """Raise ValueError where target and shadows were asked in different precisions.

    Thresholds carry over between answers of one precision only; each model falls back from bfloat16 by itself.
    """
    ways = [[how["precision"] for how in provenance.get("asked", [])] for provenance in provenances]
    if any(way != ways[0] for way in ways):
        raise ValueError(
            f"target and shadows were asked in different precisions ({ways}), as bfloat16 changed too many labels of "
            "some; set precision: float32 of this query set, or raise its most_disagreement"
        )
