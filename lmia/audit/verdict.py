"""Whether a model leaks who was in its training set, from what several attacks found together.

Several attacks are several chances to be wrong, so the level of each interval is raised (Bonferroni): all of them hold
together in 95 % of audits.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from lmia.evaluation.intervals import LEVEL, Interval

LEAKS, NONE_FOUND, CANNOT_TELL = "leaks", "none found", "cannot tell"
# Halves of which each is judged by the other depend on each other: where nothing leaks, accuracies of votes and of
# distances spread 6 to 8 % more than those of independent records (tests/audit/nulls.py).
SPREAD = 1.1
TELLING = 0.55  # a bound on balanced accuracy above this one leaves open whether there is a leak
WANTED = 0.02  # half the width of the interval for which `records_needed` says how many records there must be


@dataclass(frozen=True)
class Finding:
    """What one attack found. attack: its name; queries: mean per record; accuracy: balanced, see `accuracy_of`."""

    attack: str
    queries: float
    accuracy: Interval


@dataclass(frozen=True)
class Verdict:
    """kind: CANNOT_TELL where an interval lies below chance, as attacks are wrong only where members and others differ
    by themselves; else LEAKS where one lies above chance; NONE_FOUND where all end below TELLING; else CANNOT_TELL.

    strongest: the finding whose interval reaches furthest up, of those above chance where there is any; bound: the
    highest end of all intervals, balanced accuracy, None where one lies below chance; records_needed: of each kind, for
    intervals of WANTED to each side.
    """

    kind: str
    strongest: Finding
    bound: float | None
    records_needed: int


def judge(findings: Sequence[Finding]) -> Verdict:
    """The verdict of at least one finding, with intervals at a joint level."""
    above = [finding for finding in findings if finding.accuracy[1] > 0.5]
    bound = max(finding.accuracy[2] for finding in findings)
    is_wrong = any(finding.accuracy[2] < 0.5 for finding in findings)
    kind = CANNOT_TELL if is_wrong else LEAKS if above else NONE_FOUND if bound < TELLING else CANNOT_TELL
    strongest = max(above, key=lambda finding: finding.accuracy[1]) if above else max(findings, key=_end)
    return Verdict(kind, strongest, None if is_wrong else bound, records_needed(len(findings)))


def _end(finding: Finding) -> float:
    return finding.accuracy[2]


def accuracy_of(called: np.ndarray, is_member: np.ndarray, z: float) -> Interval:
    """Balanced accuracy of calling records members, with an interval of z standard errors to each side.

    called, is_member: bools (n,). The interval is Newcombe's for the difference of two proportions (1998, method 10),
    from Wilson's for each: it has a width where all are called alike.
    """
    true, false = (called[is_member == kind] for kind in (True, False))
    (tpr, *of_members), (fpr, *of_others) = _wilson(true, z), _wilson(false, z)
    difference = tpr - fpr
    down = math.hypot(tpr - of_members[0], of_others[1] - fpr)
    up = math.hypot(of_members[1] - tpr, fpr - of_others[0])
    return (1 + difference) / 2, (1 + difference - down) / 2, (1 + difference + up) / 2


def errors_of(n_attacks: int) -> float:
    """Standard errors to each side, for intervals of so many attacks that hold together at LEVEL."""
    return SPREAD * float(special.ndtri(1 - (1 - LEVEL) / (2 * n_attacks)))


def records_needed(n_attacks: int) -> int:
    """Records of each kind for which intervals of balanced accuracy reach WANTED to each side, at the most."""
    return math.ceil(errors_of(n_attacks) ** 2 / (8 * WANTED**2))


def _wilson(hits: np.ndarray, z: float) -> Interval:
    """(share of true in bools (n,), low, high)."""
    n, share = len(hits), float(hits.mean())
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return share, centre - reach, centre + reach
