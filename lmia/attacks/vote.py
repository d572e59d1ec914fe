"""Noise robustness (section 4.3 of the paper): the share of a point's noisy copies that keep the true class."""


class Attack:
    """Score = share of correct answers, the unmodified input counted as one of them."""

    reads = ("labels",)

    def fit(self, shadow, is_member):
        """Nothing to learn: strength and threshold are chosen on the shadow by whoever scores."""
        return self

    def score(self, target):
        """Share of correct answers, floats (n,)."""
        return target.features().mean(axis=1)
