"""Observations as attacks take them, from the artifacts that hold them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lmia import artifacts
from lmia.attacks.observations import OBSERVATIONS, Observations


@dataclass(frozen=True)
class ObservedModels:
    """What was observed of the models of a block of seeds.

    per_seed: one observation of each model; example_ids: ints (s, n), the points; unit: of their magnitudes, "" for
    none; precisions: in which each model was asked, none where that is always the same.
    """

    per_seed: list[Observations]
    example_ids: np.ndarray
    unit: str
    precisions: list[str]


def load_observations(path: str | Path, observation: str) -> ObservedModels:
    """Read one artifact. observation: a key of OBSERVATIONS."""
    source = OBSERVATIONS[observation]
    arrays, provenance = artifacts.load(path, source.folder, {"example_ids": ("i", 2)})
    seeds = range(len(arrays["example_ids"]))
    per_seed = [source.type(*(arrays[name][s] for name in source.arrays)) for s in seeds]
    precisions = [how["precision"] for how in provenance.get("asked", [])]
    return ObservedModels(per_seed, arrays["example_ids"], provenance["unit"], precisions)


def check_precision(observed: Sequence[ObservedModels]) -> None:
    """Raise ValueError where target and shadows were asked in different precisions.

    Thresholds carry over between answers of one precision only; each model falls back from bfloat16 by itself.
    """
    ways = [models.precisions for models in observed]
    if any(way != ways[0] for way in ways):
        raise ValueError(
            f"target and shadows were asked in different precisions ({ways}), as bfloat16 changed too many labels of "
            "some; set precision: float32 of this query set, or raise its most_disagreement"
        )
