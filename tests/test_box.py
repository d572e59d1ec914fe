"""The box of inputs: its ends, the points in it, and what is seen from the other end."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lmia.box import UNIT, Box

numbers = st.integers(-(10**6), 10**6).map(lambda n: n / 1024)  # of magnitudes as data has them
columns = st.lists(st.tuples(numbers, numbers).map(sorted), min_size=1, max_size=6)


def of(ends):
    return Box(*np.float32(ends).T)


@given(columns)
def test_ends_are_reached_exactly_and_nothing_lies_beyond(ends):
    box, shape = of(ends), (5, len(ends))
    low, high = np.float32(ends).T
    np.testing.assert_array_equal(box.at(np.zeros(shape, np.float32)), np.broadcast_to(low, shape))
    np.testing.assert_array_equal(box.at(np.ones(shape, np.float32)), np.broadcast_to(high, shape))
    points = box.at(np.random.default_rng(0).random(shape, dtype=np.float32))
    assert points.dtype == np.float32 and (points >= low).all() and (points <= high).all()
    np.testing.assert_array_equal(box.clip_(torch.from_numpy(points.copy())), points)
    np.testing.assert_array_equal(box.clip_(torch.full(shape, 1e9)), np.broadcast_to(high, shape))
    np.testing.assert_array_equal(box.clip_(torch.full(shape, -1e9)), np.broadcast_to(low, shape))


@given(columns, st.sampled_from([torch.float32, torch.float64]))
def test_an_end_is_seen_as_the_other_end_from_there(ends, dtype):
    box, features = of(ends), torch.arange(len(ends)).repeat(2)
    values = torch.from_numpy(np.float32(ends).T.flatten()).to(dtype)
    mirrored = box.mirrored(values, features)
    assert mirrored.dtype == dtype and torch.equal(mirrored, values.view(2, -1).flip(0).flatten())


@given(columns)
def test_a_box_is_kept_in_arrays(ends):
    kept = Box.from_arrays(of(ends).to_arrays() | {"classes": np.zeros(3)})
    np.testing.assert_array_equal([kept.low, kept.high], np.float32(ends).T)
    assert Box.from_arrays({"classes": np.zeros(3)}) is UNIT


def test_units_of_length_are_those_of_the_ranges():
    assert UNIT.size == UNIT.largest == 1
    box = Box([-1, 0], [2, 4])
    assert box.size == pytest.approx((25 / 2) ** 0.5) and box.largest == 4
    around = Box.around(np.array([[1.0, 5], [3, -9]]))
    assert around.low.tolist() == [1, -9] and around.high.tolist() == [3, 5]


@pytest.mark.parametrize("low, high", [(1, 0), ([0, 0], [1]), ([0, np.nan], [1, 1]), ([0], [np.inf]), ([[0]], [[1]])])
def test_what_is_no_box_is_refused(low, high):
    with pytest.raises(ValueError, match="box: expected finite low <= high"):
        Box(low, high)
