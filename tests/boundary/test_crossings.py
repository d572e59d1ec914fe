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
from tests.boundary.test_white_box import Halfspace, near_a_halfspace


class Ball(torch.nn.Module):
    """Class 1 outside of a ball around the middle of the cube: near its centre, gradients say nothing of the way."""

    def __init__(self, radius):
        super().__init__()
        self.radius = torch.nn.Parameter(torch.tensor(radius, dtype=torch.float64))

    def forward(self, x):
        margin = (x.flatten(1) - 0.5).square().sum(dim=1) - self.radius**2
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


def test_an_input_on_the_boundary_is_left_at_once():
    """A tie is the first label's: the gradient puts the boundary at a distance of 0, where the label is the same."""
    crossings, found = closest_crossings(
        Halfspace(np.eye(3)[0], 0.5), torch.full((1, 3), 0.5, dtype=torch.float64), [0]
    )
    assert 0 < found[0] < 1e-3 and crossings[0, 0] > 0.5


def test_the_last_point_is_looked_at(monkeypatch):
    """Of two gradients the second is taken where the first has the boundary, which rounding may not let cross."""
    monkeypatch.setattr(module, "STEPS", 2)
    distances = np.linspace(0.01, 0.2, 30)
    model, points, classes = near_a_halfspace(distances, 0.2)
    assert np.isfinite(closest_crossings(model, points, classes)[1]).all()


def test_a_misleading_gradient_costs_a_tenth():
    """From 1 to 90 % of the way out of a ball: the first radius is up to 50 times too long."""
    shares = np.linspace(0.01, 0.9, 20)
    points = torch.full((20, 6), 0.5, dtype=torch.float64)
    points[:, 0] += torch.from_numpy(0.4 * shares)
    crossings, found = closest_crossings(Ball(0.4), points, np.zeros(20, int))
    assert (found >= 0.4 * (1 - shares) * (1 - 1e-9)).all() and (found <= 0.4 * (1 - shares) * 1.1).all()
    assert ((crossings >= 0) & (crossings <= 1)).all()


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
