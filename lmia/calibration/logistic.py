"""Calibrated augmentation attack (Aerni et al. 2024): for each example, a logistic regression over its answers.

It learns from the shadows which of the example's perturbed queries are answered rightly by models that were trained on
it. All regressions are fitted together, by Newton's method.
"""

from collections.abc import Sequence

import numpy as np
from scipy import special

from lmia.attacks.observations import Answers

STEPS = 25  # of Newton's method at most; with a penalty it needs about six
CLOSE = 1e-10  # of a step that is the last


class Calibration:
    """Score = log odds of membership, of which answers are right.

    Args:
        inverse_penalty: weight of the data against that of the squared coefficients, in (0, 100]: scikit-learn's C.
            With more, Newton's method may not end where answers tell members apart without error.
    """

    reads = ("labels",)

    def __init__(self, inverse_penalty: float = 1.0):
        if not 0 < inverse_penalty <= 100:
            raise ValueError(f"inverse_penalty: expected a number in (0, 100], got {inverse_penalty}")
        self.inverse_penalty = inverse_penalty

    def score(self, target: Answers, shadows: Sequence[Answers], is_member: np.ndarray) -> np.ndarray:
        """Floats (N,). target, shadows: answers to the same queries; is_member: bools (R, N), of the shadows."""
        rows = np.stack([shadow.features() for shadow in shadows], axis=1)  # (N, R, q)
        tells = (rows != rows[:, :1]).any(axis=(1, 2))  # else all shadows answer alike, and nothing is learned
        scores = np.zeros(len(rows))
        if tells.any():
            of_target = target.features()[tells]
            weights = fit(rows[tells], is_member.T[tells], self.inverse_penalty)
            scores[tells] = (weights[:, 1:] * of_target).sum(axis=1) + weights[:, 0]
        return scores


def fit(rows: np.ndarray, is_member: np.ndarray, inverse_penalty: float) -> np.ndarray:
    """Penalised maximum-likelihood coefficients (N, 1 + q) of N regressions, the unpenalised intercept first.

    rows: floats (N, R, q); is_member: bools (N, R), both kinds in every row.
    """
    n, r, q = rows.shape
    features = np.concatenate([np.ones((n, r, 1)), rows], axis=2)
    penalty = np.full(1 + q, 1 / inverse_penalty)
    penalty[0] = 0
    weights, wanted = np.zeros((n, 1 + q)), is_member.astype(float)
    for _ in range(STEPS):
        p = special.expit(np.einsum("nrq,nq->nr", features, weights))
        gradient = np.einsum("nrq,nr->nq", features, p - wanted) + penalty * weights
        hessian = np.einsum("nrq,nr,nrs->nqs", features, p * (1 - p), features, optimize=True) + np.diag(penalty)
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        weights -= step
        if np.abs(step).max() < CLOSE:
            break
    return weights
