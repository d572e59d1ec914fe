"""Attack R (Ye et al. 2022): the rank of the target's confidence among models that were not trained on the example.

Not label-only.
"""

from collections.abc import Sequence

import numpy as np

from lmia.attacks.observations import Confidences
from lmia.calibration.lira import Normal
from lmia.calibration.ranks import fraction
from lmia.calibration.signals import signals


class Calibration:
    """Score = share of the shadows without the example whose phi is below the target's, smoothed.

    Of n such shadows the rank (1 + number below) / (n + 1) has n + 1 values, so 15 shadows could not tell 1 % of
    non-members. The score lies between one rank less and this rank: it grows with how many standard deviations,
    `shrunk` as `lira` has them, phi lies above these shadows' mean.
    """

    reads = ("confidences",)

    def score(self, target: Confidences, shadows: Sequence[Confidences], is_member: np.ndarray) -> np.ndarray:
        """Floats (N,) in [0, 1].

        target, shadows: confidences in the same N examples; is_member: bools (R, N), who was trained on what.
        """
        of_target, of_shadows = signals(target, shadows)
        outside = ~is_member
        z = Normal(of_shadows, outside, "shrunk").standardized(of_target)[:, 0]
        n_below = (outside & (of_shadows[:, :, 0] < of_target[:, 0])).sum(axis=0)
        return (n_below + fraction(z)) / (outside.sum(axis=0) + 1)
