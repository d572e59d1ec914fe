"""Boundary distance, calibrated by how hard the point is: by its distance from the boundary of models without it.

Difficulty calibration (Watson et al. 2022) for distances from labels alone. Some points lie far from the boundary of
any model; a point that lies further from this one than from models that have not seen it was learned. The distance of
such reference models costs no query of the target.
"""

from typing import Self

import numpy as np

from lmia.attacks.observations import Distances
from lmia.calibration.logistic import fit

PENALTY = 1.0  # of the squared coefficients of standardised columns
FOLDS = 5  # of the shadow's rows, each scored by what the other folds teach


class Attack:
    """Score = log odds of membership, by a logistic regression that learns from the shadow.

    It reads the logarithms of the distance and of the references' distance, and whether either misclassifies the point.
    Censored distances count as the largest on the shadow. What a point has no number for (a distance where it is
    misclassified, all of the references' where there are none) tells nothing of it.
    """

    reads = ("distances",)

    def fit(self, shadow: Distances, is_member: np.ndarray) -> Self:
        """Learn to tell the shadow's members, bool (n,), from its non-members.

        Raises ValueError where the search around the points started at no references.
        """
        distances = _distances(shadow)
        usable = np.isfinite(distances) & (distances > 0)
        self._most = np.where(usable, distances, 0).max(axis=0)
        self._most[self._most == 0] = 1.0  # nothing lies anywhere, so all counts as equally far
        columns = self._columns(shadow)
        known = ~np.isnan(columns)
        n = known.sum(axis=0).clip(1)
        self._mean = np.where(known, columns, 0).sum(axis=0) / n
        spread = np.sqrt(np.square(np.where(known, columns - self._mean, 0)).sum(axis=0) / n)
        self._scale = np.where(spread > 0, spread, 1.0)
        self._weights = _weights(self._rows(shadow), is_member)
        self._shadow_scores = self._held_out(self._rows(shadow), is_member)
        return self

    def shadow_scores(self) -> np.ndarray:
        """Scores of the shadow's own rows, floats (n,), each by a regression without that row's fold."""
        return self._shadow_scores

    def score(self, target: Distances) -> np.ndarray:
        """Log odds of membership, floats (n,). Raises ValueError as `fit` does."""
        return _scores(self._rows(target), self._weights)

    def _columns(self, observed: Distances) -> np.ndarray:
        """Logarithms of both distances and whether either is 0, floats (n, 4), NaN where there is no number."""
        distances = np.minimum(_distances(observed), self._most)
        wrong = np.where(np.isnan(distances), np.nan, distances == 0)
        logs = np.log(np.where(distances > 0, distances, 1.0))
        return np.column_stack([np.where(distances > 0, logs, np.nan), wrong])

    def _rows(self, observed: Distances) -> np.ndarray:
        """The columns, standardised on the shadow, 0 where there is no number."""
        return np.nan_to_num((self._columns(observed) - self._mean) / self._scale)

    @staticmethod
    def _held_out(rows: np.ndarray, is_member: np.ndarray) -> np.ndarray:
        kinds = [np.flatnonzero(is_member), np.flatnonzero(~is_member)]
        n_folds, scores = min(FOLDS, *map(len, kinds)), np.empty(len(rows))
        if n_folds < 2:
            return _scores(rows, _weights(rows, is_member))
        for number in range(n_folds):
            fold = np.concatenate([kind[number::n_folds] for kind in kinds])
            rest = np.setdiff1d(np.arange(len(rows)), fold)
            scores[fold] = _scores(rows[fold], _weights(rows[rest], is_member[rest]))
        return scores


def _distances(observed: Distances) -> np.ndarray:
    """Of the model and of the references, floats (n, 2)."""
    if observed.reference_distance is None:
        raise ValueError(
            "reference_distance: expected how far each point is from the boundary of models without it, got none; "
            "search with schedule: warm, or from Python with references"
        )
    return np.column_stack([observed.features()[:, 0], observed.reference_distance]).astype(float)


def _weights(rows: np.ndarray, is_member: np.ndarray) -> np.ndarray:
    return fit(rows[None], is_member[None], 1 / PENALTY)[0]


def _scores(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return rows @ weights[1:] + weights[0]
