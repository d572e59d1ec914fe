"""When a search for the boundary may stop, learned from the shadow's searches and their membership."""

from collections.abc import Mapping, Sequence

import numpy as np

from lmia.attacks.observations import join_moments
from lmia.boundary.stopping import Stopping
from lmia.evaluation.metrics import best_threshold

LEVELS = np.linspace(0, 0.99, 100)  # quantiles of the shadow's ratios, from cautious to bold


def fit_stopping(distance: np.ndarray, n_queries: np.ndarray, is_member: np.ndarray, error: float = 0.0) -> Stopping:
    """The `Stopping` that a shadow's finished searches teach.

    distance, n_queries: (n, t), the course of each search, as `hopskipjump` returns it; is_member: bool (n,); error:
    share of the shadow's examples, in [0, 1), whose decision may change by stopping; the ratios are the largest that
    keep to it.
    """
    threshold = best_threshold(distance[:, -1], is_member)
    if np.isnan(threshold):  # nobody is called a member, so a search is settled once it finds another label
        threshold = float("inf")
    is_finished = (distance[:, -1] > 0) & np.isfinite(distance[:, -1])
    if not is_finished.any():  # nothing to learn from: only the rule that loses nothing remains
        return Stopping(threshold, np.empty(0, dtype=int), np.empty(0))
    courses, ledger = distance[is_finished], n_queries[is_finished]
    queries = np.unique(ledger)
    moment = [np.searchsorted(row, queries, side="right") - 1 for row in ledger]
    present = np.take_along_axis(courses, np.maximum(moment, 0), axis=1)
    shares, falls = courses[:, -1:] / present, courses[:, -1] < threshold
    present[np.isinf(present)] = 0  # a search that has not started yet settles nothing
    ratios = np.zeros(len(queries))
    for level in LEVELS:
        bolder = np.maximum.accumulate(np.quantile(shares, level, axis=0, method="lower"))
        changed = falls & (present * bolder >= threshold).any(axis=1)
        if changed.sum() > error * len(distance):
            break
        ratios = bolder
    return Stopping(threshold, queries, ratios)


def fit_block(
    searched: Sequence[Mapping[str, np.ndarray]], is_member: Sequence[np.ndarray], seeds: Sequence[int], error: float
) -> dict[str, np.ndarray]:
    """Fit the rule of each seed of a block on all of its shadows: arrays of an artifact of stopping rules.

    Args:
        searched: of each shadow, distance and n_queries, (s, n, c, t) for s seeds; the first copy is learned from.
        is_member: of each shadow, bools (s, n).
        seeds: of the block, s of them.
        error: See `fit_stopping`.
    """
    arrays = {}
    for s, seed in enumerate(seeds):
        distance, n_queries = (
            join_moments([of[name][s] for of in searched])[:, 0] for name in ("distance", "n_queries")
        )
        arrays |= fit_stopping(distance, n_queries, np.concatenate([of[s] for of in is_member]), error).to_arrays(seed)
    return arrays
