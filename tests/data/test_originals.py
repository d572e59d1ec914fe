"""Data sets in the formats of their originals: small made-up files everywhere, and the real ones where they are."""

import gzip
import hashlib
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from lmia.data import adult, binary_tables, cifar10, cifar100, location, mnist, npz, purchase, texas
from tests.data.made_archives import tgz

REAL = Path(__file__).parents[2].parent / "shared" / "data"


def real(*names):
    """Mark of a test that reads original files, which are not part of this repository."""
    return pytest.mark.skipif(
        not all((REAL / name).is_file() for name in names),
        reason=f"no original {', '.join(names)} beside the repository",
    )


@pytest.fixture
def place(monkeypatch, tmp_path):
    """A function that makes a module expect what a folder of made-up files holds, and returns the folder."""

    def place(module, n, shape):
        monkeypatch.setattr(module, "N_EXAMPLES", n)
        monkeypatch.setattr(module, "SHAPE", shape)
        for name in module.HASHES:
            monkeypatch.setitem(module.HASHES, name, hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
        return tmp_path

    return place


def idx(*sizes, values):
    return struct.pack(f">HBB{len(sizes)}I", 0, 8, len(sizes), *sizes) + bytes(values)


def mnist_files(folder, test_labels=(9,)):
    contents = [idx(2, 2, 2, values=range(8)), idx(1, 2, 2, values=[255] * 4)]
    contents += [idx(2, values=[3, 4]), idx(len(test_labels), values=test_labels)]
    for name, content in zip(mnist.HASHES, contents, strict=True):
        (folder / name).write_bytes(gzip.compress(content))


def test_mnist_pools_train_and_test(place, tmp_path):
    mnist_files(tmp_path)
    inputs, classes = mnist.load(place(mnist, 3, (1, 2, 2)))
    assert inputs.dtype == np.float32 and inputs.shape == (3, 1, 2, 2) and classes.tolist() == [3, 4, 9]
    np.testing.assert_array_equal(inputs.ravel() * 255, [0, 1, 2, 3, 4, 5, 6, 7, 255, 255, 255, 255])


def test_mnist_needs_a_label_for_every_image(place, tmp_path):
    mnist_files(tmp_path, test_labels=(9, 9))
    with pytest.raises(ValueError, match=r"expected 3 images of 2x2 .* found \(3, 2, 2\) and \(4,\)"):
        mnist.load(place(mnist, 3, (1, 2, 2)))


@pytest.mark.parametrize("data", [b"", b"\0\0\x08", b"\0\0\x0d\1\0\0\0\1abcd", b"\0\0\x08\3\0\0", b"text"])
def test_other_files_than_idx_are_told(data):
    with pytest.raises(ValueError, match="x.gz: expected an idx file"):
        mnist.parse_idx(data, "x.gz")


@pytest.mark.parametrize("n", [3, 5])
def test_idx_files_hold_what_their_header_says(n):
    with pytest.raises(ValueError, match=f"x.gz: expected 2x2 values, found {n}"):
        mnist.parse_idx(idx(2, 2, values=range(n)), "x.gz")


def image(*labels, start=0):
    """A record of CIFAR: label bytes, and the red, green and blue planes."""
    return bytes(labels) + bytes(range(start, start + 12))


def test_cifar10_is_read_in_order(place, tmp_path):
    parts = {name: image(number) for number, name in enumerate(cifar10.MEMBERS)}
    tgz(tmp_path / "cifar-10-binary.tar.gz", dict(reversed(parts.items())))
    inputs, classes = cifar10.load(place(cifar10, 6, (3, 2, 2)))
    assert inputs.dtype == np.float32 and inputs.shape == (6, 3, 2, 2) and classes.tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(inputs[0, 1] * 255, [[4, 5], [6, 7]])


def test_cifar100_has_fine_classes(place, tmp_path):
    train, test = cifar100.MEMBERS
    tgz(tmp_path / "cifar-100-binary.tar.gz", {train: image(1, 99) + image(2, 50, start=8), test: image(19, 0)})
    inputs, classes = cifar100.load(place(cifar100, 3, (3, 2, 2)))
    assert classes.tolist() == [99, 50, 0] and inputs[1, 0, 0, 0] * 255 == 8


@pytest.mark.parametrize(
    "test, expected",
    [
        (image(1, 2)[:-1], "test.bin: expected records of 14 bytes, found 13 bytes"),
        (b"", "test.bin: expected records of 14 bytes, found 0 bytes"),
        (image(1, 2) * 2, "expected 2 images of classes 0 to 99, found 3 of classes up to 2"),
        (image(1, 100), "expected 2 images of classes 0 to 99, found 2 of classes up to 100"),
    ],
)
def test_malformed_records_of_cifar_are_told(place, tmp_path, test, expected):
    tgz(tmp_path / "cifar-100-binary.tar.gz", dict(zip(cifar100.MEMBERS, [image(1, 2), test], strict=True)))
    with pytest.raises(ValueError, match=expected):
        cifar100.load(place(cifar100, 2, (3, 2, 2)))


def test_pickles_are_not_loaded(place, tmp_path, monkeypatch):
    class Bomb:
        def __reduce__(self):
            return (tmp_path.joinpath("exploded").touch, ())

    monkeypatch.setattr(pickle, "load", lambda *args, **kwargs: pytest.fail("unpickled"))
    tgz(tmp_path / "cifar-100-binary.tar.gz", dict.fromkeys(cifar100.MEMBERS, pickle.dumps(Bomb())))
    with pytest.raises(ValueError, match="expected records of 14 bytes"):
        cifar100.load(place(cifar100, 2, (3, 2, 2)))
    assert not (tmp_path / "exploded").exists()


def test_location_has_quoted_classes(place, tmp_path):
    tgz(tmp_path / "dataset_location.tgz", {"bangkok": b'"30",0,1,1\n"1",1,0,0\n'})
    inputs, classes = location.load(place(location, 2, (3,)))
    assert inputs.dtype == np.float32 and inputs.tolist() == [[0, 1, 1], [1, 0, 0]] and classes.tolist() == [29, 0]


def stated(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_purchase_is_read_once_its_hash_is_stated(monkeypatch, tmp_path):
    monkeypatch.setattr(purchase, "N_EXAMPLES", 2)
    monkeypatch.setattr(purchase, "SHAPE", (3,))
    file = tgz(tmp_path / purchase.NAME, {"dataset_purchase": b"100,0,1,1\n7,1,0,0\n"})
    with pytest.raises(ValueError, match=f"nobody published .* has {stated(file)}"):
        purchase.load(tmp_path)
    inputs, classes = purchase.load(file, sha256=stated(file))
    assert inputs.tolist() == [[0, 1, 1], [1, 0, 0]] and classes.tolist() == [99, 6]


def load_texas(monkeypatch, tmp_path, feats, labels):
    monkeypatch.setattr(texas, "N_EXAMPLES", 2)
    monkeypatch.setattr(texas, "SHAPE", (3,))
    file = tgz(tmp_path / texas.NAME, {"texas/100/feats": feats, "texas/100/labels": labels})
    return texas.load(tmp_path, sha256=stated(file))


def test_texas_has_labels_of_its_own(monkeypatch, tmp_path):
    inputs, classes = load_texas(monkeypatch, tmp_path, b"0,1,1\n1,0,0", b"100\n1\n")
    assert inputs.tolist() == [[0, 1, 1], [1, 0, 0]] and classes.tolist() == [99, 0]
    with pytest.raises(ValueError, match="texas/100/labels: expected 2 labels, found 3"):
        load_texas(monkeypatch, tmp_path, b"0,1,1\n1,0,0", b"100\n1\n1\n")
    with pytest.raises(ValueError, match="row 2: expected 3 columns of 0 or 1, found 4 columns"):
        load_texas(monkeypatch, tmp_path, b"0,1,1\n1,0,0,1", b"100\n1\n")


@pytest.mark.parametrize(
    "row",
    [
        b"1,0,1",
        b"1,0,1,1,0",
        b"1,0,1,2",
        b"1,0,1,",
        b"1,0;1,0",
        b"1;0;1;0",
        b"x,0,1,0",
        b'"1,0,1,0',
        b",0,1,0",
        b"0,1,0",
        b"",
    ],
)
def test_malformed_rows_are_told_with_their_columns(row):
    found = row.count(b",") + 1
    with pytest.raises(ValueError, match=f"t: row 2: expected a class and 3 columns of 0 or 1, found {found} columns"):
        binary_tables.parse_bits([b"1,0,0,1\n", row], (2, 3), "t", head=rb'("\d+"|\d+),')


@pytest.mark.parametrize("n", [1, 3])
def test_rows_are_counted(n):
    with pytest.raises(ValueError, match=f"t: expected 2 rows of 2 columns, found {n} rows"):
        binary_tables.parse_bits([b"0,1\r\n"] * n, (2, 2), "t")


@pytest.mark.parametrize("label", [b"0", b"31"])
def test_classes_beyond_the_known_ones_are_told(label):
    with pytest.raises(ValueError, match="t: expected classes 1 to 30, found"):
        binary_tables.parse_classes([b"1", b"30", label], 30, "t")


ROW = "39, State-gov, 10, HS-grad, 13, Divorced, Sales, Wife, White, Male, 5, 0, 40, Cuba, <=50K"
OTHER = "19, ?, 30, 11th, 3, Divorced, Sales, Wife, White, Female, 0, 1, 20, Cuba, >50K"


def test_adult_scales_numbers_and_tells_values_apart():
    inputs, classes = adult.encode(adult.parse_rows(f"{ROW}\n{OTHER.replace('19', '29')}\n{OTHER}.\n\n", "x"))
    assert classes.tolist() == [0, 1, 1] and inputs.dtype == np.float32
    numbers = [[1, 0, 1, 1, 0, 1], [0.5, 1, 0, 0, 1, 0], [0, 1, 0, 0, 1, 0]]
    np.testing.assert_array_equal(inputs[:, : adult.CONTINUOUS], numbers)
    # Columns of two values: workclass (?, State-gov), education (11th, HS-grad); those of one; sex.
    np.testing.assert_array_equal(inputs[0, adult.CONTINUOUS :], [1, 1, 1, 1, 1, 1, 1, 1])
    np.testing.assert_array_equal(inputs[2, adult.CONTINUOUS :], [0, 0, 1, 1, 1, 1, 0, 1])


@pytest.mark.parametrize("scale", adult.SCALES)
def test_adult_in_three_scales_has_the_same_columns(scale):
    rows = adult.parse_rows("\n".join([ROW, OTHER, OTHER.replace("19", "29"), ROW.replace("Cuba", "Peru")]), "x")
    unit, classes = adult.encode(rows)
    inputs, same = adult.encode(rows, scale)
    assert inputs.dtype == np.float32 and inputs.shape == unit.shape and (same == classes).all()
    first, varies = unit[:, : adult.CONTINUOUS], unit.std(axis=0) > 0
    is_standard = varies & (np.arange(unit.shape[1]) < {"unit": 0, "standard": 6, "standard_all": 99}[scale])
    np.testing.assert_array_equal(inputs[:, ~is_standard & varies], unit[:, ~is_standard & varies])
    np.testing.assert_allclose(inputs[:, is_standard].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(inputs[:, is_standard].std(axis=0), 1, rtol=1e-6)
    assert np.isfinite(inputs).all() and (np.abs(np.corrcoef(first[:, 0], inputs[:, 0])[0, 1]) > 1 - 1e-6)


def test_other_scales_of_adult_are_told():
    with pytest.raises(ValueError, match="scale: expected one of unit, standard, standard_all, got raw"):
        adult.encode([ROW.split(", ")], "raw")


@pytest.mark.parametrize("scale", adult.SCALES)
def test_standardised_tables_come_with_their_box(scale, place, tmp_path):
    for name in adult.HASHES:
        (tmp_path / name).write_text(f"{ROW}\n{OTHER}\n")
    inputs, _, *box = adult.load(place(adult, 4, (14,)), scale)
    assert len(box) == (scale != "unit")
    for one in box:
        np.testing.assert_array_equal([one.low, one.high], [inputs.min(axis=0), inputs.max(axis=0)])


def test_missing_values_are_values_and_come_first():
    rows = [ROW, OTHER, OTHER.replace("?", "Private")]
    inputs, _ = adult.encode(adult.parse_rows("\n".join(rows), "x"))
    np.testing.assert_array_equal(inputs[:, 6:9], [[0, 0, 1], [1, 0, 0], [0, 1, 0]])


def test_adult_skips_what_is_no_row_and_tells_what_is_half_a_row():
    assert adult.parse_rows(f"|1x3 Cross validator\n{ROW}\n\n", "x") == [ROW.split(", ")]
    with pytest.raises(ValueError, match="x: line 2: expected 15 columns, found 14"):
        adult.parse_rows(f"{ROW}\n{ROW.rpartition(',')[0]}\n", "x")


def test_adult_checks_what_it_read(place, tmp_path):
    for name in adult.HASHES:
        (tmp_path / name).write_text(f"{ROW}\n{OTHER}\n")
    with pytest.raises(ValueError, match="expected 5 rows that encode to 107 columns, found 4 and 14"):
        adult.load(place(adult, 5, (107,)))


@real("dataset_location.tgz")
def test_the_real_location():
    inputs, classes = location.load(REAL)
    assert inputs.shape == (5010, 446) == (location.N_EXAMPLES, *location.SHAPE) and set(np.unique(inputs)) == {0, 1}
    counts = np.bincount(classes)
    assert len(counts) == 30 and counts.min() == 97 and counts.max() == 308
    assert inputs.mean() == pytest.approx(0.120, abs=5e-4)


@real("adult.data", "adult.test")
def test_the_real_adult():
    inputs, classes = adult.load(REAL)
    assert inputs.shape == (48842, 107) == (adult.N_EXAMPLES, *adult.SHAPE) and inputs.dtype == np.float32
    assert classes.sum() == 11687 and set(classes) == {0, 1}
    numbers, values = inputs[:, : adult.CONTINUOUS], inputs[:, adult.CONTINUOUS :]
    assert (numbers.min(axis=0) == 0).all() and (numbers.max(axis=0) == 1).all() and set(np.unique(values)) == {0, 1}
    sizes = [9, 16, 7, 15, 6, 5, 1, 42]  # one value each of all attributes, but sex
    for columns in np.split(values, np.cumsum(sizes)[:-1], axis=1):
        assert columns.shape[1] == 1 or (columns.sum(axis=1) == 1).all()


NPZ = {  # layout, shape, classes, training examples, and the published means of the channels
    "mnist": ("channels_first", (1, 28, 28), 10, 20_000, [0.1307]),
    "cifar10": ("channels_last", (3, 32, 32), 10, 20_000, [0.4914, 0.4822, 0.4465]),
    "cifar100": ("channels_last", (3, 32, 32), 100, 14_000, [0.5071, 0.4865, 0.4409]),
}


@pytest.mark.parametrize("name", [pytest.param(name, marks=real(f"{name}.npz")) for name in NPZ])
def test_the_real_images_are_read_as_anybodys_arrays(name):
    layout, shape, n_classes, n_train, means = NPZ[name]
    path, inputs, classes = REAL / f"{name}.npz", ["x_train", "x_test"], ["y_train", "y_test"]
    assert npz.describe(path, inputs, classes, layout) == (n_train + 5000, shape)
    images, labels = npz.load(path, inputs, classes, layout)
    assert images.shape == (n_train + 5000, *shape) and images.dtype == np.float32
    assert images.min() == 0 and images.max() == 1
    np.testing.assert_allclose(images.mean(axis=(0, 2, 3)), means, atol=0.005)
    assert (np.bincount(labels) == len(images) // n_classes).all() and len(np.bincount(labels)) == n_classes
    with np.load(path, allow_pickle=False) as file:
        raw = file["x_test"][:2]
    raw = raw[:, None] if raw.ndim == 3 else raw.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(np.rint(images[n_train : n_train + 2] * 255), raw)


@real("adult.data", "adult.test")
def test_a_tampered_original_is_refused(tmp_path):
    for name in adult.HASHES:
        (tmp_path / name).write_bytes((REAL / name).read_bytes().replace(b">50K", b"<50K", 1))
    with pytest.raises(ValueError, match="adult.data: expected SHA-256 5b00264637"):
        adult.load(tmp_path)
