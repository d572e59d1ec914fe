"""What an attacker learns from the shadow about an attack that is fitted to it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lmia.attacks.score_checks import check_scores
from lmia.evaluation.metrics import at_threshold, best_threshold


@dataclass(frozen=True)
class Tuned:
    """scores: of the shadow's own rows, floats (n,); threshold: members have score >= it; accuracy: balanced, there."""

    scores: np.ndarray
    threshold: float
    accuracy: float


def tune(attack: Any, shadow: Any, is_member: np.ndarray) -> Tuned:
    """Threshold of a fitted attack, its own where it has one.

    attack: as `lmia.attacks` has them; shadow: observations (`lmia.attacks.observations`); is_member: bool (n,).

    A rule that learns fits its own rows too well: where it has scores of rows held out from it, they decide. Raises
    BadScores for what are no scores.
    """
    method = "shadow_scores" if hasattr(attack, "shadow_scores") else "score"
    scores = attack.shadow_scores() if method == "shadow_scores" else attack.score(shadow)
    scores = check_scores(method, scores, len(is_member))
    threshold = getattr(attack, "threshold", None)
    if threshold is None:
        threshold = best_threshold(scores, is_member)
    return Tuned(scores, threshold, at_threshold(scores, is_member, threshold)["accuracy"])
