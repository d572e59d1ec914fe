"""When a search for the boundary may stop, learned from the shadow's searches and their membership."""

import numpy as np

from lmia.boundary.stopping import Stopping
from lmia.evaluation.metrics import best_threshold

LEVELS = np.linspace(0, 0.99, 100)  # quantiles of the shadow's ratios, from cautious to bold


def fit_stopping(best: np.ndarray, spent: np.ndarray, is_member: np.ndarray, error: float = 0.0) -> Stopping:
    """The `Stopping` that a shadow's finished searches teach.

    best, spent: (n, t), the course of each search, as `hopskipjump` returns it; is_member: bool (n,); error: share
    of the shadow's examples, in [0, 1), whose decision may change by stopping; the ratios are the largest that
    keep to it.
    """
    threshold = best_threshold(best[:, -1], is_member)
    is_finished = (best[:, -1] > 0) & np.isfinite(best[:, -1])
    if not is_finished.any():  # nothing to learn from: only the rule that loses nothing remains
        return Stopping(threshold, np.empty(0, dtype=int), np.empty(0))
    courses, ledger = best[is_finished], spent[is_finished]
    queries = np.unique(ledger)
    moment = [np.searchsorted(row, queries, side="right") - 1 for row in ledger]
    present = np.take_along_axis(courses, np.maximum(moment, 0), axis=1)
    shares, falls = courses[:, -1:] / present, courses[:, -1] < threshold
    present[np.isinf(present)] = 0  # a search that has not started yet settles nothing
    ratios = np.zeros(len(queries))
    for level in LEVELS:
        bolder = np.maximum.accumulate(np.quantile(shares, level, axis=0, method="lower"))
        changed = falls & (present * bolder >= threshold).any(axis=1)
        if changed.sum() > error * len(best):
            break
        ratios = bolder
    return Stopping(threshold, queries, ratios)
