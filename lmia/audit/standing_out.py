"""Which records in question stand out from records that were not in training, where hardly a member is known.

Nothing is taught: scores are compared as they are. If records in question that were not in training come from the
population of the known ones, each p-value is one, and the share of false ones among those that stand out is bounded.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

FALSE_SHARE = 0.05  # expected, of those that stand out, at the most


@dataclass(frozen=True)
class Standing:
    """Of m records in question, in their order.

    attack: which one a record stands out by most, texts (m,); score: what that gives, floats (m,); p_value: of being
    one that was not in training, for all attacks together (Bonferroni), floats (m,); stands_out: bools (m,).
    """

    attack: np.ndarray
    score: np.ndarray
    p_value: np.ndarray
    stands_out: np.ndarray


def compare(known: Mapping[str, np.ndarray], in_question: Mapping[str, np.ndarray]) -> Standing:
    """Compare records in question with known ones that were not in training.

    known, in_question: scores by each attack, floats (n,) and (m,), higher = more member-like.

    Those that stand out are found by the procedure of Benjamini and Hochberg at an equal part of FALSE_SHARE for each
    attack. It holds for p-values that share their known records (Bates et al. 2023), and the shares of several attacks
    add up to no more.
    """
    names = list(known)
    each = np.stack([p_values(known[name], in_question[name]) for name in names])
    found = np.stack([discoveries(of_attack, FALSE_SHARE / len(names)) for of_attack in each])
    best = each.argmin(axis=0)
    score = np.stack([in_question[name] for name in names])[best, np.arange(each.shape[1])]
    p_value = np.minimum(1.0, len(names) * each.min(axis=0))
    return Standing(np.array(names)[best], score, p_value, np.logical_or.reduce(found))


def p_values(known: np.ndarray, in_question: np.ndarray) -> np.ndarray:
    """(1 + known ones that score at least as high) / (1 + known ones) for each of m scores, floats (m,)."""
    above = len(known) - np.searchsorted(np.sort(known), in_question, side="left")
    return (1 + above) / (1 + len(known))


def together(n_known: int, n_in_question: int, n_attacks: int) -> int:
    """How many records in question stand out at the least, if any does: so many by the same attack.

    One more than there are where so few known records let none stand out.
    """
    levels = FALSE_SHARE / n_attacks * np.arange(1, n_in_question + 1) / n_in_question
    return 1 + int(np.searchsorted(levels, 1 / (n_known + 1)))


def known_needed(n_attacks: int) -> int:
    """With fewer known records than these, none in question can stand out, whatever the attacks find."""
    return math.ceil(n_attacks / FALSE_SHARE - 1e-9) - 1


def discoveries(p_value: np.ndarray, rate: float) -> np.ndarray:
    """Which of m p-values the procedure of Benjamini and Hochberg (1995) finds at a rate in (0, 1), bools (m,)."""
    ordered = np.sort(p_value)
    passed = np.flatnonzero(ordered <= rate * np.arange(1, len(ordered) + 1) / len(ordered))
    return np.less_equal(p_value, ordered[passed[-1]] if len(passed) else 0.0)  # no p-value is 0
