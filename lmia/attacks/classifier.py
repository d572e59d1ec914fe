"""A small neural network on a vector of observations, trained on the shadow's.

On answer bits it is the paper's augmentation attack (section 4.1), on the distances of shifted copies its combined
attack, on confidences the baseline of Shokri et al. (2017).
"""

import warnings
from collections.abc import Sequence
from typing import Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from lmia.attacks.observations import Observations
from lmia.evaluation.metrics import best_accuracy


class Attack:
    """Two hidden layers of ReLU units (the released code: leaky ReLU), fitted by L-BFGS.

    Args:
        hidden: Units of each layer.
        weight_decays: Strengths of L2 weight decay to choose from by cross-validation on the shadow (the released code
            chooses a learning rate on the shadow likewise).
        folds: Of that, at random over rows, which are independent of each other.
        seed: Of weights and folds.
    """

    reads = ("labels", "distances", "confidences")

    def __init__(
        self,
        hidden: Sequence[int] = (10, 10),
        weight_decays: Sequence[float] = (1.0, 10.0, 100.0),
        folds: int = 3,
        seed: int = 0,
    ):
        self._hidden, self._weight_decays, self._folds, self._seed = tuple(hidden), weight_decays, folds, seed

    def fit(self, shadow: Observations, is_member: np.ndarray) -> Self:
        """Learn to tell the shadow's members, bool (n,), from its non-members."""
        features = shadow.features()
        finite = features[np.isfinite(features)]
        self._ceiling = finite.max() if finite.size else 0.0
        features = self._finite(features)
        splitter = StratifiedKFold(self._folds, shuffle=True, random_state=self._seed)
        folds = list(splitter.split(features, is_member))
        held_out = {decay: self._held_out(features, is_member, decay, folds) for decay in self._weight_decays}
        decay = max(held_out, key=lambda decay: best_accuracy(held_out[decay], is_member))
        self._shadow_scores = held_out[decay]
        self._fitted = self._train(features, is_member, decay)
        return self

    def shadow_scores(self) -> np.ndarray:
        """Probability of membership of the shadow's own rows, floats (n,), each from a fit without that row's fold."""
        return self._shadow_scores

    def score(self, target: Observations) -> np.ndarray:
        """Probability of membership, floats (n,)."""
        return self._predict(self._fitted, self._finite(target.features()))

    def _finite(self, features: np.ndarray) -> np.ndarray:
        # A censored distance is at least as far as any that was found on the shadow.
        return np.minimum(features, self._ceiling)

    def _held_out(
        self, features: np.ndarray, is_member: np.ndarray, decay: float, folds: list[tuple[np.ndarray, np.ndarray]]
    ) -> np.ndarray:
        """Scores (n,), each fold's by a network that was fitted on the rest."""
        scores = np.empty(len(features))
        for rest, fold in folds:
            scores[fold] = self._predict(self._train(features[rest], is_member[rest], decay), features[fold])
        return scores

    def _train(self, features: np.ndarray, is_member: np.ndarray, decay: float) -> tuple[StandardScaler, MLPClassifier]:
        # Equal rows become one row with a weight: answer bits have few patterns, and a fit costs as much as its rows.
        rows, pattern = np.unique(np.column_stack([features, is_member]), axis=0, return_inverse=True)
        weights = np.bincount(pattern.ravel()).astype(float)
        scaler = StandardScaler().fit(rows[:, :-1], sample_weight=weights)
        network = MLPClassifier(self._hidden, alpha=decay, solver="lbfgs", max_iter=100, random_state=self._seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # held-out folds judge the fit, not its gradient
            network.fit(scaler.transform(rows[:, :-1]), rows[:, -1] > 0.5, sample_weight=weights)
        return scaler, network

    @staticmethod
    def _predict(fitted: tuple[StandardScaler, MLPClassifier], features: np.ndarray) -> np.ndarray:
        scaler, network = fitted
        return np.asarray(network.predict_proba(scaler.transform(features)))[:, 1]
