"""Observations as attacks take them, from the artifacts that hold them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lmia import artifacts
from lmia.attacks.observations import OBSERVATIONS, Observations

_WHY = (
    "as bfloat16 changed too many labels of some; set precision: float32 of this query set, or raise its "
    "most_disagreement"
)


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
    names = [*source.arrays, *(name for name in source.optional if name in arrays)]
    per_seed = [source.type(**{name: arrays[name][s] for name in names}) for s in seeds]
    # Labels that were asked by `auto` are those of float32, where a model may have fallen back to.
    precisions = ["float32" if how["precision"] == "auto" else how["precision"] for how in provenance.get("asked", [])]
    return ObservedModels(per_seed, arrays["example_ids"], provenance["unit"], precisions)


def join_blocks(observed: Sequence[ObservedModels], blocks: Sequence[Sequence[int]]) -> ObservedModels:
    """The models of several blocks as those of one, in the order of their seeds.

    blocks: seeds of each. Raises ValueError where they were asked in different precisions.
    """
    seeds = [seed for block in blocks for seed in block]
    order = sorted(range(len(seeds)), key=seeds.__getitem__)
    per_seed = [of for models in observed for of in models.per_seed]
    precisions = [of for models in observed for of in models.precisions]
    if len(set(precisions)) > 1:
        raise ValueError(f"models were asked in different precisions ({precisions}), {_WHY}")
    example_ids = np.concatenate([models.example_ids for models in observed])
    return ObservedModels([per_seed[place] for place in order], example_ids[order], observed[0].unit, precisions)


def check_precision(observed: Sequence[ObservedModels]) -> None:
    """Raise ValueError where target and shadows were asked in different precisions.

    Thresholds carry over between answers of one precision only; each model falls back from bfloat16 by itself.
    """
    ways = [models.precisions for models in observed]
    if any(way != ways[0] for way in ways):
        raise ValueError(f"target and shadows were asked in different precisions ({ways}), {_WHY}")
