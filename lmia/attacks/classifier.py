"""A small neural network on a vector of observations, trained on the shadow's.

On answer bits it is the paper's augmentation attack (section 4.1), on the distances of shifted copies its combined
attack, on confidences the baseline of Shokri et al. (2017).
"""

from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from lmia.attacks.network import Network
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
        held_out = {decay: np.empty(len(features)) for decay in self._weight_decays}
        for rest, fold in splitter.split(features, is_member):
            rows = _Rows(features[rest], is_member[rest])
            for decay, scores in held_out.items():
                scores[fold] = self._train(rows, decay)(features[fold])
        decay = max(held_out, key=lambda decay: best_accuracy(held_out[decay], is_member))
        self._shadow_scores = held_out[decay]
        self._fitted = self._train(_Rows(features, is_member), decay)
        return self

    def shadow_scores(self) -> np.ndarray:
        """Probability of membership of the shadow's own rows, floats (n,), each from a fit without that row's fold."""
        return self._shadow_scores

    def score(self, target: Observations) -> np.ndarray:
        """Probability of membership, floats (n,)."""
        return self._fitted(self._finite(target.features()))

    def _finite(self, features: np.ndarray) -> np.ndarray:
        # A censored distance is at least as far as any that was found on the shadow.
        return np.minimum(features, self._ceiling)

    def _train(self, rows: "_Rows", decay: float) -> Callable[[np.ndarray], np.ndarray]:
        """From features (n, d) to the probability of membership (n,)."""
        network = Network(self._hidden, decay, self._seed).fit(rows.scaled, rows.is_member, rows.weights)
        return lambda features: network.predict(rows.scale(features))


class _Rows:
    """What networks are fitted to: features (k, d) of the same scale, their membership and their weights (k,).

    Equal rows become one row with a weight: answer bits have few patterns, and a fit costs as much as its rows.
    """

    def __init__(self, features: np.ndarray, is_member: np.ndarray) -> None:
        rows, pattern = np.unique(np.column_stack([features, is_member]), axis=0, return_inverse=True)
        self.weights = np.bincount(pattern.ravel()).astype(float)
        self._scaler = StandardScaler().fit(rows[:, :-1], sample_weight=self.weights)
        self.scaled, self.is_member = self.scale(rows[:, :-1]), rows[:, -1] > 0.5

    def scale(self, features: np.ndarray) -> np.ndarray:
        """Features (m, d) of other rows by the same scale."""
        return np.asarray(self._scaler.transform(features))
