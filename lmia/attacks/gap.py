"""Gap attack (Yeom et al. 2018): a member iff the model labels it correctly."""

from typing import Self

import numpy as np

from lmia.attacks.observations import Answers


class Attack:
    """Score 1 where the unmodified input gets its true class, else 0."""

    reads = ("labels",)
    threshold = 0.5  # the rule is whole as it stands: a shadow that labels all rightly must not make it a constant one

    def fit(self, shadow: Answers, is_member: np.ndarray) -> Self:
        """Nothing to learn."""
        return self

    def score(self, target: Answers) -> np.ndarray:
        """Correctness of column 0, floats (n,)."""
        return target.features()[:, 0]
