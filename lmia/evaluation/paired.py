"""By how much one attack is above another on the same targets, with the interval of the difference."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lmia.evaluation.intervals import LEVEL, Interval, area, certain, highest_rate, over_seeds, rates
from lmia.evaluation.tpr_names import fpr_of
from lmia.streams import stream


@dataclass(frozen=True)
class Decisions:
    """What one attack said of one target's points, or the target itself of its non-members.

    scores: floats (n,), higher = more member-like; is_called, is_member: bools (n,), whether a point is called a member
    and whether it is one; example_ids: ints (n,); queries: mean per point; can_rank: whether the scores have an order.
    """

    scores: np.ndarray
    is_called: np.ndarray
    is_member: np.ndarray
    example_ids: np.ndarray
    queries: float
    can_rank: bool = True

    def resolves(self, metric: str) -> bool:
        """Whether there is such a metric of these points: a rate needs one non-member that it lets through."""
        fpr = fpr_of(metric)
        return metric == "accuracy" or self.can_rank and (fpr is None or fpr * np.sum(~self.is_member) >= 1)

    def key(self, metric: str) -> np.ndarray:
        """All of a point that a metric depends on but its membership, ints (n,): is it right, or its score's rank."""
        if metric == "accuracy":
            return (self.is_called == self.is_member).astype(int)
        return np.unique(-self.scores, return_inverse=True)[1]

    @property
    def is_constant(self) -> bool:
        """Whether an attack calls members and non-members all the same: its accuracy is then 50 % in any case."""
        return len(np.unique(self.is_called)) == 1 < len(np.unique(self.is_member))

    def is_same(self, other: "Decisions", metric: str) -> bool:
        """Whether both say the same of each of the same points, as far as a metric can tell."""
        return self.same_points(other) and np.array_equal(self.key(metric), other.key(metric))

    def same_points(self, other: "Decisions") -> bool:
        """Whether both are of the same points, with the same membership."""
        mine, theirs = ((of.example_ids, of.is_member) for of in (self, other))
        return all(np.array_equal(*pair) for pair in zip(mine, theirs, strict=True))


def decisions(
    scored: dict[str, np.ndarray], is_member: np.ndarray, setting: str, of_model: bool = False
) -> Iterator[Decisions]:
    """The `Decisions` of one attack in one setting, for each seed of a block.

    Args:
        scored: Arrays of an artifact of scores.
        is_member: Bools (s, n), of its points.
        setting: One of the attack's.
        of_model: The scores are the gap attack's, and what counts is how often the model is right on non-members.
    """
    v = scored["settings"].tolist().index(setting)
    columns = (scored["scores"][:, v], scored["thresholds"][:, v], scored["example_ids"], scored["queries"][:, v])
    for scores, threshold, ids, queries, can_rank, is_in in zip(*columns, scored["can_rank"], is_member, strict=True):
        if of_model:  # scores are 1 where the label is right; the threshold may be that of a constant rule
            of = ~is_in
            yield Decisions(scores[of], scores[of] != 1, is_in[of], ids[of], 1.0)
        else:
            yield Decisions(scores, scores >= threshold, is_in, ids, float(queries), bool(can_rank))


def chance(metric: str) -> float:
    """What guessing reaches: a true-positive rate as high as the false-positive rate, else one half."""
    return fpr_of(metric) or 0.5


def margin(
    left: Sequence[Decisions], right: Sequence[Decisions], n_resamples: int, metric: str = "accuracy", seed: int = 0
) -> Interval:
    """Mean difference of two attacks over seeds with its 95 % interval, fractions; NaN = not resolvable.

    Of a single seed the interval is that of its points, with the models held fixed; see `intervals.over_seeds`.

    Args:
        left: Of each seed.
        right: In the same order; none stands for chance.
        n_resamples: Of the bootstrap over points.
        metric: accuracy (balanced over members and non-members that there are), auc, or tpr_at_F_fpr for a rate F.
        seed: Of the bootstrap.
    """
    others = right or [None] * len(left)
    return over_seeds([difference(*pair, n_resamples, metric, seed) for pair in zip(left, others, strict=True)])


def difference(
    one: Decisions, other: Decisions | None, n_resamples: int, metric: str = "accuracy", seed: int = 0
) -> Interval:
    """`margin` on the models of one seed: its interval is a bootstrap over members and over non-members.

    Both attacks are measured on the same draws where both saw the same points. Over chance, an accuracy or AUC of 0 or
    1 has the ends of `intervals.certain`.
    """
    sides = [side for side in (one, other) if side is not None]
    if not all(side.resolves(metric) for side in sides):
        return float("nan"), float("nan"), float("nan")
    together = [sides] if all(one.same_points(side) for side in sides) else [[side] for side in sides]
    rng = stream(seed, "bootstrap of a margin")
    drawn = [value for alike in together for value in _resampled(alike, n_resamples, metric, rng)]
    differences = drawn[0] - (drawn[1] if other is not None else chance(metric))
    low, high = np.quantile(differences[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    if other is None:
        kinds = int(one.is_member.sum()), int((~one.is_member).sum())
        if ends := certain(metric, float(drawn[0][0]), drawn[0][1:], *kinds):
            low, high = np.subtract(ends, chance(metric))
    return float(differences[0]), float(low), float(high)


def _resampled(
    sides: Sequence[Decisions], n_resamples: int, metric: str, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """The metric (1 + n_resamples,) of each of several attacks on the same points: as it is, then of drawn points."""
    keys, code = [side.key(metric) for side in sides], sides[0].is_member.astype(int)
    for key in keys:  # points that are alike to all sides are one cell
        code = code * (key.max() + 1) + key
    _, first, counts = np.unique(code, return_index=True, return_counts=True)
    is_member = sides[0].is_member[first]
    weights = np.zeros((1 + n_resamples, len(first)), int)
    weights[0] = counts
    for kind in (is_member, ~is_member):
        if n := counts[kind].sum():
            weights[1:, kind] = rng.multinomial(n, counts[kind] / n, size=n_resamples)
    for key in keys:
        yield _measured(metric, key[first], is_member, weights)


def _measured(metric: str, key: np.ndarray, is_member: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The metric (r,) of cells of points with a key and a membership (c,), each of them so many times: ints (r, c)."""
    if metric == "accuracy":
        kinds = [kind for kind in (is_member, ~is_member) if kind.any()]
        return np.mean([weights[:, kind] @ key[kind] / weights[:, kind].sum(axis=1) for kind in kinds], axis=0)
    order = np.argsort(key, kind="stable")
    ends = np.flatnonzero(np.diff(key[order], append=-1))
    tpr, fpr = (rates((weights * kind)[:, order], ends) for kind in (is_member, ~is_member))
    target = fpr_of(metric)
    return area(tpr, fpr) if target is None else highest_rate(tpr, fpr, target)
