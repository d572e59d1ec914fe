"""Distances by gradients, against boundaries whose distance is known and against the search that sees labels only."""

import numpy as np
import pytest
import torch

from lmia.boundary.search import search_boundary
from lmia.boundary.white_box import white_box_distances
from lmia.data.digits import load
from lmia.defenses import base
from lmia.models import mlp
from lmia.queries.oracle import LabelOracle
from lmia.streams import streams
from lmia.training.loop import train
from lmia.training.options import TrainingOptions
from tests.boundary.halfspaces import Halfspace, near_a_halfspace


@pytest.mark.parametrize("steps", [20, 100])
@pytest.mark.parametrize("scale", [1.0, 1e4], ids=["doubtful", "certain"])
def test_linear_distances_are_found_within_two_percent(steps, scale):
    """Also very close to the boundary, in few steps, and where every probability is rounded to 0 or 1."""
    distances = np.concatenate([np.linspace(0.002, 0.2, 30), -np.linspace(0.002, 0.2, 30)])
    model, points, classes = near_a_halfspace(distances, 0.2, scale=scale)
    best, spent = white_box_distances(model, points, classes, steps=steps)
    assert best.shape == spent.shape == (60, 1) and (spent == steps).all()
    assert (best[:, 0] >= np.abs(distances) * (1 - 1e-9)).all()
    assert (best[:, 0] <= np.abs(distances) * 1.02).all()


def test_the_box_is_kept():
    """One pixel that may not grow: the way goes through the other, sqrt(2) times as long as without a box."""
    model = Halfspace(np.array([1.0, 1.0]) / np.sqrt(2), 1.3 / np.sqrt(2))
    asked = []
    forward = model.forward
    model.forward = lambda x: asked.append(x.detach().clone()) or forward(x)
    best, _ = white_box_distances(model, torch.tensor([[1.0, 0.1]], dtype=torch.float64), [0])
    assert best[0, 0] == pytest.approx(0.2, rel=1e-2)
    assert min(x.min() for x in asked) >= 0 and max(x.max() for x in asked) <= 1


def test_misclassified_is_zero_and_unreachable_is_censored():
    model, points, classes = near_a_halfspace(np.linspace(0.05, 0.2, 8), 0.2)
    best, spent = white_box_distances(model, points, 1 - classes)
    assert (best == 0).all() and (spent == 0).all()
    best, spent = white_box_distances(Halfspace(model.normal.detach(), -100.0), points, classes, steps=20)
    assert np.isinf(best).all() and (spent == 20).all()


@pytest.fixture(scope="module")
def trained():
    """A small overfitted network, points that it knows and does not know, and their classes."""
    inputs, classes = (torch.from_numpy(part) for part in load(pixel_noise=0.3))
    options = {"learning_rate": 1e-2, "batch_size": 20, "min_delta": 0.005, "patience": 5, "max_epochs": 40}
    model, _ = train(mlp.build, inputs[:100], classes[:100], 10, 0, base.Defense(), TrainingOptions(**options))
    return model, inputs[60:140], classes[60:140].numpy()


def test_neither_batch_nor_order_changes_a_distance(trained, monkeypatch):
    model, inputs, classes = trained
    best, _ = white_box_distances(model, inputs, classes, steps=40)
    order = np.random.default_rng(0).permutation(80)[:50]
    monkeypatch.setattr(LabelOracle, "chunk", staticmethod(lambda size, device: 20))
    part, _ = white_box_distances(model, inputs[order], classes[order], steps=40)
    np.testing.assert_allclose(part, best[order], rtol=1e-3)


def test_the_model_is_left_as_it_was_but_in_evaluation_mode(trained):
    model, inputs, classes = trained
    before = [parameter.clone() for parameter in model.parameters()]
    white_box_distances(model.train(), inputs[:5], classes[:5], steps=5)
    assert not model.training
    for parameter, old in zip(model.parameters(), before, strict=True):
        assert parameter.grad is None and parameter.requires_grad and torch.equal(parameter, old)


def test_gradients_find_nearer_points_than_labels_and_order_them_alike(trained):
    model, inputs, classes = trained
    best = white_box_distances(model, inputs, classes)[0][:, 0]
    found, _, _ = search_boundary(
        model, inputs, classes, lambda copy: streams(0, "test", range(80)), budget=1500, schedule="published"
    )
    labels = found[:, 0, -1]
    np.testing.assert_array_equal(best == 0, labels == 0)
    assert (best <= 1.05 * labels).mean() >= 0.95
    right = best > 0
    assert np.corrcoef(best[right].argsort().argsort(), labels[right].argsort().argsort())[0, 1] > 0.8
