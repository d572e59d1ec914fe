"""Data sets and models."""

import sys
from functools import partial

import numpy as np
import pytest
import torch

from lmia.checkpoints import restore, to_arrays
from lmia.data import digits, npz
from lmia.data.torchvision import import_torchvision, load
from lmia.models import cnn, mlp, wide_resnet


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


@pytest.mark.parametrize(
    "build, shape",
    [
        (mlp.build, (30,)),
        (mlp.build, (1, 8, 8)),
        (cnn.build, (3, 32, 32)),
        (partial(wide_resnet.build, depth=10), (3, 8, 8)),
    ],
)
def test_models_survive_a_checkpoint(build, shape):
    torch.manual_seed(0)
    model = build(shape, 4)
    x = torch.rand(3, *shape)
    assert model(x).shape == (3, 4)
    model.eval()
    copy = restore(build(shape, 4), to_arrays(model, 5), 5)
    torch.testing.assert_close(copy(x), model(x), rtol=0, atol=0)


CNN_28 = 320 + 9248 + 18496 + 36928 + (64 * 5 * 5 + 1) * 512 + 513 * 10  # by hand: convolutions, dense, logits
CNN_32 = 896 + 9248 + 18496 + 36928 + (64 * 6 * 6 + 1) * 512


@pytest.mark.parametrize(
    "build, shape, n_classes, n_parameters",
    [
        (cnn.build, (3, 32, 32), 10, CNN_32 + 513 * 10),
        (cnn.build, (3, 32, 32), 100, CNN_32 + 513 * 100),
        (cnn.build, (1, 28, 28), 10, CNN_28),
        (mlp.build, (446,), 30, 447 * 128 + 129 * 30),
        (mlp.build, (600,), 100, 601 * 128 + 129 * 100),
        (mlp.build, (6169,), 100, 6170 * 128 + 129 * 100),
        (mlp.build, (107,), 2, 108 * 128 + 129 * 2),
        (wide_resnet.build, (3, 32, 32), 10, 1_467_610),  # as published implementations of WRN-28-2 count
    ],
)
def test_models_have_the_papers_sizes(build, shape, n_classes, n_parameters):
    assert sum(weights.numel() for weights in build(shape, n_classes).parameters()) == n_parameters


def test_wide_resnets_have_only_some_depths():
    with pytest.raises(ValueError, match="depth: expected 6 k . 4 .* got 27"):
        wide_resnet.build((3, 32, 32), 10, depth=27)


def test_weights_may_begin_as_in_the_released_code():
    torch.manual_seed(0)
    model = mlp.build((100,), 50, hidden=[200], initialization="glorot")
    for layer, bound in ((model[1], (6 / 300) ** 0.5), (model[3], (6 / 250) ** 0.5)):
        weights = layer.weight.detach()
        assert (layer.bias == 0).all() and weights.abs().max() == pytest.approx(bound, rel=0.01)
        assert weights.std() == pytest.approx(bound / 3**0.5, rel=0.02)
    filters = cnn.build((3, 8, 8), 10, convolutions=1, initialization="glorot")[0][0]
    assert filters.weight.detach().abs().max() == pytest.approx((6 / (9 * (3 + 32))) ** 0.5, rel=0.02)
    with pytest.raises(ValueError, match="initialization: he: expected one of torch, glorot"):
        mlp.build((100,), 50, initialization="he")


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
        ({"inputs": np.array([[0.0, 2.0]])}, "inputs: expected values in .0, 1., got 0 to 2; scale them"),
        (
            {"inputs": np.array([[0.0, np.nan]])},
            "inputs: expected numbers .* got nan, first in example 0; fill or",
        ),
        ({"inputs": np.array([[0, 1]])}, "expected uint8 or floats in .0, 1., got int64"),
        ({"inputs": np.array([0.5])}, "expected features .* got .1,."),
        ({"inputs": np.array([[None]])}, "inputs: expected plain numbers, got object; objects are never unpickled"),
        ({"images": np.array([[0.5]])}, "no array inputs; it has images, classes"),
        ({"classes": np.array([0.5])}, "classes: expected integers from 0 upwards, got float64"),
        ({"classes": np.array([-1])}, "classes: expected integers from 0 upwards, got int64 from -1"),
        ({"classes": np.array([0, 1])}, "expected one class for each of inputs"),
        ({"classes": np.array([1])}, "no example has class 0; number the classes"),
    ],
)
def test_users_arrays_that_cannot_be_used_are_refused(arrays, named, message):
    inputs = {} if "images" in named else {"inputs": np.array([[0.5]])}
    with pytest.raises(ValueError, match=message):
        npz.load(arrays(**(inputs | named | {"classes": named.get("classes", np.array([0]))})))


def test_a_file_that_is_no_npz_is_refused(tmp_path):
    (tmp_path / "mine.npz").write_bytes(b"PK no")
    with pytest.raises(ValueError, match="expected a .npz file, as numpy.savez writes it"):
        npz.describe(str(tmp_path / "mine.npz"))
