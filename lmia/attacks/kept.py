"""One-shot decisions (YOQO of Wu et al. 2024, OSLO of Peng et al. 2024): a member iff a crafted query keeps the label.

Nothing is read but the last answer: of several crafted queries, a budget chooses another one.
"""

from typing import Self

import numpy as np

from lmia.attacks.observations import Answers


class Attack:
    """Score 1 where the last query gets the true class, else 0."""

    reads = ("labels",)
    threshold = 0.5  # the queries were chosen so that the answer is the decision

    def fit(self, shadow: Answers, is_member: np.ndarray) -> Self:
        """Nothing to learn."""
        return self

    def score(self, target: Answers) -> np.ndarray:
        """Correctness of the last column, floats (n,)."""
        return target.features()[:, -1]
