"""Lower bounds on the epsilon of differential privacy, from guesses of who is a member.

Whatever a model that was trained with (epsilon, delta)-differential privacy lets out, nobody can guess its members
much better than by chance. So an attack that does bounds epsilon from below, at a stated level of confidence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

SHARES = (0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5)  # of all coins, that are guessed to be in, or out


@dataclass(frozen=True)
class Guesses:
    """How many coins there are, how many of them an attack guesses, and how many of its guesses are right."""

    n_coins: int
    n_guesses: int
    n_right: int


def one_run_bound(guesses: Guesses, delta: float = 0.0, level: float = 0.95) -> float:
    """The largest epsilon that one run of training refutes (Steinke, Nasr and Jagielski 2023, theorem 5.2).

    Each of m examples was put into training by a fair coin of its own. An attacker who knows all but the coins guesses
    r of them from the model and abstains from the others; v guesses are right. Were training (epsilon, delta)-private,
    v would exceed a binomial number only with the probability that `one_run_p_value` has.

    Args:
        guesses: m, r and v.
        delta: In [0, 1).
        level: Of confidence, in (0, 1): a true epsilon lies below the bound in at most 1 - level of all runs.

    Returns epsilon >= 0; 0 where nothing is refuted.
    """
    if not guesses.n_right or one_run_p_value(guesses, 0.0, delta) >= 1 - level:
        return 0.0
    low, high = 0.0, 1.0
    while one_run_p_value(guesses, high, delta) < 1 - level:
        low, high = high, 2 * high
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if one_run_p_value(guesses, middle, delta) < 1 - level else (low, middle)
    return low


def one_run_p_value(guesses: Guesses, epsilon: float, delta: float = 0.0) -> float:
    """How likely so many right guesses are, at most, where training is (epsilon, delta)-private.

    A guess is right with probability q = e^epsilon / (1 + e^epsilon) at most, which gives P[Binomial(r, q) >= v]. What
    delta adds is 2 m delta max_i P[v > Binomial(r, q) >= v - i] / i.

    Returns a probability.
    """
    m, r, v = guesses.n_coins, guesses.n_guesses, guesses.n_right
    if not 0 <= v <= r <= m:
        raise ValueError(f"expected right guesses <= guesses <= coins, got {v}, {r} and {m}")
    if v == 0:
        return 1.0
    q = special.expit(epsilon)
    right = np.arange(v, -1, -1)  # v, v - 1, ..., 0
    at_least = np.append(special.betainc(right[:-1], r - right[:-1] + 1, q), 1.0)  # P[Binomial(r, q) >= right]
    beyond = float(((at_least[1:] - at_least[0]) / np.arange(1, v + 1)).max())
    return float(min(at_least[0] + 2 * m * delta * beyond, 1.0))


def clopper_pearson_bound(
    called: tuple[int, int], false: tuple[int, int], delta: float = 0.0, level: float = 0.95
) -> float:
    """The largest epsilon that error rates of a test of membership refute, where its trials are independent.

    (epsilon, delta)-privacy has TPR <= e^epsilon FPR + delta, and the same of the other errors. Both rates get an exact
    binomial limit at half of 1 - level.

    Args:
        called: (members that are called members, members).
        false: (non-members that are called members, non-members).
        delta: In [0, 1).
        level: Of confidence, in (0, 1).

    Returns epsilon >= 0.
    """
    tail = (1 - level) / 2
    tpr, fpr = float(_lower_limit(*called, tail)), 1 - float(_lower_limit(false[1] - false[0], false[1], tail))
    ratios = [(tpr - delta) / fpr, (1 - fpr - delta) / (1 - tpr)]
    return max(0.0, *(float(np.log(ratio)) if ratio > 0 else 0.0 for ratio in ratios))


def choose_shares(scores: np.ndarray, is_member: np.ndarray, n_coins: int) -> tuple[float, float]:
    """Which shares of a model's coins to guess as in, and as out: those that bound epsilon best on other models.

    All pairs of SHARES are tried, with delta = 0, for as many right guesses as a model with so many coins would have.

    Args:
        scores: Floats (n,), higher = more member-like, of models that are not to be judged.
        is_member: Bools (n,).
        n_coins: Of a model that is to be judged.

    Returns (share of the highest scores, share of the lowest).
    """
    into, out = (np.ravel(of) for of in np.meshgrid(SHARES, SHARES))
    into, out = into[1:], out[1:]  # all but no guess at all
    members = np.append(0, np.cumsum(is_member[np.argsort(-scores, kind="stable")]))
    k_in, k_out = (np.rint(of * len(scores)).astype(int) for of in (into, out))
    right = members[k_in] + k_out - (members[-1] - members[len(scores) - k_out])
    accuracy = right / np.maximum(k_in + k_out, 1)
    guesses = np.rint(into * n_coins) + np.rint(out * n_coins)
    best = int(np.argmax(_lower_limit(accuracy * guesses, guesses, 0.05)))
    return float(into[best]), float(out[best])


def guess(scores: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """The coins of one model, as guessed: 1 = in, 0 = abstains, -1 = out, ints (m,).

    Those with the highest scores are in, and those with the lowest are out. Of equal scores the earlier one counts as
    higher, so the order of the examples must tell nothing of membership.

    Args:
        scores: Floats (m,), made without a look at the coins.
        shares: As `choose_shares` has them.
    """
    order, guesses = np.argsort(-scores, kind="stable"), np.zeros(len(scores), int)
    k_in, k_out = (round(share * len(scores)) for share in shares)
    guesses[order[:k_in]], guesses[order[len(order) - k_out :]] = 1, -1
    return guesses


def count(guesses: np.ndarray, is_member: np.ndarray) -> Guesses:
    """How many of one model's coins are guessed rightly; `guesses` as `guess` has them, `is_member` bools (m,)."""
    return Guesses(len(guesses), int((guesses != 0).sum()), int((guesses == np.where(is_member, 1, -1)).sum()))


def best_of(runs: Iterable[Guesses], delta: float = 0.0, level: float = 0.95) -> float:
    """The best bound of several models, each at a level that all hold together with `level` (Bonferroni).

    The models need not be independent. Their right guesses are not simply added up: scores of one model may rest on
    the coins of another, and then their sum need not stay below a binomial one.
    """
    runs = list(runs)
    return max((one_run_bound(run, delta, 1 - (1 - level) / len(runs)) for run in runs), default=0.0)


def _lower_limit(hits: ArrayLike, n: ArrayLike, tail: float) -> np.ndarray:
    """The exact lower limit of a share at level 1 - tail (Clopper and Pearson 1934)."""
    hits, n = np.asarray(hits, float), np.asarray(n, float)
    return np.where(hits > 0, special.betaincinv(np.maximum(hits, 1e-9), n - hits + 1, tail), 0.0)
