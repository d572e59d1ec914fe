"""Attack P (Ye et al. 2022): an example's confidence, compared with a population's under the same model.

Not label-only, and it needs no shadows: it puts targets on one scale, and leaves examples as hard as they are.
"""

from collections.abc import Sequence

import numpy as np

from lmia.attacks.observations import Confidences
from lmia.calibration.ranks import population_of, share_below


class Calibration:
    """Score = share of the population of which the target is less sure than of the example; ties by its phi."""

    reads = ("confidences",)

    def score(self, target: Confidences, shadows: Sequence[Confidences], is_member: np.ndarray) -> np.ndarray:
        """Floats (N,) in [0, 1]. Shadows are not looked at. Raises ValueError where there is no population."""
        return share_below(target.log_odds(), population_of(target))
