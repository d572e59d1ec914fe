"""Intervals hold together as often as they say, and the verdict is what they allow."""

import numpy as np
import pytest
from scipy import stats

from lmia.audit.verdict import (
    CANNOT_TELL,
    LEAKS,
    NONE_FOUND,
    SPREAD,
    WANTED,
    Finding,
    accuracy_of,
    errors_of,
    judge,
    records_needed,
)

Z = 1.959964  # of an interval at 95 %


def called(n, tpr, fpr):
    """(bools, membership) of n members and n others, of whom these shares are called members."""
    shares = [np.arange(n) < round(n * rate) for rate in (tpr, fpr)]
    return np.concatenate(shares), np.arange(2 * n) < n


def test_the_interval_is_newcombes():
    """56 of 70 against 48 of 80: the example of his method 10, whose interval of the difference is 0.0524 to 0.3339."""
    bits = np.r_[np.arange(70) < 56, np.arange(80) < 48]
    value, low, high = accuracy_of(bits, np.arange(150) < 70, Z)
    assert 2 * value - 1 == pytest.approx(56 / 70 - 48 / 80)
    assert [2 * low - 1, 2 * high - 1] == pytest.approx([0.0524, 0.3339], abs=1e-4)


def test_several_attacks_have_wider_intervals():
    for n_attacks, share in ((1, 0.975), (5, 0.995)):
        assert errors_of(n_attacks) == pytest.approx(SPREAD * stats.norm.ppf(share))
    widths = [np.subtract(*accuracy_of(*called(100, 0.6, 0.5), errors_of(n))[:0:-1]) for n in (1, 2, 10)]
    assert widths == sorted(widths)


def test_one_call_for_all_has_a_width():
    value, low, high = accuracy_of(*called(100, 1, 1), Z)
    assert value == 0.5 and low < 0.5 < high and high - low < 0.1


@pytest.mark.parametrize("rates", [(0.5, 0.5), (0.98, 0.95), (0.3, 0.1)])
def test_intervals_cover_the_truth(rates):
    draw, n, truth = np.random.default_rng(0), 100, (1 + rates[0] - rates[1]) / 2
    inside = 0
    for _ in range(400):
        bits = np.concatenate([draw.random(n) < rate for rate in rates])
        _, low, high = accuracy_of(bits, np.arange(2 * n) < n, Z)
        inside += low <= truth <= high
    assert 0.92 <= inside / 400 <= 0.985


def found(name, *accuracy):
    return Finding(name, 1.0, accuracy)


@pytest.mark.parametrize(
    ("findings", "kind", "strongest", "bound"),
    [
        ([found("a", 0.52, 0.5, 0.54), found("b", 0.6, 0.51, 0.7), found("c", 0.58, 0.52, 0.6)], LEAKS, "c", 0.7),
        ([found("a", 0.52, 0.5, 0.54), found("b", 0.5, 0.48, 0.53)], NONE_FOUND, "a", 0.54),
        ([found("a", 0.5, 0.45, 0.55), found("b", 0.5, 0.48, 0.53)], CANNOT_TELL, "a", 0.55),
        ([found("a", 0.4, 0.3, 0.45)], CANNOT_TELL, "a", None),  # who is wrong so often compares with the wrong records
        ([found("a", 0.52, 0.5, 0.54), found("b", 0.4, 0.3, 0.499)], CANNOT_TELL, "a", None),
        ([found("a", 0.52, 0.5, 0.54), found("b", 0.4, 0.3, 0.5)], NONE_FOUND, "a", 0.54),
        ([found("a", 0.6, 0.51, 0.7), found("b", 0.4, 0.3, 0.45)], CANNOT_TELL, "a", None),
        ([found("a", 0.6, 0.51, 0.7), found("b", 0.4, 0.3, 0.5)], LEAKS, "a", 0.7),
    ],
)
def test_the_verdict_is_what_the_intervals_allow(findings, kind, strongest, bound):
    verdict = judge(findings)
    assert (verdict.kind, verdict.strongest.attack, verdict.bound) == (kind, strongest, bound)


@pytest.mark.parametrize("n_attacks", [1, 4])
def test_so_many_records_are_enough(n_attacks):
    n = records_needed(n_attacks)
    reach = {
        rates: accuracy_of(*called(n, *rates), errors_of(n_attacks)) for rates in ((0.5, 0.5), (0.9, 0.8), (1, 0.5))
    }
    assert all(high - value <= WANTED and value - low <= WANTED for value, low, high in reach.values())
    value, low, high = accuracy_of(*called(n // 2, 0.5, 0.5), errors_of(n_attacks))
    assert high - value > WANTED
    assert records_needed(1) == 1453
