"""A pool of models in complementary pairs, of which each is the target once and the others are its shadows.

Models 2p and 2p + 1 are a pair: a fair coin puts each audited example into the training set of one of the two. So the
bits of a target are the opposite of its partner's and independent of all others, and a rule that sees neither pair's
bits nor the partner's answers can learn nothing of the target's members but from the target's own answers.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from lmia.attacks.score_checks import check_scores

MIN_MODELS = 6  # a target, its partner, and two pairs of shadows, of which one judges the other to choose a threshold

Observed = TypeVar("Observed")
Found = TypeVar("Found")


def shadows_of(target: int, n_models: int, n_shadows: int | None = None) -> list[int]:
    """The models that a target is judged by: all others but its partner, or the first `n_shadows` of these.

    Raises ValueError where the pool is of an odd number of models, or has fewer shadows than are asked for.
    """
    if n_models % 2:
        raise ValueError(f"expected pairs of models, got {n_models} models")
    others = [model for model in range(n_models) if model // 2 != target // 2]
    if n_shadows is None:
        return others
    if n_shadows % 2 or not 0 < n_shadows <= len(others):
        raise ValueError(f"n_shadows: expected an even number up to {len(others)}, got {n_shadows}")
    return others[:n_shadows]


def leave_one_out(
    rule: Callable[[Observed, list[Observed], np.ndarray], np.ndarray],
    observed: Sequence[Observed],
    is_member: np.ndarray,
    n_shadows: int | None = None,
    targets: Mapping[int, Observed] | None = None,
) -> np.ndarray:
    """Scores of all examples under every target, floats (K, N), by a rule that gives them, higher = more member-like.

    The arguments are those of `judge_targets`. Raises BadScores where the rule gives something else.
    """
    found = judge_targets(rule, observed, is_member, n_shadows, targets)
    return np.stack([check_scores("score", scores, is_member.shape[1]) for scores in found])


def judge_targets(
    rule: Callable[[Observed, list[Observed], np.ndarray], Found],
    observed: Sequence[Observed],
    is_member: np.ndarray,
    n_shadows: int | None = None,
    targets: Mapping[int, Observed] | None = None,
) -> list[Found]:
    """What a rule finds of each target of a pool.

    This is the only way in which a rule sees a pool. It gets nothing of the target but its answers, and nothing at all
    of the partner. Leaving out the target alone would not do: where each example is a member of exactly half of the
    models, the others' bits tell the target's.

    Args:
        rule: (target, shadows, is_member of the shadows (R, N)) -> what it finds.
        observed: what was observed of each of the K models, of the same N examples in the same order.
        is_member: bools (K, N).
        n_shadows: how many shadows each target has, None for all.
        targets: number of each model that is to be a target -> what was observed of it as such, which a mask may make
            something else than what is known of it as a shadow; None for all models as they are.
    """
    found = []
    for target, answers in (dict(enumerate(observed)) if targets is None else targets).items():
        shadows = shadows_of(target, len(observed), n_shadows)
        found.append(rule(answers, [observed[shadow] for shadow in shadows], is_member[shadows]))
    return found
