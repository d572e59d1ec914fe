"""Sequential stopping: no more queries for an example whose side of the threshold is settled.

A decision needs to know whether the final distance reaches the threshold, and not how large it is. The best distance
only falls, so below the threshold it stays there; how far it falls from some moment on is a rule that
`lmia.evaluation.fit_stopping` learns from the shadow's finished searches. `begin_step` of hopskipjump.py asks it, as
`settled`, before each step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True)
class Stopping:
    """When a search is settled, as a function (distance (m,), n_queries (m,)) -> bool (m,).

    threshold: what the final distance is compared with, inf where nobody is called one; queries: ints (k,), ascending;
    ratios: floats (k,), ascending: from that many queries on, the final distance is taken to be at least this share of
    the present one.
    """

    threshold: float
    queries: np.ndarray
    ratios: np.ndarray

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], seed: int) -> Self:
        """What `to_arrays` gave."""
        return cls(float(arrays[f"{seed}/threshold"]), arrays[f"{seed}/queries"], arrays[f"{seed}/ratios"])

    def to_arrays(self, seed: int) -> dict[str, np.ndarray]:
        """Named arrays, "<seed>/<name>" -> array."""
        return {f"{seed}/{name}": np.asarray(value) for name, value in vars(self).items()}

    def __call__(self, distance: np.ndarray, n_queries: np.ndarray) -> np.ndarray:
        if len(self.queries):
            last = np.searchsorted(self.queries, n_queries, side="right") - 1
            ratio = np.where(last >= 0, self.ratios[np.maximum(last, 0)], 0)
        else:
            ratio = np.zeros(len(distance))
        with np.errstate(invalid="ignore"):
            return (distance < self.threshold) | (distance * ratio >= self.threshold)

    def ended(self, distance: np.ndarray, n_queries: np.ndarray) -> np.ndarray:
        """Which searches this rule has ended before their distance was final, bools (n,).

        distance, n_queries: (n, t), the courses, as `hopskipjump` gives them.
        """
        last = distance[:, -1]
        return (last > 0) & np.isfinite(last) & self(last, n_queries[:, -1])
