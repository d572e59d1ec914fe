"""Turn observations of a target and of its shadows into membership scores.

Everything is chosen on the shadows, but for the threshold of an attack that has none of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lmia.attacks.observation_files import ObservedModels
from lmia.attacks.observations import Answers, Observations
from lmia.attacks.score_checks import check_fitted, check_scores
from lmia.attacks.tuning import tune


@dataclass(frozen=True)
class AttackResult:
    """What an attack says of a target's points, run in one way.

    setting: "" for the attack as it is meant to be run, else the one thing that is fixed, as "budget=250" or
    "degrees=4"; scores: floats (n,); threshold: tuned on the shadow, or the attack's own, floats (n,) where points have
    their own, NaN where none is called a member; queries: mean per example; chosen: magnitude that the shadow picked,
    NaN where there is none to pick; searches: (censored, all) that the scores rest on, of the target's points;
    of_shadows: what the threshold was chosen on, scores (m,) of rows of shadows and their membership, None where halves
    of a model stood for shadows.
    """

    setting: str
    scores: np.ndarray
    threshold: float | np.ndarray
    queries: float
    chosen: float
    searches: tuple[int, int]
    of_shadows: tuple[np.ndarray, np.ndarray] | None = None


def run_attack(
    make: Callable[[], Any],
    target: Observations,
    shadows: Sequence[Observations],
    is_member: Sequence[np.ndarray],
    unit: str = "",
    budget: int | None = None,
    budgets: Sequence[int] = (),
) -> list[AttackResult]:
    """Score the target in every way that one attack asks for, the main one first.

    Args:
        make: () -> attack, as `lmia.attacks` has them.
        target: What was observed of the target.
        shadows: The like of each shadow, at least one.
        is_member: Bools (n,) for each shadow.
        unit: Name of the magnitudes.
        budget: Most queries per example, None for all that were asked.
        budgets: Smaller ones to report as well.

    Raises BadScores where the attack gives something else than one score for each example.
    """
    shadow = type(shadows[0]).concatenate(shadows)  # type: ignore[arg-type]  # all are of one kind
    is_shadow_member = np.concatenate(is_member)

    def run(cap: int | None) -> list[tuple[float, AttackResult]]:
        """(accuracy on the shadow, result) of each magnitude, or of the one way there is."""
        magnitudes = shadow.settings() or [None]
        return [_run(make, target, shadow, is_shadow_member, cap, magnitude) for magnitude in magnitudes]

    def best(results: list[tuple[float, AttackResult]], setting: str) -> AttackResult:
        # max takes the first, so the smallest magnitude, among equals
        return replace(max(results, key=lambda result: result[0])[1], setting=setting)

    results = run(budget)
    capped = [best(run(cap), f"budget={cap}") for cap in budgets]
    sweep = [replace(result, setting=f"{unit}={result.chosen:g}") for _, result in results if shadow.settings()]
    return [best(results, ""), *capped, *sweep]


def score_block(
    make: Callable[[], Any],
    targets: ObservedModels,
    shadows: Sequence[ObservedModels],
    is_member: Sequence[np.ndarray],
    budget: int | None,
    budgets: Sequence[int],
) -> dict[str, np.ndarray]:
    """Score the target of each seed of a block by its own shadows: see `as_arrays`.

    Args:
        make: See `run_attack`.
        targets: The targets, s of them, with n points each.
        shadows: The like of each shadow.
        is_member: Bools (s, n) for each shadow.
        budget: See `run_attack`.
        budgets: See `run_attack`.
    """
    results = []
    for s, target in enumerate(targets.per_seed):
        of_shadows = [models.per_seed[s] for models in shadows]
        results.append(run_attack(make, target, of_shadows, [of[s] for of in is_member], targets.unit, budget, budgets))
    return as_arrays(results, targets)


def as_arrays(results: Sequence[list[AttackResult]], targets: ObservedModels) -> dict[str, np.ndarray]:
    """Results of each target as arrays of an artifact of scores.

    Shapes are (s, w), of w ways to run the attack: scores (s, w, n), thresholds, or (s, w, n) of them, queries, chosen
    and searches (s, w, 2), as `AttackResult` has them; and settings (w,), can_rank (s,) and example_ids (s, n).
    """
    fields = {"scores": "scores", "thresholds": "threshold", "queries": "queries", "chosen": "chosen"}
    fields |= {"searches": "searches"}
    arrays = {name: np.array([[getattr(w, of) for w in ways] for ways in results]) for name, of in fields.items()}
    return arrays | {
        "settings": np.array([way.setting for way in results[0]]),
        "can_rank": np.array([target.can_rank for target in targets.per_seed]),
        "example_ids": targets.example_ids,
    }


def _run(
    make: Callable[[], Any],
    target: Observations,
    shadow: Observations,
    is_member: np.ndarray,
    budget: int | None,
    magnitude: float | None,
) -> tuple[float, AttackResult]:
    """(balanced accuracy on the shadow, result) of an attack at one budget and magnitude."""
    shadow, target = (_reduce(observations, budget, magnitude) for observations in (shadow, target))
    attack = check_fitted(make().fit(shadow, is_member))
    tuned = tune(attack, shadow, is_member)
    own = attack.threshold_on(target) if hasattr(attack, "threshold_on") else None
    threshold = tuned.threshold if own is None else own
    scores = check_scores("score", attack.score(target), len(target.classes))
    queries = float(target.queries().mean())
    chosen = float("nan") if magnitude is None else magnitude
    return tuned.accuracy, AttackResult(
        "", scores, threshold, queries, chosen, target.searches(), (tuned.scores, is_member)
    )


def _reduce(observations: Observations, budget: int | None, magnitude: float | None) -> Observations:
    if isinstance(observations, Answers) and magnitude is not None:
        observations = observations.at(magnitude)
    return observations if budget is None else observations.cut(budget)
