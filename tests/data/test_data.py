"""Digits, and torchvision's data sets beside any torch."""

import sys

import numpy as np
import pytest

from lmia.data import digits
from lmia.data.torchvision import import_torchvision, load


def test_digits_are_as_announced_and_their_noise_is_fixed():
    inputs, classes = digits.load(pixel_noise=0.3, seed=1)
    assert inputs.shape == (digits.N_EXAMPLES, 1, 8, 8) and inputs.dtype == np.float32
    assert inputs.min() >= 0 and inputs.max() <= 1 and set(classes) == set(range(10))
    np.testing.assert_array_equal(inputs, digits.load(pixel_noise=0.3, seed=1)[0])
    assert (inputs != digits.load(pixel_noise=0.3, seed=2)[0]).any()


def test_torchvision_imports_beside_any_torch():
    fake = import_torchvision().datasets.FakeData(size=2, image_size=(3, 4, 4))
    assert len(fake) == 2


@pytest.fixture
def stub(monkeypatch, tmp_path):
    """A function that puts a package of the given source in torchvision's place."""

    def place(source):
        import_torchvision()  # so that its modules are there to be put back
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            monkeypatch.delitem(sys.modules, name)
        (tmp_path / "torchvision").mkdir()
        (tmp_path / "torchvision/__init__.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr("lmia.data.torchvision._declare_operators", lambda: declared.append(True))
        return declared

    declared = []
    return place


def test_operators_are_declared_only_where_they_are_missing(stub):
    declared = stub("answer = 1")
    assert import_torchvision().answer == 1 and not declared


def test_half_an_import_of_torchvision_is_done_again(stub, tmp_path):
    marker = tmp_path / "imported-once"
    declared = stub(
        f"from pathlib import Path\nif not (marker := Path({str(marker)!r})).exists():\n"
        "    marker.touch()\n    raise RuntimeError('operator torchvision::nms does not exist')"
    )
    assert import_torchvision() is sys.modules["torchvision"] and declared == [True]


def test_other_errors_of_torchvision_are_not_swallowed(stub):
    declared = stub("raise RuntimeError('no driver')")
    with pytest.raises(RuntimeError, match="no driver"):
        import_torchvision()
    assert not declared


def test_torchvision_parts_are_pooled(monkeypatch):
    class Tiny:
        def __init__(self, root, train, download):
            n = 3 if train else 2
            self.data, self.targets = np.full((n, 4, 4), 255, np.uint8), list(range(n))

    monkeypatch.setattr(import_torchvision().datasets, "KMNIST", Tiny)
    inputs, classes = load("KMNIST")
    assert inputs.shape == (5, 1, 4, 4) and inputs.max() == 1 and classes.tolist() == [0, 1, 2, 0, 1]


def test_pickles_of_torchvision_are_not_loaded():
    with pytest.raises(ValueError, match="CIFAR10: expected one of MNIST, FashionMNIST, KMNIST"):
        load("CIFAR10")
