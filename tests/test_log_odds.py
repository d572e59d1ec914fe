"""phi by hand, from logits and from probabilities, at its limits and beyond float32's digits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmia import log_odds

HIGHEST = float(np.finfo(np.float32).max)


def test_phi_of_logits_by_hand():
    logits = np.array([[2.0, 0, 0], [0, 2, 0], [0, 0, 0], [0, 1, 50]])
    found = log_odds.of_logits(logits, np.array([0, 0, 2, 2]))
    expected = [2 - np.log(2), -np.log(np.exp(2) + 1), -np.log(2), 50 - np.log(1 + np.e)]
    assert found == pytest.approx(expected, rel=1e-15) and found[0] == pytest.approx(1.306853, abs=1e-6)


def test_phi_of_probabilities_by_hand():
    found = log_odds.of_probabilities(
        np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]]), np.array([0, 1, 2])
    )
    assert found == pytest.approx([0, np.log(4), np.log(1 / 9)], abs=1e-12)


@given(st.lists(st.floats(-30, 30), min_size=2, max_size=6), st.data())
def test_both_agree_where_probabilities_have_their_digits(logits, data):
    logits, label = np.array([logits]), np.array([data.draw(st.integers(0, len(logits) - 1))])
    probabilities = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(
        log_odds.of_logits(logits, label), log_odds.of_probabilities(probabilities, label), rtol=1e-9, atol=1e-9
    )


@given(shift=st.floats(-1e3, 1e3), order=st.permutations(range(4)))
def test_phi_knows_neither_a_shift_of_all_logits_nor_how_classes_are_numbered(shift, order):
    logits = np.array([[1.0, -2, 0.5, 3]])
    moved = log_odds.of_logits((logits + shift)[:, order], np.array([order.index(3)]))
    np.testing.assert_allclose(moved, log_odds.of_logits(logits, np.array([3])), atol=1e-9)
    numbers = np.array([[0.1, 0.2, 0.3, 0.4]])
    renumbered = log_odds.of_probabilities(numbers[:, order], np.array([order.index(3)]))
    assert renumbered.tobytes() == log_odds.of_probabilities(numbers, np.array([3])).tobytes()


def test_phi_goes_on_where_float32_probabilities_are_0_or_1():
    logits = np.array([[200.0, 0], [150, 0], [0, 150]], dtype=np.float32)
    np.testing.assert_array_equal(log_odds.of_logits(logits, np.zeros(3, int)), [200, 150, -150])
    certain = log_odds.of_probabilities(np.array([[1.0, 0], [0, 1]], np.float32), np.zeros(2, int))
    np.testing.assert_allclose(certain, np.log(np.finfo(np.float32).tiny) * np.array([-1, 1]))


@pytest.mark.parametrize(
    "logits, phi",
    [
        ([np.nan, 0, 0], -np.log(2)),
        ([1, np.nan, 0], -np.log(2)),
        ([np.inf, 0, 0], -np.log(2)),
        ([0, np.inf, 0], -np.log(2)),
        ([-np.inf, -np.inf, -np.inf], -np.log(2)),
        ([-np.inf, 0, 0], -HIGHEST),
        ([0, -np.inf, -np.inf], HIGHEST),
        ([3, -np.inf, 1], 2),
    ],
)
def test_logits_that_are_no_numbers_give_one(logits, phi):
    """Without a distribution, as for equal classes; a class that cannot be has the least, and not minus infinity."""
    assert log_odds.of_logits(np.array([logits]), np.array([0])) == pytest.approx([phi], rel=1e-12)


def test_what_was_given_stays_as_it_was():
    logits = np.array([[2.0, 0, 0], [np.nan, 0, 0]])
    before = logits.copy()
    log_odds.of_logits(logits, np.array([0, 0]))
    log_odds.of_probabilities(logits, np.array([0, 0]))
    np.testing.assert_array_equal(logits, before)
