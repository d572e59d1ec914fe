"""Attack a model of which some members and non-members are known: one half of these stands for a shadow of the other.

No other model is needed, and no record is judged by a threshold, a magnitude or a rule that has seen whether it is a
member.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lmia.attacks.observations import Observations
from lmia.attacks.scoring import AttackResult, run_attack
from lmia.streams import stream


def halves(is_member: np.ndarray, seed: int) -> np.ndarray:
    """Which half each of n records is in, ints (n,) of 0 and 1, with half of the members and of the others in each.

    is_member: bools (n,); seed: of the draw.
    """
    draw, half = stream(seed, "halves of the known records"), np.zeros(len(is_member), dtype=int)
    for kind in (True, False):
        half[draw.permutation(np.flatnonzero(is_member == kind))[::2]] = 1
    return half


def run_on_halves(
    make: Callable[[], Any],
    target: Observations,
    is_member: np.ndarray,
    half: np.ndarray,
    unit: str = "",
    budget: int | None = None,
    budgets: Sequence[int] = (),
) -> list[AttackResult]:
    """Score each half by what the other half teaches, in every way that one attack asks for, the main one first.

    Thresholds are of each record, floats (n,). The magnitude `chosen` is NaN where the halves picked different ones:
    such scores are of two measures, as those of a classifier are of two fits, and rank less well together.

    Args:
        make: See `run_attack`.
        target: What was observed of all n records.
        is_member: Bools (n,).
        half: As `halves` draws it, ints (n,).
        unit: See `run_attack`.
        budget: See `run_attack`.
        budgets: See `run_attack`.
    """
    found = []
    for own in (0, 1):
        rows, others = np.flatnonzero(half == own), np.flatnonzero(half != own)
        known = [target.take(others)], [is_member[others]]
        found.append((rows, run_attack(make, target.take(rows), *known, unit, budget, budgets)))
    (rows, one), (other_rows, other) = found
    order = np.argsort(np.concatenate([rows, other_rows]))
    return [_joined(*pair, order) for pair in zip(one, other, strict=True)]


def _joined(one: AttackResult, other: AttackResult, order: np.ndarray) -> AttackResult:
    """The results of both halves as one, of the records in their order."""
    parts = (one, other)
    sizes = [len(part.scores) for part in parts]
    thresholds = [np.full(size, part.threshold) for size, part in zip(sizes, parts, strict=True)]
    censored, searches = np.sum([part.searches for part in parts], axis=0).tolist()
    return AttackResult(
        one.setting,
        np.concatenate([part.scores for part in parts])[order],
        np.concatenate(thresholds)[order],
        float(np.average([part.queries for part in parts], weights=sizes)),
        one.chosen if one.chosen == other.chosen else float("nan"),
        (censored, searches),
    )
