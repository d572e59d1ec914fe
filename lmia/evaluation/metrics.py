"""How well scores tell members from non-members. Pure functions of small arrays.

Scores are floats of shape (n,), higher = more member-like; `is_member` is bool of shape (n,). Label-only scores take
few distinct values, so ties are the rule: tied examples always fall on the same side of a threshold, and the
ROC is never interpolated between distinct thresholds.
"""

import numpy as np
from numpy.typing import ArrayLike


def _checked(scores: ArrayLike, is_member: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    scores = np.asarray(scores, dtype=float)
    is_member = np.asarray(is_member, dtype=bool)
    if scores.shape != is_member.shape or scores.ndim != 1:
        raise ValueError(f"expected scores and is_member of one shape (n,), got {scores.shape} and {is_member.shape}")
    if np.isnan(scores).any():
        raise ValueError(f"expected finite or infinite scores, got {int(np.isnan(scores).sum())} NaN")
    if is_member.all() or not is_member.any():
        raise ValueError("expected members and non-members, got only one kind")
    return scores, is_member


def roc(scores: ArrayLike, is_member: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All achievable (fpr, tpr) pairs, one per distinct threshold, from (0, 0) to (1, 1).

    A rate k / n is the float nearest to it, as is a written 0.01, so rates are compared without a tolerance.

    Returns (fpr, tpr, thresholds), each of shape (k + 1,) for k distinct scores; point i classifies as member
    whatever has score >= thresholds[i], and thresholds[0], inf, stands for nobody.
    """
    scores, is_member = _checked(scores, is_member)
    thresholds, group = np.unique(-scores, return_inverse=True)
    tp = np.bincount(group, weights=is_member, minlength=len(thresholds)).cumsum()
    fp = np.bincount(group, weights=~is_member, minlength=len(thresholds)).cumsum()
    start = np.zeros(1)
    return (
        np.concatenate([start, fp / fp[-1]]),
        np.concatenate([start, tp / tp[-1]]),
        np.concatenate([[np.inf], -thresholds]),
    )


def auc(scores: ArrayLike, is_member: ArrayLike) -> float:
    """Probability that a random member scores above a random non-member, ties counting one half."""
    fpr, tpr, _ = roc(scores, is_member)
    return float(np.trapezoid(tpr, fpr))


def tpr_at_fpr(scores: ArrayLike, is_member: ArrayLike, fpr: float) -> float:
    """Largest true-positive rate among thresholds whose false-positive rate is at most `fpr` (a fraction).

    Returns NaN, not resolvable, where `fpr` is below one false positive among the non-members at hand.
    """
    scores, is_member = _checked(scores, is_member)
    if fpr * np.sum(~is_member) < 1:
        return float("nan")
    fprs, tprs, _ = roc(scores, is_member)
    return float(tprs[fprs <= fpr].max())


def best_threshold(scores: ArrayLike, is_member: ArrayLike) -> float:
    """The threshold t that maximises balanced accuracy of the rule `score >= t`, for use on shadow data only.

    It lies midway between the neighbouring distinct scores, so that it carries over to other data; among equally
    good thresholds the largest is taken. It is -inf where the best rule calls all members, and NaN, which no score
    reaches, where it calls nobody one: censored searches score +inf.
    """
    fpr, tpr, thresholds = roc(scores, is_member)
    best = int(np.argmax(tpr - fpr))
    if best == 0:
        return float("nan")
    if best == len(thresholds) - 1:
        return float("-inf")
    above, below = thresholds[best], thresholds[best + 1]
    if not np.isfinite([above, below]).all():
        return float(above)
    middle = above / 2 + below / 2
    return float(middle if below < middle <= above else above)


def best_accuracy(scores: ArrayLike, is_member: ArrayLike) -> float:
    """Balanced accuracy at `best_threshold`, a fraction: how good scores look where their threshold is chosen."""
    return at_threshold(scores, is_member, best_threshold(scores, is_member))["accuracy"]


def at_threshold(scores: ArrayLike, is_member: ArrayLike, threshold: ArrayLike) -> dict[str, float]:
    """Balanced accuracy, precision, recall and F1 of the rule `score >= threshold`, as a dict of fractions.

    threshold: a float, or floats (n,) where each example has its own; NaN calls nobody a member.

    Precision is NaN where nothing is called a member, and F1 then 0.
    """
    scores, is_member = _checked(scores, is_member)
    guess = scores >= np.asarray(threshold, dtype=float)
    tp, fp = np.sum(guess & is_member), np.sum(guess & ~is_member)
    fn, tn = np.sum(~guess & is_member), np.sum(~guess & ~is_member)
    return {
        "accuracy": float((tp / (tp + fn) + tn / (tn + fp)) / 2),
        "precision": float(tp / (tp + fp)) if tp + fp else float("nan"),
        "recall": float(tp / (tp + fn)),
        "f1": float(2 * tp / (2 * tp + fp + fn)),
    }
