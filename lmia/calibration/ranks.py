"""Ranks without ties, and the population among which examples are ranked.

A population are points beside all that are audited, which no model of a pool was trained on.
"""

import numpy as np

from lmia.attacks.observations import Confidences


def population_of(observed: Confidences) -> np.ndarray:
    """phi of the population, floats (z,), z >= 1. Raises ValueError where nobody asked about one."""
    if observed.population is None or not len(observed.population):
        raise ValueError(
            "expected confidences in a population beside the examples, got none; set population: of the query set, or "
            "give lmia.Confidences its population"
        )
    return observed.population


def share_below(values: np.ndarray, population: np.ndarray, gap: float = 0.0) -> np.ndarray:
    """Of a population (z,), the share that lies more than `gap` below each value (N,), floats (N,) in [0, 1].

    Most members lie above all of a population, so shares alone are tied where it matters. Points are counted out of
    z + 1, and a fraction of one more breaks the ties.
    """
    n_below = np.searchsorted(np.sort(population), values - gap, side="left")
    return (n_below + fraction(values)) / (len(population) + 1)


def fraction(values: np.ndarray) -> np.ndarray:
    """A number in [0, 1] that grows with a value: what breaks ties within a rank. 1/2 at 0, and slow to saturate."""
    return (1 + values / (1 + np.abs(values))) / 2
