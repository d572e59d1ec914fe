"""Baseline with confidences of an attacker who knows the defense: the best of all rules under the mask.

Jia et al. (2019) have attackers learn on answers under their mask, Song and Mittal (2021) have them take the best of
several rules, right labels among them, and find masks worth far less than against attackers who ignore them.
"""

import numpy as np

from lmia.attacks import classifier, max_confidence, true_confidence
from lmia.evaluation.metrics import at_threshold, best_threshold

KNOWS_MASKS = True
SMALLEST = 1e-12  # stands for confidences of 0 in logarithms


class RightLabel:
    """The gap attack, as the largest confidence tells the label."""

    threshold = 0.5

    def fit(self, shadow, is_member):
        """Nothing to learn."""
        return self

    def score(self, target):
        """1 where the true class has the largest confidence, else 0, floats (n,)."""
        return (target.probabilities.argmax(axis=1) == target.classes).astype(float)


class ModifiedEntropy:
    """Song and Mittal's (2021): 0 for the whole confidence in the true class, large for it in another."""

    def fit(self, shadow, is_member):
        """Nothing to learn."""
        return self

    def score(self, target):
        """Its negative, floats (n,)."""
        wrong = target.features().astype(float)  # sorted, so that equal vectors have equal sums to the last bit
        wrong[:, 0] = 1 - wrong[:, 0]  # of the true class, what it does not get
        return (wrong * np.log(np.maximum(1 - wrong, SMALLEST))).sum(axis=1)


RULES = (RightLabel, true_confidence.Attack, max_confidence.Attack, ModifiedEntropy, classifier.Attack)


class Attack:
    """One of RULES, the most accurate on the shadow; among equals the first, so where masks leave labels, the label."""

    reads = ("confidences",)

    def fit(self, shadow, is_member):
        """Choose by balanced accuracy, of those that learn on rows that they had not seen."""
        best = -np.inf
        for rule in (make().fit(shadow, is_member) for make in RULES):
            scores = rule.shadow_scores() if hasattr(rule, "shadow_scores") else rule.score(shadow)
            own = getattr(rule, "threshold", None)
            threshold = best_threshold(scores, is_member) if own is None else own
            accuracy = at_threshold(scores, is_member, threshold)["accuracy"]
            if accuracy > best:
                best, self._rule, self._shadow_scores, self.threshold = accuracy, rule, scores, threshold
        return self

    def shadow_scores(self):
        """Scores of the shadow's own rows, floats (n,)."""
        return self._shadow_scores

    def score(self, target):
        """Scores of the chosen rule, floats (n,)."""
        return self._rule.score(target)
