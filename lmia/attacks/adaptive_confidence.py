"""Baseline with confidences of an attacker who knows the defense: the best of all rules under the mask.

Jia et al. (2019) have attackers learn on answers under their mask, Song and Mittal (2021) have them take the best of
several rules, right labels among them, and find masks worth far less than against attackers who ignore them.
"""

from typing import Self

import numpy as np

from lmia.attacks import classifier, max_confidence, true_confidence
from lmia.attacks.observations import Confidences
from lmia.attacks.tuning import tune

KNOWS_MASKS = True
MIN_CONFIDENCE = 1e-12  # stands for confidences of 0 in logarithms


class RightLabel:
    """The gap attack, as the largest confidence tells the label."""

    threshold = 0.5

    def fit(self, shadow: Confidences, is_member: np.ndarray) -> Self:
        """Nothing to learn."""
        return self

    def score(self, target: Confidences) -> np.ndarray:
        """1 where the true class has the largest confidence, else 0, floats (n,)."""
        return (target.probabilities.argmax(axis=1) == target.classes).astype(float)


class ModifiedEntropy:
    """Song and Mittal's (2021): 0 for the whole confidence in the true class, large for it in another."""

    def fit(self, shadow: Confidences, is_member: np.ndarray) -> Self:
        """Nothing to learn."""
        return self

    def score(self, target: Confidences) -> np.ndarray:
        """Its negative, floats (n,)."""
        wrong = target.features().astype(float)  # sorted, so that equal vectors have equal sums to the last bit
        wrong[:, 0] = 1 - wrong[:, 0]  # of the true class, what it does not get
        return (wrong * np.log(np.maximum(1 - wrong, MIN_CONFIDENCE))).sum(axis=1)


RULES = (RightLabel, true_confidence.Attack, max_confidence.Attack, ModifiedEntropy, classifier.Attack)


class Attack:
    """One of RULES, the most accurate on the shadow; among equals the first, so where masks leave labels, the label."""

    reads = ("confidences",)

    def fit(self, shadow: Confidences, is_member: np.ndarray) -> Self:
        """Choose by balanced accuracy, of those that learn on rows that they had not seen."""
        rules = [make().fit(shadow, is_member) for make in RULES]
        tuned = [tune(rule, shadow, is_member) for rule in rules]
        best = int(np.argmax([one.accuracy for one in tuned]))  # the first among equals
        self._rule, self._shadow_scores, self.threshold = rules[best], tuned[best].scores, tuned[best].threshold
        return self

    def shadow_scores(self) -> np.ndarray:
        """Scores of the shadow's own rows, floats (n,)."""
        return self._shadow_scores

    def score(self, target: Confidences) -> np.ndarray:
        """Scores of the chosen rule, floats (n,)."""
        return self._rule.score(target)
