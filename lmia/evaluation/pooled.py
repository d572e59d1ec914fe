"""How well scores tell members from non-members in a pool, where each of K models is the target once.

Scores are floats (K, N), higher = more member-like, of N examples under K models, and `is_member` is bools (K, N).
Models 2p and 2p + 1 are a pair of opposite membership. Metrics are of all K * N pairs of a model and an example
together, under one threshold; only `achieved` judges each target by a threshold that others have chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lmia.evaluation.intervals import LEVEL, MIN_BOOTSTRAP_SEEDS, Interval
from lmia.evaluation.metrics import auc, best_threshold, roc, tpr_at_fpr
from lmia.streams import stream

MIN_FALSE_ALARMS = 10  # fewer of them do not tell one rate from another


@dataclass(frozen=True)
class Measured:
    """value: of a metric, a fraction, NaN = not resolvable; draws: the same of each resample, (n_resamples,)."""

    value: float
    draws: np.ndarray

    def interval(self) -> Interval:
        """(value, low, high): the middle 95 % of the draws; NaN for none."""
        return (self.value, *_middle(self.draws))


def difference(one: Measured, other: Measured) -> Interval:
    """By how much one attack is above another, (value, low, high), where both were measured on the same draws."""
    return (one.value - other.value, *_middle(one.draws - other.draws))


def _middle(draws: np.ndarray) -> tuple[float, float]:
    if not len(draws) or np.isnan(draws).all():
        return float("nan"), float("nan")
    low, high = np.nanquantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def measure(
    scores: np.ndarray, is_member: np.ndarray, fprs: Sequence[float], n_resamples: int, seed: int = 0
) -> dict[str, Measured]:
    """auc, and tpr_at_F_fpr for each rate F: name -> `Measured`.

    Models and examples are both samples, so both are drawn: pairs of models with replacement, and apart from these
    examples with replacement (a two-way or pigeonhole bootstrap, Owen 2007). The draws depend on the seed, K and N
    alone, so two attacks on one pool are measured on the same. Fewer than six pairs have too few different draws: then
    each draw is of Student's distribution around the value, as wide as the metric varies between the pairs.

    Args:
        scores: Floats (K, N).
        is_member: Bools (K, N).
        fprs: False-positive rates, in (0, 1).
        n_resamples: Of the bootstrap.
        seed: Of the draws.
    """
    flat, known = scores.ravel(), is_member.ravel()
    values = {"auc": auc(flat, known)} | {f"tpr_at_{f:g}_fpr": tpr_at_fpr(flat, known, f) for f in fprs}
    if len(scores) // 2 < MIN_BOOTSTRAP_SEEDS:
        draws = _over_pairs(scores, is_member, fprs, n_resamples, seed, values)
    else:
        draws = _two_way(scores, is_member, fprs, n_resamples, seed)
    return {name: Measured(value, draws[name]) for name, value in values.items()}


def _over_pairs(
    scores: np.ndarray,
    is_member: np.ndarray,
    fprs: Sequence[float],
    n_resamples: int,
    seed: int,
    values: dict[str, float],
) -> dict[str, np.ndarray]:
    """Draws around the values, by Student's distribution over pairs."""
    pairs = [(scores[k : k + 2].ravel(), is_member[k : k + 2].ravel()) for k in range(0, len(scores), 2)]
    found = {"auc": [auc(*pair) for pair in pairs]}
    found |= {f"tpr_at_{f:g}_fpr": [tpr_at_fpr(*pair, f) for pair in pairs] for f in fprs}
    n = len(pairs)
    if n < 2:
        return {name: np.full(n_resamples, np.nan) for name in found}
    t = stream(seed, "bootstrap over a pool").standard_t(n - 1, n_resamples)
    return {name: values[name] + t * np.std(of, ddof=1) / np.sqrt(n) for name, of in found.items()}


def _two_way(
    scores: np.ndarray, is_member: np.ndarray, fprs: Sequence[float], n_resamples: int, seed: int
) -> dict[str, np.ndarray]:
    (n_models, n), rng = scores.shape, stream(seed, "bootstrap over a pool")
    order = np.argsort(-scores, axis=None, kind="stable")
    model, example = order // n, order % n
    sorted_scores = scores.ravel()[order]
    ends = np.flatnonzero(np.append(sorted_scores[1:] != sorted_scores[:-1], True))  # tied pairs are on one side
    inside = is_member.ravel()[order]
    draws = {name: np.empty(n_resamples) for name in ("auc", *(f"tpr_at_{f:g}_fpr" for f in fprs))}
    for draw in range(n_resamples):
        of_pair = rng.multinomial(n_models // 2, np.full(n_models // 2, 2 / n_models))
        of_example = rng.multinomial(n, np.full(n, 1 / n))
        weight = of_pair[model // 2] * of_example[example]
        tp = np.cumsum(np.where(inside, weight, 0))[ends]
        fp = np.cumsum(np.where(inside, 0, weight))[ends]
        tpr, fpr = np.append(0, tp / max(tp[-1], 1)), np.append(0, fp / max(fp[-1], 1))
        draws["auc"][draw] = np.trapezoid(tpr, fpr)
        for f in fprs:
            draws[f"tpr_at_{f:g}_fpr"][draw] = tpr[fpr <= f].max() if f * fp[-1] >= 1 else np.nan
    return draws


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


def thresholds_of_others(scores: np.ndarray, is_member: np.ndarray, fpr: float | None = None) -> np.ndarray:
    """For each target, the median of the thresholds that would suit the other models, its partner left out; (K,).

    fpr: false-positive rate that a threshold keeps to; None for the best balanced accuracy.
    """
    own = [_threshold(of, known, fpr) for of, known in zip(scores, is_member, strict=True)]
    pair = np.arange(len(own)) // 2
    return np.array([_median([own[k] for k in np.flatnonzero(pair != of)]) for of in pair])


def _threshold(scores: np.ndarray, is_member: np.ndarray, fpr: float | None) -> float:
    if fpr is None:
        return best_threshold(scores, is_member)
    rates, _, thresholds = roc(scores, is_member)
    return float(thresholds[np.flatnonzero(rates <= fpr)[-1]])


def _median(values: Sequence[float]) -> float:
    """The upper one of the two in the middle: a mean of an infinite and a finite threshold is none."""
    return sorted(values)[len(values) // 2]


def achieved(scores: np.ndarray, is_member: np.ndarray, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(false-positive rate, true-positive rate) of each target (K,) under its threshold (K,)."""
    guess = scores >= thresholds[:, None]
    fpr = (guess & ~is_member).sum(axis=1) / (~is_member).sum(axis=1)
    tpr = (guess & is_member).sum(axis=1) / is_member.sum(axis=1)
    return fpr, tpr


def ppv(tpr: float, fpr: float, prior: float) -> float:
    """Share of members among those that are called members, where a share `prior` of all is; NaN where none is."""
    called = prior * tpr + (1 - prior) * fpr
    return prior * tpr / called if called else float("nan")
