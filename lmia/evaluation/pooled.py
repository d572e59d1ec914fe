"""How well scores tell members from non-members in a pool, where each of K models is the target once.

Scores are floats (K, N), higher = more member-like, of N examples under K models, and `is_member` is bools (K, N).
Models 2p and 2p + 1 are a pair of opposite membership. Metrics are of all K * N pairs of a model and an example
together, under one threshold.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import special

from lmia.evaluation.flag_texts import join
from lmia.evaluation.flags import few_false_alarms, rate_flags
from lmia.evaluation.intervals import LEVEL, Interval
from lmia.evaluation.metrics_table import ALL_SEEDS
from lmia.evaluation.tpr_names import tpr_name
from lmia.streams import stream

CANARY = "canary_"
PRIORS = (0.5, 0.1, 0.01, 0.001)  # shares of members among the points that an attacker asks about


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
    scores: np.ndarray,
    is_member: np.ndarray,
    fprs: Sequence[float],
    n_resamples: int,
    seed: int = 0,
    thresholds: np.ndarray | None = None,
) -> dict[str, Measured]:
    """auc, and tpr_at_F_fpr for each rate F: name -> `Measured`.

    The draws depend on the seed, K and N alone, so two attacks on one pool are measured on the same.

    Args:
        scores: Floats (K, N).
        is_member: Bools (K, N).
        fprs: False-positive rates, in (0, 1).
        n_resamples: Of the bootstrap.
        seed: Of the draws.
        thresholds: Of each target, floats (K,), members have score >= it; with them there are also accuracy, precision,
            recall and f1 of these decisions, and of the thresholds at F that the other models give (`transferred`) the
            rates that they reach, transferred_fpr_at_F_fpr and transferred_tpr_at_F_fpr, and ppv_at_F_fpr_prior_P for
            each of PRIORS: of those that are called members, how many are, where so many of all points are. These are
            NaN where the other models have fewer than 1 / F non-members.
    """
    (found,) = measure_alike([(scores, thresholds)], is_member, fprs, n_resamples, seed)
    return found


def measure_alike(
    scored: Sequence[tuple[np.ndarray, np.ndarray | None]],
    is_member: np.ndarray,
    fprs: Sequence[float],
    n_resamples: int,
    seed: int = 0,
) -> list[dict[str, Measured]]:
    """`measure` of several (scores, thresholds) of one pool at once, which takes less time."""
    (n_models, n), rng = is_member.shape, stream(seed, "bootstrap over a pool")
    n_pairs = n_models // 2
    pools = [_Sorted(scores, is_member, fprs, thresholds) for scores, thresholds in scored]
    values = [pool.metrics(np.ones(is_member.shape, int)) for pool in pools]
    draws = [{name: np.empty((3, n_resamples)) for name in value} for value in values]
    for draw in range(n_resamples):
        of_pair = rng.multinomial(n_pairs, np.full(n_pairs, 1 / n_pairs))
        of_example = rng.multinomial(n, np.full(n, 1 / n))
        of_cell = rng.multinomial(n_pairs * n, np.full(n_pairs * n, 1 / (n_pairs * n))).reshape(n_pairs, n)
        weights = (of_pair[:, None], of_example[None], of_cell)
        for way, weight in enumerate(weights):
            both = np.repeat(np.broadcast_to(weight, (n_pairs, n)), 2, axis=0)
            for pool, drawn in zip(pools, draws, strict=True):
                for name, value in pool.metrics(both).items():
                    drawn[name][way, draw] = value
    return [
        {name: Measured(of, drawn[name], n_pairs) for name, of in value.items()}
        for value, drawn in zip(values, draws, strict=True)
    ]


def transferred(scores: np.ndarray, is_member: np.ndarray, fpr: float) -> np.ndarray:
    """Whom each target's examples are called, bools (K, N), at the threshold for a rate that all other models give.

    The threshold is the lowest at which at most a share `fpr` of the non-members of all pairs but the target's are
    called members; all are called none where there are fewer than 1 / fpr of those. Neither scores nor bits of the
    target's pair come in here; calibrated scores of other models have been computed with the pair among their shadows.
    """
    called = np.zeros(scores.shape, bool)
    for pair in range(len(scores) // 2):
        own = np.arange(len(scores)) // 2 == pair
        false = np.sort(scores[~own][~is_member[~own]])[::-1]
        allowed = int(np.sum(np.arange(1, len(false)) / len(false) <= fpr))
        if allowed:
            called[own] = scores[own] > false[allowed]  # that one would be a false alarm too many, and all tied with it
    return called


class _Sorted:
    """A pool whose pairs of a model and an example are sorted once, however often they are weighted anew."""

    def __init__(
        self, scores: np.ndarray, is_member: np.ndarray, fprs: Sequence[float], thresholds: np.ndarray | None
    ) -> None:
        self._order = np.argsort(-scores, axis=None, kind="stable")
        ordered = scores.ravel()[self._order]
        self._ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))  # tied pairs are on one side
        self._inside = is_member.ravel()[self._order]
        self._fprs, self._decides = fprs, thresholds is not None
        n_others = _nonmembers_of_others(is_member)
        self._is_given = [n_others > 0 and 1 / n_others <= fpr for fpr in fprs]  # whether others give a threshold
        called = []
        if thresholds is not None:
            called = [scores >= thresholds[:, None], *(transferred(scores, is_member, fpr) for fpr in fprs)]
        self._called = np.array([part.ravel() for of in called for part in (of & is_member, of & ~is_member)], float)

    def metrics(self, weight: np.ndarray) -> dict[str, float]:
        """As `measure`, where each pair counts as often as `weight` (K, N) says; NaN = not resolvable."""
        flat = weight.ravel()
        ordered = flat[self._order]
        called, members = np.cumsum(ordered)[self._ends], np.cumsum(ordered * self._inside)[self._ends]
        n_members, n_others = members[-1], called[-1] - members[-1]
        if not n_members or not n_others:
            return dict.fromkeys(self._names(), float("nan"))
        tpr, fpr = np.append(0, members / n_members), np.append(0, (called - members) / n_others)
        values = [float(np.trapezoid(tpr, fpr))]
        values += [
            float(tpr[np.searchsorted(fpr, f, side="right") - 1]) if f * n_others >= 1 else float("nan")
            for f in self._fprs
        ]
        if self._decides:
            true, false = ((self._called @ flat).reshape(-1, 2) / (n_members, n_others)).T
            values += _of_decisions(true[0], false[0], n_members, n_others)
            for t, f, rate, is_given in zip(true[1:], false[1:], self._fprs, self._is_given, strict=True):
                is_told = is_given and rate * n_others >= 1
                values += [f, t, *(_ppv(t, f, prior) for prior in PRIORS)] if is_told else [np.nan] * 6
        return dict(zip(self._names(), values, strict=True))

    def _names(self) -> list[str]:
        names = ["auc", *(tpr_name(f) for f in self._fprs)]
        if self._decides:
            names += ["accuracy", "precision", "recall", "f1"]
            names += [name for f in self._fprs for name in _transferred_names(f)]
        return names


def _transferred_names(fpr: float) -> list[str]:
    """Of the metrics that a transferred threshold has."""
    names = [f"transferred_{rate}_at_{fpr:g}_fpr" for rate in ("fpr", "tpr")]
    return names + [f"ppv_at_{fpr:g}_fpr_prior_{prior:g}" for prior in PRIORS]


def _nonmembers_of_others(is_member: np.ndarray) -> int:
    """How many non-members a transferred threshold rests on: those of all pairs but one, of which each has N."""
    return (len(is_member) // 2 - 1) * is_member.shape[1]


def _of_decisions(tpr: float, fpr: float, n_members: int, n_others: int) -> list[float]:
    """accuracy, precision, recall and f1, as `lmia.evaluation.metrics.at_threshold` has them."""
    hits, alarms = tpr * n_members, fpr * n_others
    precision = hits / (hits + alarms) if hits + alarms else float("nan")
    return [(tpr + 1 - fpr) / 2, precision, tpr, 2 * hits / (hits + alarms + n_members)]


def _ppv(tpr: float, fpr: float, prior: float) -> float:
    found = prior * tpr + (1 - prior) * fpr
    return prior * tpr / found if found else float("nan")


def pool_rows(
    scored: dict[str, np.ndarray], is_member: np.ndarray, fprs: Sequence[float], resamples: int
) -> Iterator[dict]:
    """Rows of metrics.csv over all models of a pool, seed "all": one per setting and metric.

    Canaries are measured apart, by metrics with CANARY before their names.

    scored: arrays of artifacts of scores of all models, K as their seeds; is_member: bools (K, N).
    """
    settings = range(len(scored["settings"]))
    for prefix, group in groups(scored["is_canary"]):
        known = is_member[:, group]
        ways = [(scored["scores"][:, v][:, group], scored["thresholds"][:, v]) for v in settings]
        for v, found in zip(settings, measure_alike(ways, known, fprs, resamples), strict=True):
            same = {"seed": ALL_SEEDS, "queries": scored["queries"][:, v].mean(), "setting": scored["settings"][v]}
            flagged = {tpr_name(fpr): rate_flags(ways[v][0], known, fpr) for fpr in fprs}
            for fpr in fprs:
                few = few_false_alarms(fpr, _nonmembers_of_others(known))
                flagged |= {name: few for name in _transferred_names(fpr) if not np.isnan(found[name].value)}
            for name, measured in found.items():
                value, low, high = measured.interval()
                low, high = np.clip([low, high], 0, 1)  # few pairs stretch their draws beyond all rates
                row = {"value": value, "ci_low": low, "ci_high": high, "flags": flagged.get(name, "")}
                yield same | {"metric": prefix + name} | row


def groups(is_canary: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """(what stands before the names of its metrics, bools (N,)) of ordinary examples, and of canaries if there are."""
    return [("", ~is_canary)] + [(CANARY, is_canary)] * bool(is_canary.any())


def differences(
    scored: dict[str, np.ndarray],
    is_member: np.ndarray,
    fprs: Sequence[float],
    resamples: int,
    is_canary: np.ndarray,
) -> Iterator[dict]:
    """By how much each attack is above each other on one pool, one row per pair of attacks and metric.

    scored: attack -> scores (K, N); is_member: bools (K, N); is_canary: bools (N,). Metrics are auc and the
    true-positive rates, whose flags are those of both attacks, and the same of canaries.
    """
    for prefix, group in groups(is_canary):
        known, of_group = is_member[:, group], {name: scores[:, group] for name, scores in scored.items()}
        by_rate = {
            name: {tpr_name(fpr): rate_flags(scores, known, fpr) for fpr in fprs} for name, scores in of_group.items()
        }
        found = measure_alike([(scores, None) for scores in of_group.values()], known, fprs, resamples)
        for (one, of_one), (other, of_other) in combinations(zip(scored, found, strict=True), 2):
            for metric in of_one:
                value, low, high = difference(of_one[metric], of_other[metric])
                low, high = np.clip([low, high], -1, 1)
                row = {"metric": prefix + metric, "value": value, "ci_low": low, "ci_high": high}
                flagged = [by_rate[name].get(metric, "") for name in (one, other)]
                yield {"attack": one, "against": other} | row | {"flags": join(flagged)}
