"""Attack a model of which some members and non-members are known: one half of these stands for a shadow of the other.

No other model is needed, and no record is judged by a threshold, a magnitude or a rule that has seen whether it is a
member. Records in question, of which nobody knows, are put into the halves by a coin, and judged as the others are;
they teach nothing.
"""

from collections.abc import Callable, Mapping, Sequence
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
    return [_joined(pair, order) for pair in zip(one, other, strict=True)]


def in_both_measures(scored: Mapping[str, np.ndarray], half: np.ndarray) -> np.ndarray:
    """Scores of all n known records by the measure that judges half 0, and by that of half 1, floats (2, n).

    scored: arrays of an artifact of scores, of one model; half: as `halves` draws it. The halves may have picked
    different magnitudes, and how many of many copies keep their label says another thing at another magnitude. Scores
    at each magnitude are there as well, so that all records can be compared by the same.
    """
    main, chosen = scored["scores"][0, 0], scored["chosen"][0]
    sweep = [way for way, name in enumerate(scored["settings"]) if "=" in name and not np.isnan(chosen[way])]
    sweep = [way for way in sweep if not scored["settings"][way].startswith("budget=")]
    found = np.stack([main, main])
    for own in (0, 1) if np.isnan(chosen[0]) else ():
        rows = half == own
        same = [way for way in sweep if np.array_equal(scored["scores"][0, way][rows], main[rows])]
        if same:
            found[own] = scored["scores"][0, same[0]]
    return found


def halves_in_question(example_ids: np.ndarray, seed: int) -> np.ndarray:
    """As which half records in question are judged, ints (n,) of 0 and 1, whoever else is in question.

    example_ids: ints (n,); seed: of the draw.
    """
    coins = [stream(seed, "half of a record in question", int(example)).integers(2) for example in example_ids]
    return np.array(coins, dtype=int)


def judge_in_question(
    make: Callable[[], Any],
    target: Observations,
    is_member: np.ndarray,
    half: np.ndarray,
    in_question: Observations,
    own_half: np.ndarray,
    unit: str = "",
    budget: int | None = None,
) -> AttackResult:
    """Score records in question as the known records of their half are scored, by what the other half teaches.

    Args:
        make: See `run_attack`.
        target: What was observed of all n known records.
        is_member: Bools (n,).
        half: As `halves` draws it, ints (n,).
        in_question: The like of `target`, of m records.
        own_half: As `halves_in_question` draws it, ints (m,).
        unit: See `run_attack`.
        budget: See `run_attack`.
    """
    rows, parts = [], []
    for own in np.unique(own_half):
        rows.append(np.flatnonzero(own_half == own))
        others = np.flatnonzero(half != own)
        known = [target.take(others)], [is_member[others]]
        parts.append(run_attack(make, in_question.take(rows[-1]), *known, unit, budget)[0])
    return _joined(parts, np.argsort(np.concatenate(rows)))


def _joined(parts: Sequence[AttackResult], order: np.ndarray) -> AttackResult:
    """The results of the halves as one, of the records in their order."""
    sizes = [len(part.scores) for part in parts]
    thresholds = [np.full(size, part.threshold) for size, part in zip(sizes, parts, strict=True)]
    censored, searches = np.sum([part.searches for part in parts], axis=0).tolist()
    return AttackResult(
        parts[0].setting,
        np.concatenate([part.scores for part in parts])[order],
        np.concatenate(thresholds)[order],
        float(np.average([part.queries for part in parts], weights=sizes)),
        parts[0].chosen if parts[0].chosen == parts[-1].chosen else float("nan"),
        (censored, searches),
    )
