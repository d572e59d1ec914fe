"""How sure an attacker can be of single records: the share of members among records that score alike.

For each half of the known records, the other half says which attack to take and how many members there are at each
score. So no probability has seen whether its own record is a member.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from lmia.evaluation.intervals import LEVEL
from lmia.evaluation.metrics import auc

BINS = 10  # of records that score alike; fewer where many score exactly the same


@dataclass(frozen=True)
class Exposure:
    """Of n records, in their order.

    attack: which one each record is judged by, texts (n,); score: what that gives, floats (n,); probability: that the
    record is a member, if half of all records were, floats (n,), with low and high, the ends of intervals that hold for
    all bins of a half together in 95 % of audits; is_exposed: bools (n,), low is above one half.
    """

    attack: np.ndarray
    score: np.ndarray
    probability: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def is_exposed(self) -> np.ndarray:
        return self.low > 0.5


def expose(scores: Mapping[str, np.ndarray], is_member: np.ndarray, half: np.ndarray) -> Exposure:
    """What attacks say of single known records.

    scores: of each attack, floats (2, n), higher = more member-like: by the measures that judge half 0 and half 1, see
    `lmia.attacks.known_records.in_both_measures`; is_member: bools (n,), as many of each kind; half: ints (n,) of 0 and
    1, see `lmia.attacks.known_records.halves`.
    """
    own = {name: by_measure[half, np.arange(len(half))] for name, by_measure in scores.items()}
    return expose_in_question(scores, is_member, half, own, half)


def expose_in_question(
    scores: Mapping[str, np.ndarray],
    is_member: np.ndarray,
    half: np.ndarray,
    in_question: Mapping[str, np.ndarray],
    own_half: np.ndarray,
) -> Exposure:
    """What attacks say of m records in question, each by the known records that are not of its half.

    scores, is_member, half: of the known records, as `expose` has them; in_question: of each attack, floats (m,), as
    `lmia.attacks.known_records.judge_in_question` scores them; own_half: ints (m,), as that has it.
    """
    n = len(own_half)
    attack, score = np.empty(n, dtype=object), np.empty(n)
    probability, low, high = (np.empty(n) for _ in range(3))
    for own in (0, 1):
        rows, others = own_half == own, half != own
        best = max(scores, key=lambda name: auc(scores[name][own, others], is_member[others]))
        attack[rows], score[rows] = best, in_question[best][rows]
        edges = _edges(scores[best][own, others])
        counts = np.array([_counts(scores[best][own, others & (is_member == kind)], edges) for kind in (True, False)])
        told = _shares(*counts)
        bins = np.searchsorted(edges, in_question[best][rows], side="right")
        for values, of_bins in zip((probability, low, high), told, strict=True):
            values[rows] = of_bins[bins]
    return Exposure(attack.astype(str), score, probability, low, high)


def _edges(scores: np.ndarray) -> np.ndarray:
    """Scores between bins of about as many records each, ascending: a record at an edge is above it."""
    inner = np.quantile(scores, np.arange(1, BINS) / BINS, method="higher")
    edges = np.unique(inner)
    return edges[edges > scores.min()]


def _counts(scores: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.bincount(np.searchsorted(edges, scores, side="right"), minlength=len(edges) + 1)


def _shares(members: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(share of members, low, high) of each bin, by the exact interval of Clopper and Pearson at a joint level."""
    n, tail = members + others, (1 - LEVEL) / (2 * len(members))
    low = np.where(members > 0, special.betaincinv(np.maximum(members, 1), others + 1, tail), 0.0)
    high = np.where(others > 0, special.betaincinv(members + 1, np.maximum(others, 1), 1 - tail), 1.0)
    return members / np.maximum(n, 1), low, high


def at_prior(probability: Any, prior: float) -> Any:
    """Probabilities of records for whoever believes that a share `prior` of all is in training, and not one half.

    probability: at even odds, a float or an array of any shape; prior: in (0, 1). Bayes' rule.
    """
    return probability * prior / (probability * prior + (1 - probability) * (1 - prior))
