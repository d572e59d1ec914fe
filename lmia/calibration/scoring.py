"""Score the targets of a pool by calibrated rules and by plain ones. Everything is chosen on the shadows."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lmia.attacks.observation_files import ObservedModels
from lmia.attacks.observations import Observations
from lmia.attacks.score_checks import check_scores
from lmia.attacks.scoring import AttackResult, as_arrays, run_attack
from lmia.calibration.pools import judge_targets, leave_one_out
from lmia.evaluation.epsilon import choose_shares
from lmia.evaluation.metrics import best_threshold

MAX_PSEUDO_TARGETS = 2  # shadows that are scored as if each were the target, to choose a threshold


def run_calibration(
    rule: Any,
    target: Observations,
    shadows: Sequence[Observations],
    is_member: np.ndarray,
    budget: int | None = None,
    budgets: Sequence[int] = (),
    fewer: Sequence[int] = (),
) -> list[AttackResult]:
    """Score a target by a calibrated rule in every way that is asked for, the main one first.

    The threshold of each way is the best for shadows that are scored like the target, by the other shadows.

    Args:
        rule: A `Calibration`.
        target: What was observed of the target.
        shadows: The like of each shadow, of the same N examples: pairs, one after the other, at least two.
        is_member: Bools (R, N), of the shadows.
        budget: Most queries per example, None for all that were asked.
        budgets: Smaller ones to report as well.
        fewer: Smaller numbers of shadows to report as well, even.

    Raises BadScores where the rule gives something else than one score for each example.
    """

    def run(setting: str, cap: int | None, n_shadows: int | None) -> AttackResult:
        asked, of_shadows = _cut(target, cap), [_cut(shadow, cap) for shadow in shadows]
        scores = rule.score(asked, of_shadows[:n_shadows], is_member[:n_shadows])
        scores = check_scores("score", scores, is_member.shape[1])
        pseudo = range(0, len(shadows), 2)[:MAX_PSEUDO_TARGETS]
        others = min(n_shadows or len(shadows), len(shadows) - 2)  # all that are left of the shadows at most
        tried = leave_one_out(rule.score, of_shadows, is_member, others, {model: of_shadows[model] for model in pseudo})
        of_shadows_scored = tried.ravel(), is_member[list(pseudo)].ravel()
        threshold, queries = best_threshold(*of_shadows_scored), float(asked.queries().mean())
        return AttackResult(setting, scores, threshold, queries, float("nan"), asked.searches(), of_shadows_scored)

    capped = [run(f"budget={cap}", cap, None) for cap in budgets]
    return [run("", budget, None), *capped, *(run(f"shadows={n}", budget, n) for n in fewer)]


def score_targets(
    make: Callable[[], Any],
    targets: ObservedModels,
    numbers: Sequence[int],
    observed: Sequence[Observations],
    is_member: np.ndarray,
    budget: int | None,
    budgets: Sequence[int],
    fewer: Sequence[int],
    guessed: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Score some targets of a pool: arrays of an artifact of scores, as `lmia.attacks.scoring.as_arrays` has them.

    Besides, shares (s, w, 2) of examples to guess as members, and as none, where epsilon is to be bounded
    (`lmia.evaluation.epsilon`): chosen on the shadows, like thresholds.

    Args:
        make: () -> a `Calibration`, or an attack, as `lmia.attacks` has them, which takes all shadows together.
        targets: The models that are targets, s of them, with N points each, the same for all.
        numbers: Of each of them, its place among the K models.
        observed: What is known of all K models as shadows, of the same points.
        is_member: Bools (K, N).
        budget: See `run_calibration`.
        budgets: See `run_calibration`.
        fewer: See `run_calibration`.
        guessed: Bools (N,), the examples whose membership is guessed to bound epsilon, None for all.
    """

    def ways(target: Observations, shadows: list[Observations], known: np.ndarray) -> list[AttackResult]:
        if hasattr(rule := make(), "fit"):
            few = [(f"shadows={n}", shadows[:n], known[:n]) for n in fewer]
            results = run_attack(make, target, shadows, list(known), targets.unit, budget, budgets)
            return results + [
                replace(run_attack(make, target, some, list(bits), budget=budget)[0], setting=setting)
                for setting, some, bits in few
            ]
        return run_calibration(rule, target, shadows, known, budget, budgets, fewer)

    asked = dict(zip(numbers, targets.per_seed, strict=True))
    results = judge_targets(ways, observed, is_member, targets=asked)
    of = np.ones(is_member.shape[1], bool) if guessed is None else guessed
    shares = [[_shares(way, of) for way in of_target] for of_target in results]
    return as_arrays(results, targets) | {"shares": np.array(shares)}


def _shares(result: AttackResult, guessed: np.ndarray) -> tuple[float, float]:
    assert result.of_shadows is not None  # a pool has shadows
    scores, is_member = (rows.reshape(-1, len(guessed))[:, guessed].ravel() for rows in result.of_shadows)
    return choose_shares(scores, is_member, int(guessed.sum()))


def _cut(observed: Observations, budget: int | None) -> Observations:
    return observed if budget is None else observed.cut(budget)
