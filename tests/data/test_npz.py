"""A user's own arrays: what is taken, scaled, asked about and refused."""

import math
import re

import numpy as np
import pytest
import yaml

from lmia.data import npz


@pytest.fixture
def arrays(tmp_path):
    """A function that saves arrays as a .npz file, and gives its path."""

    def save(**named):
        np.savez(tmp_path / "mine.npz", **named)
        return str(tmp_path / "mine.npz")

    return save


def test_users_images_are_pooled_scaled_and_turned(arrays):
    images = np.arange(5 * 4 * 6 * 3, dtype=np.uint8).reshape(5, 4, 6, 3)
    path = arrays(
        x1=images[:3], x2=images[3:], y1=np.array([0, 1, 2], np.int32), y2=np.array([1, 0]), names=np.array(["a"])
    )
    options = {"inputs": ["x1", "x2"], "layout": "channels_last"}
    options["classes"] = ["y1", "y2"]
    inputs, classes = npz.load(path, **options)
    assert inputs.dtype == np.float32 and classes.dtype == np.int64 and classes.tolist() == [0, 1, 2, 1, 0]
    np.testing.assert_array_equal(inputs, images.transpose(0, 3, 1, 2).astype(np.float32) / 255)
    assert npz.describe(path, **options) == (5, (3, 4, 6))


@pytest.mark.parametrize("shape, one", [((2, 7), (7,)), ((2, 4, 5), (1, 4, 5)), ((2, 3, 4, 5), (3, 4, 5))])
def test_users_arrays_may_be_tables_and_grey_images(arrays, shape, one):
    values = np.linspace(0, 1, np.prod(shape)).reshape(shape)
    inputs, _ = npz.load(arrays(inputs=values, classes=np.array([1, 0])))
    np.testing.assert_array_equal(inputs, values.reshape(2, *one).astype(np.float32))
    assert npz.describe(arrays(inputs=values, classes=np.array([1, 0]))) == (2, one)


@pytest.mark.parametrize(
    "named, message",
    [
        (
            {"inputs": np.array([[0.0, np.nan]])},
            "inputs: expected finite numbers, got nan, first in example 0; fill or",
        ),
        ({"inputs": np.array([[0.0, -np.inf]])}, "inputs: expected finite numbers, got -inf, first in example 0"),
        ({"inputs": np.array([0.5])}, "expected features .* got .1,."),
        ({"inputs": np.array([[None]])}, "inputs: expected plain numbers, got object; objects are never unpickled"),
        ({"images": np.array([[0.5]])}, "no array inputs; it has images, classes"),
        ({"classes": np.array([0.5])}, "classes: expected integers from 0 upwards, got float64"),
        ({"classes": np.array([-1])}, "classes: expected integers from 0 upwards, got int64 from -1"),
        ({"classes": np.array([0, 1])}, "expected one class for each of inputs"),
        ({"classes": np.array([1])}, "no example has class 0; number the classes"),
        ({"classes": np.array([2**64 - 1], np.uint64)}, "no example has class 0; number the classes"),
        (
            {"inputs": np.eye(2), "classes": np.array([0, 2**64 - 1], np.uint64)},
            "no example has class 1; number the classes",
        ),
    ],
)
def test_users_arrays_that_cannot_be_used_are_refused(arrays, named, message):
    inputs = {} if "images" in named else {"inputs": np.array([[0.5]])}
    with pytest.raises(ValueError, match=message):
        npz.load(arrays(**(inputs | named | {"classes": named.get("classes", np.array([0]))})))


BITS = np.random.default_rng(0).integers(0, 2, (20, 3, 5))
COUNTS = BITS * 9
PIXELS = BITS * 254


def classes_of(arrays):
    return {f"y{number}": np.arange(len(array)) % 2 for number, array in enumerate(arrays)}


def load_all(save, *parts, **options):
    """The inputs of a file that has these arrays, pooled."""
    labels, named = classes_of(parts), {f"x{number}": part for number, part in enumerate(parts)}
    return npz.load(save(**named, **labels), list(named), list(labels), **options)[0]


@pytest.mark.parametrize("dtype", [bool, "u1", "i1", "u2", "i4", "i8", "u8", "f2", "f4", "f8", "g"])
@pytest.mark.parametrize("axes", [2, 3, 4])
def test_zeros_and_ones_of_any_type_are_taken_as_they_are(arrays, dtype, axes):
    """As get_dummies gives them; and binarised images."""
    bits = {2: BITS[:, 0], 3: BITS, 4: BITS[:, None]}[axes]
    inputs = load_all(arrays, bits.astype(dtype))
    assert inputs.dtype == np.float32
    np.testing.assert_array_equal(inputs, BITS[:, None] if axes == 3 else bits)


@pytest.mark.parametrize("greatest", [128, 200, 255])
def test_images_of_8_bits_are_divided_by_255(arrays, greatest):
    images = (BITS * greatest).astype(np.uint8)
    np.testing.assert_array_equal(load_all(arrays, images)[:, 0], images.astype(np.float32) / np.float32(255))


def test_arrays_that_are_pooled_have_one_scale(arrays):
    """Also where a part of the images is dark, or holds zeros and ones alone."""
    images = PIXELS.astype(np.uint8)
    for dark in (images // 254, images // 20, images * 0):
        np.testing.assert_array_equal(
            load_all(arrays, images, dark)[:, 0], np.concatenate([images, dark]) / np.float32(255)
        )
        np.testing.assert_array_equal(
            load_all(arrays, dark, images)[:, 0], np.concatenate([dark, images]) / np.float32(255)
        )
    both = load_all(arrays, BITS.astype(np.uint8), BITS / 2)
    np.testing.assert_array_equal(both[:, 0], np.concatenate([BITS, BITS / 2]).astype(np.float32))


BEYOND = {  # arrays, and the range that is to be written
    "counts in a table": (
        [COUNTS[:, 0].astype(np.uint8)],
        "x0 0 to 9 (uint8); write range: [0, 9] (pixels: range: [0, 2",
    ),
    "pixels in a table": ([(BITS[:, 0] * 255).astype(np.uint8)], "x0 0 to 255 (uint8); write range: [0, 255] if every"),
    "other integers": ([COUNTS[:, 0]], "x0 0 to 9 (int64); write range: [0, 9]"),
    "pixels of other integers": ([PIXELS], "x0 0 to 254 (int64); write range: [0, 254] (pixels: range: [0, 255])"),
    "more than bytes": ([PIXELS * 4], "x0 0 to 1016 (int64); write range: [0, 1016] if"),
    "images of few bits": ([(BITS * 16).astype(np.uint8)], "x0 0 to 16 (uint8); write range: [0, 16] (pixels: range: "),
    "signed": ([BITS * 2 - 1], "x0 -1 to 1 (int64); write range: [-1, 1] if every value has that range, or scale them"),
    "floats": ([BITS * 2.5 - 1.25], "x0 -1.25 to 1.25 (float64); write range: [-1.25, 1.25]"),
    "float pixels": ([PIXELS.astype(np.float32)], "x0 0 to 254 (float32); write range: [0, 254] (pixels: range: "),
    "all below 0": ([BITS - 7], "x0 -7 to -6 (int64); write range: [-7, -6]"),
    "one number": ([BITS * 0 - 7], "x0 -7 to -7 (int64); write range: [-7, 0]"),
    "hardly beyond": ([BITS * 1.000002], "x0 0 to 1.000002 (float64); write range: [0, 1.000002]"),
    "two tables": ([COUNTS[:, 0], BITS[:, 0] * 7], "x0 0 to 9 (int64), x1 0 to 7 (int64); write range: [0, 9]"),
    "two scales": (
        [PIXELS.astype(np.uint8), BITS / 1.0],
        "x0 0 to 254 (uint8), x1 0 to 1 (float64); scale all alike first, or write range: [0, 254] (pixels: range: ",
    ),
    "two types": ([PIXELS.astype(np.uint8), PIXELS * 1.0], "(uint8), x1 0 to 254 (float64); write range: [0, 254]"),
}


@pytest.mark.parametrize("case", BEYOND)
def test_a_range_that_values_do_not_tell_is_asked_for(arrays, case):
    """And what is asked for is an answer."""
    parts, message = BEYOND[case]
    with pytest.raises(ValueError, match="expected values in .0, 1., or images of 8 bits, got ") as error:
        load_all(arrays, *parts)
    assert message in str(error.value) and len(str(error.value).splitlines()) == 1
    written = yaml.safe_load(re.search(r"range: (\[[^]]+\])", str(error.value))[1])
    pooled, (low, high) = np.concatenate(parts).astype(float), written
    taken = load_all(arrays, *parts, range=written).reshape(pooled.shape)
    np.testing.assert_allclose(taken, (pooled - low) / (high - low), rtol=0, atol=1e-6)
    assert taken.min() >= 0 and taken.max() <= 1


def test_values_are_mapped_from_the_range_that_is_stated(arrays):
    floats = np.linspace(-2, 5, 100).reshape(20, 5)
    inputs = load_all(arrays, floats, BITS[:, 0].astype(np.uint8), range=[-2, 8])
    np.testing.assert_allclose(inputs[:20], (floats + 2) / 10, rtol=1e-6)
    np.testing.assert_allclose(inputs[20:], (BITS[:, 0] + 2) / 10, rtol=1e-6)
    images = np.arange(240, dtype=np.uint8).reshape(4, 4, 5, 3)
    turned = load_all(arrays, images, range=[0, 255], layout="channels_last")
    np.testing.assert_array_equal(turned, images.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(load_all(arrays, images // 100, range=[0, 2], layout="channels_last").max(), 1)
    years = 1e9 + np.arange(8.0).reshape(4, 2)  # float32 knows none between 1e9 and 1e9 + 32
    np.testing.assert_allclose(
        load_all(arrays, years, range=[1e9, 1e9 + 7]), np.arange(8.0).reshape(4, 2) / 7, rtol=1e-6
    )


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_ends_that_rounding_moves_are_within_the_range(arrays, dtype):
    table = np.array([[1000.1, 1000.25], [1000.2, 1000.6]]).astype(dtype)
    inputs = load_all(arrays, table, range=[1000.1, 1000.6])
    assert inputs.min() >= 0 and inputs.max() <= 1
    with pytest.raises(ValueError, match="expected values in range: .1000.1, 1000.6., got x0 9"):
        load_all(arrays, table - np.array(50, dtype), range=[1000.1, 1000.6])


@pytest.mark.parametrize(
    "stated, message",
    [
        ([0, 8], r"mine.npz: expected values in range: \[0, 8\], got x0 0 to 9 \(int64\); mend the range"),
        ([1, 9], r"expected values in range: \[1, 9\], got x0 0 to 9"),
        ([9, 0], r"^range: \[9, 0\]: expected two numbers, the smaller one first"),
        ([9, 9], r"^range: \[9, 9\]: expected two numbers"),
        ([0, math.inf], r"^range: \[0, inf\]: expected two numbers"),
        ([math.nan, 9], r"^range: \[nan, 9\]: expected two numbers"),
    ],
)
def test_ranges_that_do_not_hold_are_refused(arrays, stated, message):
    with pytest.raises(ValueError, match=message):
        load_all(arrays, COUNTS[:, 0], range=stated)


TURNED = [(12, 12, 4), (12, 12, 2), (12, 12, 3), (20, 30, 8), (8, 8, 64), (64, 1, 4)]


@pytest.mark.parametrize("shape", TURNED)
def test_an_axis_that_may_not_be_the_channels_is_asked_about(arrays, shape):
    images = np.random.default_rng(0).random((4, *shape), np.float32)
    a, b, c = shape
    with pytest.raises(ValueError, match="does not tell which axis has the channels; set layout: ") as error:
        load_all(arrays, images)
    assert f"channels_last for images of {a}x{b} pixels and {c} channels, or layout: channels_first" in str(error.value)
    np.testing.assert_array_equal(load_all(arrays, images, layout="channels_first"), images)
    turned = load_all(arrays, images, layout="channels_last")
    np.testing.assert_array_equal(turned, images.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("shape", [(1, 8, 9), (3, 5, 4), (4, 12, 12), (64, 4, 4), (16, 3, 3), (512, 1, 1), (2, 9, 12)])
def test_channels_are_first_where_nothing_speaks_against_it(arrays, shape):
    assert load_all(arrays, np.random.default_rng(0).random((4, *shape))).shape == (4, *shape)


def test_a_path_may_start_in_a_home(arrays, monkeypatch, tmp_path):
    arrays(inputs=BITS[:, 0], classes=np.arange(20) % 2)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert npz.describe("~/mine.npz") == (20, (5,)) and npz.load("~/mine.npz")[0].shape == (20, 5)
    with pytest.raises(FileNotFoundError):
        npz.describe("~/yours.npz")
    with pytest.raises(ValueError, match="expected a .npz file, found a folder"):
        npz.describe("~")


def test_a_file_that_is_no_npz_is_refused(tmp_path):
    (tmp_path / "mine.npz").write_bytes(b"PK no")
    with pytest.raises(ValueError, match="expected a .npz file, as numpy.savez writes it"):
        npz.describe(str(tmp_path / "mine.npz"))


def test_membership_is_pooled_like_the_classes(arrays):
    path = arrays(
        x=np.zeros((5, 2)),
        y1=np.array([0, 1, 2]),
        y2=np.array([1, 0]),
        m1=np.array([1, 0, -1]),
        m2=np.array([True, False]),
    )
    found = npz.load_known(path, ["m1", "m2"], ["y1", "y2"])
    assert found.dtype == np.int8 and found.tolist() == [1, 0, -1, 1, 0]
    assert npz.load_known(path, ["m2", "m1"], ["y2", "y1"]).tolist() == [1, 0, 1, 0, -1]


@pytest.mark.parametrize(
    ("named", "membership", "message"),
    [
        ({"m": np.array([1, 0])}, ["m"], "mine.npz: m: expected one for each of classes (3,), got shape (2,)"),
        ({"m": np.array([[1, 0, 1]])}, ["m"], "mine.npz: m: expected one for each of classes (3,), got shape (1, 3)"),
        ({"m": np.array([1, 0, 2])}, ["m"], "mine.npz: m: expected 1 in training, 0 not, and -1 not known, got 2"),
        ({"m": np.array([1, 0, 0.5])}, ["m"], "mine.npz: m: expected 1 in training, 0 not, and -1 not known, got 0.5"),
        (
            {"m": np.array([1, 0, np.nan])},
            ["m"],
            "mine.npz: m: expected 1 in training, 0 not, and -1 not known, got nan",
        ),
        ({"m": np.array(["in", "out", "in"])}, ["m"], "mine.npz: m: expected plain numbers, got <U3"),
        ({}, ["m"], "mine.npz: no array m; it has classes"),
        ({"m": np.ones(3)}, ["m", "m"], "mine.npz: expected membership for each of classes, got m, m"),
    ],
)
def test_membership_that_says_nothing_is_refused(arrays, named, membership, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        npz.load_known(arrays(classes=np.array([0, 1, 2]), **named), membership)
