"""Data sets that cannot be used, each with its message, and what is only remarked on."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import MinMaxScaler

from lmia.box import Box
from lmia.data.array_checks import checked
from lmia.data.warnings import remarks

TABLE, CLASSES = np.linspace(0, 1, 12).reshape(6, 2), np.array([0, 1, 2, 0, 1, 2])


def with_value(value):
    table = TABLE.copy()
    table[3, 1] = value
    return table


INPUTS = {
    "nan": (with_value(np.nan), "inputs: expected finite numbers, got nan, first in example 3; fill or drop"),
    "infinity": (with_value(np.inf), "inputs: expected finite numbers, got inf, first in example 3; fill or drop"),
    "minus infinity": (with_value(-np.inf), "got -inf, first in example 3"),
    "above 1": (with_value(255), "inputs: expected values in .0, 1., got 0 to 255; scale"),
    "below 0": (with_value(-0.1), "got -0.1 to 1; scale"),
    "a little above 1": (with_value(1.00001), "got 0 to 1.00001; scale"),
    "a little below 0": (with_value(-1e-5), "got -1e-05 to 1; scale"),
    "bytes": ((TABLE * 255).astype(np.uint8), "got 0 to 255; scale"),
    "counts": ((TABLE * 9).astype(int), "got 0 to 9; scale"),
    "complex": (TABLE.astype(complex), "inputs: expected floats in .0, 1., got complex128"),
    "texts": (TABLE.astype(str), "inputs: expected floats in .0, 1., got <U"),
    "objects": (TABLE.astype(object), "got object"),
    "nothing": (None, "got object"),
    "named columns": ({"a": [1]}, "got object"),
    "dates": (TABLE.astype("datetime64[s]"), "got datetime64"),
    "rows of several lengths": ([[0.5], [0.5, 0.5]], "inputs: expected an array of numbers .*inhomogeneous"),
    "with gradients": (torch.rand(6, 2, requires_grad=True), "inputs: expected an array of numbers .*grad"),
    "a number": (0.5, r"inputs: expected at least one example, .* got \(\)"),
    "one axis": (TABLE[:, 0], r"got \(6,\)"),
    "three axes": (TABLE[:, None], r"images \(n, channels, height, width\), got \(6, 1, 2\)"),
    "five axes": (TABLE[:, None, None, None], "got "),
    "no examples": (TABLE[:0], r"got \(0, 2\)"),
    "no features": (TABLE[:, :0], r"got \(6, 0\)"),
    "no pixels": (np.zeros((6, 1, 0, 4)), r"got \(6, 1, 0, 4\)"),
    "all equal": (np.full((6, 2), 0.5), "inputs: all 6 examples are equal"),
    "too many": (np.vstack([TABLE, TABLE]), r"classes: expected one for each of 12 inputs, got shape \(6,\)"),
}
LABELS = {
    "fractions": (CLASSES + 0.5, "classes: expected integers from 0 upwards, got float64"),
    "whole floats": (CLASSES.astype(float), "got float64"),
    "truth values": (CLASSES > 0, "got bool"),
    "texts": (CLASSES.astype(str), "got <U"),
    "nothing": (None, r"classes: expected one class for each example \(n,\), got shape \(\)"),
    "none": (CLASSES[:0], r"got shape \(0,\)"),
    "one-hot": (np.eye(3, dtype=int)[CLASSES], r"got shape \(6, 3\)"),
    "a column": (CLASSES[:, None], r"got shape \(6, 1\)"),
    "negative": (CLASSES - 1, "classes: expected integers from 0 upwards, got int64 from -1"),
    "from 1": (CLASSES + 1, "classes: no example has class 0; number the classes"),
    "a gap": (np.where(CLASSES == 1, 7, CLASSES), "no example has class 1"),
    "beyond int64": (CLASSES.astype(np.uint64) + np.uint64(2**63), "no example has class 0"),
    "a huge gap": (np.where(CLASSES == 1, 10**15, CLASSES), "no example has class 1"),
    "one class": (CLASSES * 0, "classes: expected two or more, got 6 examples of one"),
    "too few": (CLASSES[:5], r"classes: expected one for each of 6 inputs, got shape \(5,\)"),
}


@pytest.mark.parametrize("case", INPUTS)
def test_inputs_that_cannot_be_used(case):
    inputs, message = INPUTS[case]
    with pytest.raises(ValueError, match=message) as error:
        checked(inputs, CLASSES)
    assert len(str(error.value).splitlines()) == 1 or case == "with gradients"


@pytest.mark.parametrize(
    "inputs, box, message",
    [
        (
            TABLE * 9,
            Box([0, 0], [9, 8]),
            "inputs: expected values in their box, got .* to 9 in feature 1, outside 0 to 8",
        ),
        (
            TABLE,
            Box([0], [9]),
            r"box: expected the ends of each feature .* got 1 for inputs of shape \(6, 2\); use Box",
        ),
        (TABLE, Box(), r"got 1 for inputs of shape \(6, 2\)"),
        (
            np.zeros((6, 1, 2, 1)) + TABLE[:, None, :, None],
            Box([0, 0], [9, 9]),
            r"got 2 for inputs of shape \(6, 1, 2, 1\)",
        ),
        (with_value(np.nan), Box([0, 0], [9, 9]), "inputs: expected finite numbers, got nan"),
    ],
)
def test_inputs_outside_their_own_box(inputs, box, message):
    with pytest.raises(ValueError, match=message):
        checked(inputs, CLASSES, box)


def test_inputs_in_their_own_box_stay_as_they_are():
    taken, _ = checked(TABLE * 9 - 3, CLASSES, Box.around(np.float32(TABLE * 9 - 3)))
    np.testing.assert_array_equal(taken, np.float32(TABLE * 9 - 3))


@pytest.mark.parametrize("case", LABELS)
def test_classes_that_cannot_be_used(case):
    classes, message = LABELS[case]
    with pytest.raises(ValueError, match=message):
        checked(TABLE, classes)


@pytest.mark.parametrize("inputs", [TABLE, TABLE.astype(np.float16), TABLE.tolist(), TABLE > 0.5, np.eye(6, dtype=int)])
def test_numbers_of_any_type_are_taken(inputs):
    taken, classes = checked(inputs, CLASSES.astype(np.uint8))
    assert taken.dtype == np.float32 and classes.dtype == np.int64
    np.testing.assert_array_equal(taken, np.asarray(inputs, np.float32))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_what_rounding_leaves_outside_is_cut_off(dtype):
    """As scikit-learn's MinMaxScaler leaves it, in whichever type it computes."""
    eps = np.finfo(dtype).eps
    table = TABLE.astype(dtype)
    table[0], table[1] = [1 + eps, -eps], [1 + 3 * eps, -3 * eps]
    taken, _ = checked(table, CLASSES)
    assert taken.dtype == np.float32 and taken.min() == 0 and taken.max() == 1
    assert table.max() > 1  # the arrays of whoever calls stay as they are
    np.testing.assert_array_equal(taken[2:], table[2:].astype(np.float32))


def test_the_scaler_that_everybody_has_is_believed():
    draws = (np.random.default_rng(seed).normal(50, 13, (50, 20)) for seed in range(100))
    table = next(table for table in map(MinMaxScaler().fit_transform, draws) if table.max() > 1)
    taken, _ = checked(table, np.arange(50) % 2)
    assert taken.min() >= 0 and taken.max() == 1


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    st.one_of(
        st.floats(allow_nan=False, allow_infinity=False),
        st.floats(-1e-4, 1e-4),
        st.floats(1 - 1e-4, 1 + 1e-4),
        st.integers(-(2**31), 2**31),
    ),
    st.sampled_from([np.float16, np.float32, np.float64, np.int64]),
)
def test_no_message_contradicts_itself(value, dtype):
    """Whatever is refused is told as a number that lies outside."""
    with np.errstate(over="ignore", invalid="ignore"):
        value = np.array(value).astype(dtype)
    table = np.zeros((6, 2), dtype)
    table[0] = 0, 1
    table[3, 1] = value
    try:
        taken, _ = checked(table, CLASSES)
    except ValueError as error:
        if not np.isfinite(value):
            assert f"got {value}" in str(error)
            return
        low, high = map(
            float, re.fullmatch(r".*expected values in \[0, 1\], got (\S+) to (\S+); .*", str(error)).groups()
        )
        assert low < 0 or high > 1
        assert float(value) in (low, high) or dtype is not np.float64
    else:
        assert 0 <= taken.min() and taken.max() <= 1
        np.testing.assert_allclose(taken, table.astype(np.float64), rtol=0, atol=0.01 if dtype is np.float16 else 2e-6)


@pytest.mark.parametrize(
    "shape, is_odd",
    [
        ((12, 12, 4), True),  # channels last, read as channels first
        ((12, 12, 3), True),
        ((12, 12, 2), True),
        ((28, 28, 1), True),
        ((20, 30, 3), True),
        ((20, 30, 8), True),
        ((8, 8, 64), True),
        ((4, 12, 3), True),
        ((12, 3, 12), True),  # channels first, read as channels last
        ((30, 1, 20), True),
        ((1, 28, 28), False),
        ((3, 32, 32), False),
        ((3, 20, 30), False),
        ((4, 12, 12), False),
        ((2, 9, 12), False),
        ((1, 1, 20), False),
        ((3, 2, 2), False),
        ((64, 4, 4), False),  # features of few pixels
        ((16, 3, 3), False),
        ((512, 1, 1), False),
        ((12, 20, 30), False),
    ],
)
def test_axes_that_may_be_turned_are_remarked_on(shape, is_odd):
    inputs = np.random.default_rng(0).random((6, *shape), np.float32)
    found = remarks(inputs, CLASSES, np.array([0, 1, 2]), np.array([3, 4, 5]))
    assert len(found) == is_odd
    for line in found:
        channels, height, width = shape
        assert line.startswith(f"images are read as {height}x{width} pixels with {channels} channels; if another axis")


def test_a_sound_data_set_has_no_remarks():
    assert remarks(TABLE, CLASSES, np.array([0, 1, 2]), np.array([3, 4, 5])) == []


def test_points_among_members_and_non_members_are_counted():
    inputs = TABLE[[0, 1, 2, 0, 0, 5]]
    (line,) = remarks(inputs, CLASSES, np.array([0, 1, 2]), np.array([3, 4, 5]))
    assert line.startswith(
        "2 of 6 examples have the inputs of an earlier one, 1 of these another class; 2 of the first"
    )
    (line,) = remarks(inputs, CLASSES, np.array([0, 3, 4]), np.array([1, 2]))
    assert "; 0 of the first target's 2 non-members" in line


def test_constant_features_are_counted_in_tables_alone():
    table = np.hstack([TABLE, np.full((6, 3), 0.5)])
    members = np.array([0, 1, 2])
    (line,) = remarks(table, CLASSES, members, members + 3)
    assert line == "3 of 5 features have the same value in all examples; leave them out"
    assert remarks(table[:, None, None], CLASSES, members, members + 3) == []


def test_classes_that_models_can_hardly_hold_are_named():
    classes = np.repeat([0, 1, 2], [10, 9, 1])
    (line,) = remarks(np.linspace(0, 1, 40).reshape(20, 2), classes, np.arange(10), np.arange(10, 20))
    assert line.startswith("10 members hold some classes less than once") and line.endswith(": 2 (1 examples)")
