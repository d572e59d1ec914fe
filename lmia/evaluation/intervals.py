"""How sure a metric is: bootstrap and exact intervals over examples, and Student's intervals over seeds."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import special  # scipy.stats takes 0.7 s to import, in hundreds of jobs

from lmia.evaluation.metrics import at_threshold, auc, tpr_at_fpr
from lmia.evaluation.tpr_names import tpr_name
from lmia.streams import stream

LEVEL = 0.95
Interval = tuple[float, float, float]  # (value, low, high), fractions


def evaluate(
    scores: ArrayLike,
    is_member: ArrayLike,
    threshold: float | np.ndarray,
    fprs: Sequence[float],
    n_resamples: int,
    seed: int = 0,
) -> dict[str, Interval]:
    """All metrics of one attack on one target: name -> (value, low, high), fractions; NaN = not resolvable.

    Intervals hold the middle 95 % of resampled data. Values of 0 and 1, which no resampling moves, get exact intervals
    or bounds instead: see `proportion` and `certain`.

    Args:
        scores: Floats (n,).
        is_member: Bools (n,).
        threshold: Tuned on others; members have score >= it. Floats (n,) where each example has its own.
        fprs: False-positive rates at which the true-positive rate is reported.
        n_resamples: Bootstrap draws of members and non-members, each among themselves.
        seed: Of the draws.
    """
    scores, is_member = np.asarray(scores, float), np.asarray(is_member, bool)
    tprs = {tpr_name(fpr): tpr_at_fpr(scores, is_member, fpr) for fpr in fprs}
    values = at_threshold(scores, is_member, threshold) | {"auc": auc(scores, is_member)} | tprs
    draws = _bootstrap(scores, is_member, threshold, fprs, n_resamples, seed)
    trials = dict.fromkeys(["recall", *tprs], int(is_member.sum())) | {"precision": int((scores >= threshold).sum())}

    def with_interval(name: str, value: float) -> Interval:
        if name in trials and value in (0, 1):
            return proportion(round(value * trials[name]), trials[name])
        ends = certain(name, value, draws[name], int(is_member.sum()), int((~is_member).sum()))
        return value, *(ends or _percentiles(draws[name], value))

    return {name: with_interval(name, value) for name, value in values.items()}


def proportion(hits: int, n: int) -> Interval:
    """Share of `hits` in n independent trials with its Clopper-Pearson interval: (value, low, high), fractions."""
    tail = (1 - LEVEL) / 2
    low = special.betaincinv(hits, n - hits + 1, tail) if hits else 0.0
    high = special.betaincinv(hits + 1, n - hits, 1 - tail) if hits < n else 1.0
    return hits / n, float(low), float(high)


def certain(metric: str, value: float, draws: np.ndarray, n_members: int, n_others: int) -> tuple[float, float] | None:
    """Ends that hold for an accuracy, AUC or F1 of 0 or 1 which no resampling moves, fractions; None for all else.

    An accuracy and an F1 are of two shares, each of which lies beyond its exact end (Clopper-Pearson) with half the
    error. Of an AUC, as many disjoint pairs of a member and another as there are would not all be in order.

    draws: the resampled values; n_members, n_others: of the examples, one of which may be 0 for an accuracy.
    """
    if metric not in ("accuracy", "auc", "f1") or not np.allclose([value, *draws], whole := round(value), 0, 1e-12):
        return None
    tail, kinds = (1 - LEVEL) / 2, [n for n in (n_members, n_others) if n]
    if metric == "auc":
        least = tail ** (1 / min(kinds))
    else:
        shares = (tail / len(kinds)) ** (1 / np.array(kinds))
        least = float(shares.mean())
    if metric == "f1":
        if not whole:  # no member is found, and no other called one at best
            return 0.0, float(2 * (1 - shares[0]) / (2 - shares[0]))
        found, false = shares[0] * n_members, (1 - shares[1]) * n_others
        least = float(2 * found / (found + false + n_members))
    return (least, 1.0) if whole else (0.0, 1 - least)


def _percentiles(draws: np.ndarray, value: float) -> tuple[float, float]:
    if np.isnan(value) or np.isnan(draws).all():
        return float("nan"), float("nan")
    low, high = np.nanquantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _bootstrap(
    scores: np.ndarray,
    is_member: np.ndarray,
    threshold: float | np.ndarray,
    fprs: Sequence[float],
    n_resamples: int,
    seed: int,
) -> dict[str, np.ndarray]:
    """The metrics of resampled data, name -> (n_resamples,), through counts of each distinct score and guess."""
    is_spared = ~(scores >= threshold)  # NaN spares all
    cells, group = np.unique(2 * np.unique(-scores, return_inverse=True)[1] + is_spared, return_inverse=True)
    ends = np.flatnonzero(np.diff(cells // 2, append=-1))  # the last cell of each score
    rng = stream(seed, "bootstrap over examples")
    n_members, n_nonmembers = int(is_member.sum()), int((~is_member).sum())
    members = _resampled(np.bincount(group[is_member], minlength=len(cells)), n_resamples, rng)
    others = _resampled(np.bincount(group[~is_member], minlength=len(cells)), n_resamples, rng)
    tpr, fpr = rates(members, ends), rates(others, ends)
    tp, fp = (drawn[:, cells % 2 == 0].sum(axis=1) for drawn in (members, others))
    with np.errstate(invalid="ignore"):
        draws = {
            "accuracy": (tp / n_members + 1 - fp / n_nonmembers) / 2,
            "precision": tp / (tp + fp),
            "recall": tp / n_members,
            "f1": 2 * tp / (tp + fp + n_members),
        }
    draws["auc"] = area(tpr, fpr)
    for target in fprs:
        draws[tpr_name(target)] = highest_rate(tpr, fpr, target)
    return draws


def _resampled(counts: np.ndarray, n_resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Counts (n_resamples, c) of as many examples that are drawn anew, from ints (c,)."""
    n = counts.sum()
    return rng.multinomial(n, counts / n, size=n_resamples)


def rates(counts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Shares (n_resamples, k + 1) of examples at or above each of k distinct scores, highest first, from 0 to 1.

    counts: ints (n_resamples, c) of cells, the highest scores first; ends: the last cell of each score, ints (k,).
    """
    upto, shares = counts.cumsum(axis=1), np.zeros((len(counts), len(ends) + 1))
    np.divide(upto.take(ends, axis=1), upto[:, -1:], out=shares[:, 1:])
    return shares


def area(tpr: np.ndarray, fpr: np.ndarray) -> np.ndarray:
    """Areas (r,) under ROCs of rates (r, k + 1)."""
    return ((tpr[:, 1:] + tpr[:, :-1]) / 2 * np.diff(fpr, axis=1)).sum(axis=1)


def highest_rate(tpr: np.ndarray, fpr: np.ndarray, target: float) -> np.ndarray:
    """The highest true-positive rates (r,) at a false-positive rate of at most `target`, of rates (r, k + 1)."""
    return np.where(fpr <= target, tpr, 0).max(axis=1)


def over_seeds(intervals: Sequence[Interval] | np.ndarray) -> Interval:
    """Mean over seeds with its 95 % interval, from the value and the interval over points (n, 3) of each seed.

    It is the wider of two, on either side:

    - Student's interval of the values, which takes in all that differs between seeds: models, shadows and points.
    - That of all seeds' points together, the models being fixed: the root mean square of the seeds' own half widths
      over the root of their number. A few seeds that agree by chance are not surer than their points are.

    The first covers 95 % of means (tests/evaluation/test_coverage.py); so both together cover more where seeds hardly
    differ but by their points, 99 % with three of them. A single seed has its own interval: of its models alone.
    """
    values, lows, highs = np.asarray(intervals, dtype=float).T
    n, mean = len(values), float(values.mean())
    if n == 1:
        return mean, float(lows[0]), float(highs[0])
    if np.isnan(mean):
        return mean, float("nan"), float("nan")
    reach = special.stdtrit(n - 1, (1 + LEVEL) / 2) * values.std(ddof=1)
    below, above = (np.fmax(reach, np.sqrt(np.mean((values - end) ** 2))) / np.sqrt(n) for end in (lows, highs))
    return mean, mean - float(below), mean + float(above)
