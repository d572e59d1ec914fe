"""Random streams: one for each example, so that neither batching nor order changes what is drawn."""

import functools
import json
import zlib
from collections.abc import Iterable, Sequence

import numpy as np


def stream(seed: int, purpose: str, example_id: int = 0) -> np.random.Generator:
    """A generator that depends on its arguments alone.

    seed: int >= 0; purpose: str, keeps streams for different uses apart; example_id: int >= 0.
    """
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), example_id])


def streams(seed: int, purpose: str, example_ids: Sequence[int] | np.ndarray) -> Sequence[np.random.Generator]:
    """One independent generator per example id, as a sequence: each is made when it is first used, and kept.

    Making one takes as long as a hundred queries of a tiny network, and many queries draw nothing.
    """
    return _Streams(seed, purpose, example_ids)


class _Streams(Sequence[np.random.Generator]):
    def __init__(self, seed: int, purpose: str, example_ids: Sequence[int] | np.ndarray):
        self._make = functools.cache(lambda row: stream(seed, purpose, int(example_ids[row])))
        self._rows = range(len(example_ids))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, row: int) -> np.random.Generator:  # type: ignore - no slices
        return self._make(self._rows[row])


class Subset(Sequence[np.random.Generator]):
    """The generators of some rows (m,), ints, of a sequence of them."""

    def __init__(self, generators: Sequence[np.random.Generator], rows: Sequence[int] | np.ndarray):
        self._generators, self._rows = generators, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, row: int) -> np.random.Generator:  # type: ignore - no slices
        return self._generators[self._rows[row]]


def states(generators: Iterable[np.random.Generator]) -> np.ndarray:
    """States of numpy Generators as one array of bytes (n,)."""
    return np.array([json.dumps(generator.bit_generator.state).encode() for generator in generators])


def set_states(generators: Iterable[np.random.Generator], saved: np.ndarray) -> None:
    """Put as many Generators of the same kind into the states that `states` gave."""
    for generator, state in zip(generators, saved, strict=True):
        generator.bit_generator.state = json.loads(state)


def seed_list(block: str | int) -> list[int]:
    """The seeds of a block: "0-5" is the six seeds 0 to 5, 6 or "6" is one; [] where the first is the larger one."""
    first, _, last = str(block).partition("-")
    return list(range(int(first), int(last or first) + 1))
