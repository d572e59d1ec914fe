"""A small neural network on a vector of observations, trained on the shadow's.

On answer bits it is the paper's augmentation attack (section 4.1), on the distances of shifted copies its combined
attack, on confidences the baseline of Shokri et al. (2017).
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from lmia.metrics import at_threshold, best_threshold


class Attack:
    """Two hidden layers of ReLU units (the released code: leaky ReLU), fitted by L-BFGS.

    hidden: units of each layer; decays: strengths of L2 weight decay to choose from by cross-validation on the shadow
    (the released code chooses a learning rate on the shadow likewise); folds: of that; seed: of weights and folds.
    """

    reads = ("labels", "distances", "confidences")

    def __init__(self, hidden=(10, 10), decays=(1.0, 10.0), folds=3, seed=0):
        self._hidden, self._decays, self._folds, self._seed = tuple(hidden), decays, folds, seed

    def fit(self, shadow, is_member):
        """Learn to tell the shadow's members, bool (n,), from its non-members."""
        features = shadow.features()
        finite = features[np.isfinite(features)]
        self._ceiling = finite.max() if finite.size else 0.0
        features = self._finite(features)
        folds = StratifiedKFold(self._folds, shuffle=True, random_state=self._seed)
        decay = max(self._decays, key=lambda decay: self._validate(features, is_member, decay, folds))
        self._parts = self._train(features, is_member, decay)
        return self

    def score(self, target):
        """Probability of membership, floats (n,)."""
        return self._predict(self._parts, self._finite(target.features()))

    def _finite(self, features):
        # A censored distance is at least as far as any that was found on the shadow.
        return np.minimum(features, self._ceiling)

    def _validate(self, features, is_member, decay, folds):
        """Balanced accuracy on held-out folds, each at the threshold of the rest."""
        quality = []
        for fit, held_out in folds.split(features, is_member):
            parts = self._train(features[fit], is_member[fit], decay)
            threshold = best_threshold(self._predict(parts, features[fit]), is_member[fit])
            guess = self._predict(parts, features[held_out])
            quality.append(at_threshold(guess, is_member[held_out], threshold)["accuracy"])
        return np.mean(quality)

    def _train(self, features, is_member, decay):
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
    def _predict(parts, features):
        scaler, network = parts
        return network.predict_proba(scaler.transform(features))[:, 1]
