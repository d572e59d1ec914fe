"""Baseline with confidences: the largest one (Salem et al. 2019)."""


class Attack:
    """Score = confidence in the predicted class."""

    reads = ("confidences",)

    def fit(self, shadow, is_member):
        """Nothing to learn."""
        return self

    def score(self, target):
        """Largest probability of each row, floats (n,)."""
        return target.probabilities.max(axis=1).astype(float)
