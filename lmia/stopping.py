"""Sequential stopping: no more queries for an example whose side of the threshold is settled.

A membership decision needs to know whether the final distance reaches the threshold, and not how large it is. The best
distance only falls, so below the threshold it stays there; and how far it falls from some moment on is known from the
shadow's searches, which were run to the end.
"""

from dataclasses import dataclass

import numpy as np

from lmia.metrics import best_threshold

LEVELS = np.linspace(0, 0.99, 100)  # quantiles of the shadow's ratios, from cautious to bold


@dataclass(frozen=True)
class Stopping:
    """When a search is settled, as a function (best (m,), spent (m,)) -> bool (m,).

    threshold: members have a final distance >= it; queries: ints (k,), ascending; ratios: floats (k,), ascending: from
    that many queries on, the final distance is taken to be at least this share of the present one.
    """

    threshold: float
    queries: np.ndarray
    ratios: np.ndarray

    @classmethod
    def fit(cls, best, spent, is_member, error=0.0):
        """Learn from a shadow's finished searches.

        best, spent: (n, t), the course of each search, as `hopskipjump` returns it; is_member: bool (n,); error: share
        of the shadow's examples, in [0, 1), whose decision may change by stopping; the ratios are the largest that
        keep to it.
        """
        threshold = best_threshold(best[:, -1], is_member)
        found = (best[:, -1] > 0) & np.isfinite(best[:, -1])
        if not found.any():  # nothing to learn from: only the rule that loses nothing remains
            return cls(threshold, np.empty(0, dtype=int), np.empty(0))
        queries = np.unique(spent[found])
        moment = [np.searchsorted(row, queries, side="right") - 1 for row in spent[found]]
        present = np.take_along_axis(best[found], np.maximum(moment, 0), axis=1)
        shares, falls = best[found][:, -1:] / present, best[found][:, -1] < threshold
        present[np.isinf(present)] = 0  # a search that has not started yet settles nothing
        ratios = np.zeros(len(queries))
        for level in LEVELS:
            bolder = np.maximum.accumulate(np.quantile(shares, level, axis=0, method="lower"))
            changed = falls & (present * bolder >= threshold).any(axis=1)
            if changed.sum() > error * len(best):
                break
            ratios = bolder
        return cls(threshold, queries, ratios)

    @classmethod
    def from_arrays(cls, arrays, seed):
        """What `to_arrays` gave."""
        return cls(float(arrays[f"{seed}/threshold"]), arrays[f"{seed}/queries"], arrays[f"{seed}/ratios"])

    def to_arrays(self, seed):
        """Named arrays, "<seed>/<name>" -> array."""
        return {f"{seed}/{name}": np.asarray(value) for name, value in vars(self).items()}

    def __call__(self, best, spent):
        known = np.searchsorted(self.queries, spent, side="right") - 1
        ratio = np.where(known >= 0, self.ratios[np.maximum(known, 0)], 0) if len(self.queries) else np.zeros(len(best))
        with np.errstate(invalid="ignore"):
            return (best < self.threshold) | (best * ratio >= self.threshold)
