"""How well scores tell members from non-members in a pool, where each of K models is the target once.

Scores are floats (K, N), higher = more member-like, of N examples under K models, and `is_member` is bools (K, N).
Models 2p and 2p + 1 are a pair of opposite membership. Metrics are of all K * N pairs of a model and an example
together, under one threshold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from lmia.evaluation.intervals import LEVEL, Interval
from lmia.streams import stream

MIN_FALSE_ALARMS = 10  # fewer of them do not tell one rate from another


@dataclass(frozen=True)
class Measured:
    """A metric of a pool, and the same of resampled pools.

    value: a fraction, NaN = not resolvable; draws: (3, n_resamples), with pairs of models drawn, with examples drawn,
    and with all cells of a pair and an example drawn; n_pairs: of models.
    """

    value: float
    draws: np.ndarray
    n_pairs: int

    def interval(self) -> Interval:
        """(value, low, high), 95 %; low and high are NaN where there is no second pair, or the value is NaN.

        Models and examples are both samples. Their variances add up, less that of the cells, which both hold (Cameron,
        Gelbach and Miller 2011); the sum is never taken to be smaller than either. Of few pairs the middle of the draws
        is too narrow by z / t and by sqrt((n - 1) / n), as in `intervals.over_seeds`.
        """
        of_models, of_examples, of_cells = self.draws - self.value
        if self.n_pairs < 2 or np.isnan(self.value):
            return self.value, float("nan"), float("nan")
        n, level = self.n_pairs, (1 + LEVEL) / 2
        of_models = of_models * (special.stdtrit(n - 1, level) / special.ndtri(level) * np.sqrt(n / (n - 1)))
        models, examples, cells = (float(np.nanvar(of)) for of in (of_models, of_examples, of_cells))
        if models + examples == 0:
            return self.value, self.value, self.value
        scale = np.sqrt(max(models + examples - cells, models, examples) / (models + examples))
        low, high = np.nanquantile(scale * (of_models + of_examples), [1 - level, level])
        return self.value, self.value + float(low), self.value + float(high)


def difference(one: Measured, other: Measured) -> Interval:
    """By how much one attack is above another, (value, low, high), where both were measured on the same draws."""
    return Measured(one.value - other.value, one.draws - other.draws, one.n_pairs).interval()


def measure(
    scores: np.ndarray, is_member: np.ndarray, fprs: Sequence[float], n_resamples: int, seed: int = 0
) -> dict[str, Measured]:
    """auc, and tpr_at_F_fpr for each rate F: name -> `Measured`.

    The draws depend on the seed, K and N alone, so two attacks on one pool are measured on the same.

    Args:
        scores: Floats (K, N).
        is_member: Bools (K, N).
        fprs: False-positive rates, in (0, 1).
        n_resamples: Of the bootstrap.
        seed: Of the draws.
    """
    (n_models, n), rng = scores.shape, stream(seed, "bootstrap over a pool")
    n_pairs, pool = n_models // 2, _Sorted(scores, is_member)
    values = pool.metrics(np.ones(scores.shape, int), fprs)
    draws = {name: np.empty((3, n_resamples)) for name in values}
    for draw in range(n_resamples):
        of_pair = rng.multinomial(n_pairs, np.full(n_pairs, 1 / n_pairs))
        of_example = rng.multinomial(n, np.full(n, 1 / n))
        of_cell = rng.multinomial(n_pairs * n, np.full(n_pairs * n, 1 / (n_pairs * n))).reshape(n_pairs, n)
        weights = (of_pair[:, None], of_example[None], of_cell)
        for way, weight in enumerate(weights):
            both = np.repeat(np.broadcast_to(weight, (n_pairs, n)), 2, axis=0)
            for name, value in pool.metrics(both, fprs).items():
                draws[name][way, draw] = value
    return {name: Measured(value, draws[name], n_pairs) for name, value in values.items()}


class _Sorted:
    """A pool whose pairs of a model and an example are sorted once, however often they are weighted anew."""

    def __init__(self, scores: np.ndarray, is_member: np.ndarray) -> None:
        self._order = np.argsort(-scores, axis=None, kind="stable")
        ordered = scores.ravel()[self._order]
        self._ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))  # tied pairs are on one side
        self._inside = is_member.ravel()[self._order]

    def metrics(self, weight: np.ndarray, fprs: Sequence[float]) -> dict[str, float]:
        """As `measure`, where each pair counts as often as `weight` (K, N) says; NaN = not resolvable."""
        ordered = weight.ravel()[self._order]
        called, members = np.cumsum(ordered)[self._ends], np.cumsum(ordered * self._inside)[self._ends]
        n_members, n_others = members[-1], called[-1] - members[-1]
        if not n_members or not n_others:
            return {name: float("nan") for name in ("auc", *map(_tpr_name, fprs))}
        tpr, fpr = np.append(0, members / n_members), np.append(0, (called - members) / n_others)
        found = {"auc": float(np.trapezoid(tpr, fpr))}
        for f in fprs:
            at = np.searchsorted(fpr, f, side="right") - 1  # neither rate ever falls
            found[_tpr_name(f)] = float(tpr[at]) if f * n_others >= 1 else float("nan")
        return found


def _tpr_name(fpr: float) -> str:
    return f"tpr_at_{fpr:g}_fpr"


def flags(scores: np.ndarray, is_member: np.ndarray, fpr: float) -> str:
    """What speaks against a true-positive rate at a false-positive rate, "" for nothing.

    "N tied at the top": so many pairs share the highest score that no threshold has so few false alarms, and a rate of
    0 says nothing of the attack; "N false alarms allowed": too few to tell one rate from another.
    """
    top = scores == scores.max()
    allowed = fpr * np.sum(~is_member)
    if np.sum(top & ~is_member) > allowed:
        return f"{int(top.sum())} tied at the top"
    return f"{int(allowed)} false alarms allowed" if 1 <= allowed < MIN_FALSE_ALARMS else ""
