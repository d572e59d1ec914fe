"""RMIA (Zarifzadeh et al. 2024): an example's likelihood ratio, compared with those of a population. Not label-only.

The ratio says how many times as likely the target makes the true class as models do at large. It is taken in
logarithms, which keep the digits of probabilities near 1.
"""

from collections.abc import Sequence

import numpy as np
from scipy import special

from lmia.attacks.observations import Confidences
from lmia.calibration.ranks import population_of, share_below


class Calibration:
    """Score = share of the population whose ratio is less than 1 / gamma of the example's; ties by the ratio itself.

    Args:
        online: whether shadows trained on the example are used too: then its probability at large is the mean over all
            shadows. Without, it is estimated from the mean over those that were not, as ((1 + a) mean + 1 - a) / 2.
        a: of that estimate, in [0, 1]. The authors choose it for each data set by a model whose members they know; here
            it is given, so that nothing is chosen on the target.
        gamma: how many times as large as another ratio the example's must be, > 0.
    """

    reads = ("confidences",)

    def __init__(self, online: bool = True, a: float = 0.3, gamma: float = 1.0):
        if not 0 <= a <= 1:
            raise ValueError(f"a: expected a number in [0, 1], got {a}")
        if not 0 < gamma < np.inf:
            raise ValueError(f"gamma: expected a number above 0, got {gamma}")
        self.online, self.a, self.gamma = online, a, gamma

    def score(self, target: Confidences, shadows: Sequence[Confidences], is_member: np.ndarray) -> np.ndarray:
        """Floats (N,) in [0, 1].

        target, shadows: confidences in the same N examples and in the same population; is_member: bools (R, N), who was
        trained on what. Raises ValueError where there is no population, or not the same number of points for all.
        """
        populations = [population_of(observed) for observed in (target, *shadows)]
        sizes = sorted({len(population) for population in populations})
        if len(sizes) > 1:
            raise ValueError(f"population: expected the same points for all models, got {sizes[0]} and {sizes[-1]}")
        examples = np.stack([observed.log_odds() for observed in (target, *shadows)])
        counts = np.ones_like(is_member) if self.online else ~is_member
        ratio = self._log_ratio(examples, counts)
        of_population = self._log_ratio(np.stack(populations), np.ones((len(shadows), sizes[0]), bool))
        return share_below(ratio, of_population, np.log(self.gamma))

    def _log_ratio(self, phi: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """log p / P(x), floats (N,). phi: (1 + R, N), the target's first; counts: bools (R, N), the shadows in P."""
        log_p = special.log_expit(phi)
        log_mean = special.logsumexp(log_p[1:], axis=0, b=counts) - np.log(counts.sum(axis=0))
        if self.online:
            return log_p[0] - log_mean
        line = np.array([[1 + self.a], [1 - self.a]]) / 2
        return log_p[0] - special.logsumexp([log_mean, np.zeros_like(log_mean)], axis=0, b=line)
