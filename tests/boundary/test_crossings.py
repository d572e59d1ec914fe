"""Crossings by few gradients, against boundaries whose distance is known and against DDN with five times as many."""

import numpy as np
import pytest
import torch

from lmia.boundary import crossings as module
from lmia.boundary.crossings import STEPS, closest_crossings
from lmia.boundary.white_box import white_box_distances
from lmia.box import Box
from lmia.data.digits import load
from lmia.defenses import base
from lmia.models import mlp
from lmia.training.loop import train
from lmia.training.options import TrainingOptions
from tests.boundary.halfspaces import Halfspace, near_a_halfspace


class Ellipse(torch.nn.Module):
    """Class 1 outside of an ellipse around the middle of the square: gradients inside point elsewhere than the way."""

    def __init__(self):
        super().__init__()
        self.axes = torch.nn.Parameter(torch.tensor([0.45, 0.2], dtype=torch.float64))

    def forward(self, x):
        margin = ((x - 0.5) / self.axes).square().sum(dim=1) - 1
        return torch.stack([-margin, margin], dim=1)


def counted(model):
    """A list that notes, for each forward pass that can be followed back, how many inputs it has."""
    asked, forward = [], model.forward
    model.forward = lambda x: (x.requires_grad and asked.append(len(x))) or forward(x)
    return asked


@pytest.mark.parametrize("scale", [1.0, 1e4], ids=["doubtful", "certain"])
@pytest.mark.parametrize("box", [Box(), Box(-50.0, 50.0)], ids=["unit box", "large box"])
def test_linear_distances_are_found_within_two_percent(scale, box):
    distances = np.concatenate([np.linspace(0.002, 0.2, 30), -np.linspace(0.002, 0.2, 30)])
    model, points, classes = near_a_halfspace(distances, 0.2, scale=scale)
    crossings, found = closest_crossings(model, points, classes, box=box)
    assert (found >= np.abs(distances) * (1 - 1e-9)).all()
    assert (found <= np.abs(distances) * 1.02).all()
    assert (model(crossings).argmax(1).numpy() != classes).all()
    np.testing.assert_allclose(np.linalg.norm(crossings - points, axis=1), found, rtol=1e-9)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_an_input_on_the_boundary_is_left_at_once(dtype):
    """A tie is the first label's: the gradient puts the boundary at a distance of 0, where the label is the same."""
    model = Halfspace(np.eye(3)[0], 0.5).to(dtype)
    crossings, found = closest_crossings(model, torch.full((1, 3), 0.5, dtype=dtype), [0])
    assert 0 < found[0] < 0.02 and crossings[0, 0] > 0.5 and crossings.dtype == dtype


def test_the_last_point_is_looked_at(monkeypatch):
    """Of two gradients the second is taken where the first has the boundary, which rounding may not let cross."""
    monkeypatch.setattr(module, "STEPS", 2)
    distances = np.linspace(0.01, 0.2, 30)
    model, points, classes = near_a_halfspace(distances, 0.2)
    assert np.isfinite(closest_crossings(model, points, classes)[1]).all()


def test_a_way_that_turns_is_found():
    """Near the long axis of an ellipse: the gradient points along it, and the boundary is nearest across it."""
    starts = [[0.5 + along, 0.5 + across] for along in (0.02, 0.05, 0.1, 0.2, 0.3) for across in (0.004, 0.01, 0.03)]
    points, angles = torch.tensor(starts, dtype=torch.float64), np.linspace(0, 2 * np.pi, 100_001)
    edge = 0.5 + np.stack([0.45 * np.cos(angles), 0.2 * np.sin(angles)], axis=1)
    nearest = np.array([np.linalg.norm(edge - point, axis=1).min() for point in points.numpy()])
    ratio = closest_crossings(Ellipse(), points, np.zeros(15, int))[1] / nearest
    assert (ratio > 1 - 1e-6).all() and np.median(ratio) < 1.01 and ratio.max() < 1.05


def test_a_flat_place_is_left():
    """Where the gradient all but vanishes, the boundary seems to lie far beyond the box."""

    class Plateau(Halfspace):
        def forward(self, x):
            return super().forward(x) ** 9

    points = torch.full((4, 3), 0.2, dtype=torch.float64)
    points[:, 0] = torch.tensor([0.2, 0.3, 0.4, 0.45])
    found = closest_crossings(Plateau(np.eye(3)[0], 0.5), points, np.zeros(4, int))[1]
    np.testing.assert_allclose(found, [0.3, 0.2, 0.1, 0.05], rtol=0.02)


def in_the_box(points, normal, offset, box):
    """Distances (n,) to where normal . x = offset in a box of a range for each feature."""
    low, high = torch.as_tensor(box.low), torch.as_tensor(box.high)
    lengths = torch.logspace(-4, 3, 20_000, dtype=torch.float64)
    ways = torch.clamp(points[:, None] + lengths[:, None] * normal, low, high)
    far = torch.linalg.vector_norm(ways - points[:, None], dim=2)
    return torch.where(ways @ normal >= offset, far, torch.inf).min(dim=1).values.numpy()


@pytest.mark.parametrize("corners", [True, False], ids=["zeros and ones", "ranges"])
def test_features_end_at_their_walls(corners):
    """At a corner half of the gradient leads out of the box; a constant feature leads nowhere."""
    rng, dim = np.random.default_rng(0), 40
    box = Box(np.zeros(dim), np.ones(dim)) if corners else Box(np.zeros(dim), np.r_[rng.uniform(0.5, 4, dim - 1), 0.0])
    shares = rng.integers(0, 2, (50, dim)) if corners else rng.uniform(size=(50, dim))
    points = torch.from_numpy(box.at(shares.astype(float)))
    normal = torch.from_numpy(rng.normal(size=dim))
    normal /= normal.norm()
    offset = float((points @ normal).max()) + 0.1
    model = Halfspace(normal.numpy(), offset)
    crossings, found = closest_crossings(model, points, np.zeros(50, int), box=box)
    nearest = in_the_box(points, normal, offset, box)
    ratio = found / nearest
    assert (ratio > 0.99).all() and np.median(ratio) < 1.01 and ratio.max() < 1.05
    assert torch.equal(box.clip_(crossings.clone()), crossings)


def test_models_without_a_gradient_are_an_error():
    class Steps(Halfspace):
        def forward(self, x):
            return super().forward(x).detach().sign()

    with pytest.raises(RuntimeError, match="grad"):
        closest_crossings(Steps(np.eye(3)[0], 0.5), torch.full((1, 3), 0.2, dtype=torch.float64), [0])


def test_the_box_is_kept():
    """One pixel that may not grow: the way goes through the other, sqrt(2) times as long as without a box."""
    model = Halfspace(np.array([1.0, 1.0]) / np.sqrt(2), 1.3 / np.sqrt(2))
    crossings, found = closest_crossings(model, torch.tensor([[1.0, 0.1]], dtype=torch.float64), [0])
    assert found[0] == pytest.approx(0.2, rel=1e-2) and crossings[0, 0] == 1


def test_misclassified_inputs_cost_no_gradient():
    model, points, classes = near_a_halfspace(np.array([0.1, -0.1, 0.1]), 0.2)
    asked = counted(model)
    crossings, found = closest_crossings(model, points, 1 - classes)
    assert not asked and not found.any() and torch.equal(crossings, points)
    crossings, found = closest_crossings(model, points, [1, 1, 1])
    assert asked == [2] * STEPS and (found > 0).tolist() == [True, False, True]
    assert torch.equal(crossings[1], points[1])


def test_on_digits_as_near_as_ddn_with_five_times_the_gradients():
    inputs, classes = map(torch.from_numpy, load(pixel_noise=0.3))
    options = TrainingOptions(learning_rate=1e-3, batch_size=50, min_delta=0.005, patience=20, max_epochs=100)
    model, _ = train(mlp.build, inputs[:150], classes[:150], 10, 0, base.Defense(), options)
    points, of = inputs[150:350], classes[150:350].numpy()
    crossings, found = closest_crossings(model, points, of)
    reference = white_box_distances(model, points, of, steps=5 * STEPS)[0][:, 0]
    right = reference > 0
    assert right.sum() > 100 and ((found > 0) == right).all()
    ratio = found[right] / reference[right]
    assert np.median(ratio) < 1.01 and np.quantile(ratio, 0.9) < 1.05 and ratio.max() < 1.5
    assert (model(crossings[right]).argmax(1).numpy() != of[right]).all()
