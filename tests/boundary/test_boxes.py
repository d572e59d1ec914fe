"""Searches in another box than [0, 1]: none leaves it, and where all is scaled alike, they find the same."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmia.boundary.fixed_directions import fixed_points, search_directions
from lmia.boundary.random_inputs import search_random_inputs
from lmia.boundary.search import search_boundary
from lmia.boundary.white_box import white_box_distances
from lmia.box import UNIT, Box
from lmia.streams import stream, streams

DIM, N = 6, 12


class Scaled(torch.nn.Module):
    """A small network of `low + width * x` that gives x its label, rows by themselves; notes the ends of what came."""

    def __init__(self, seed, low=0.0, width=1.0):
        super().__init__()
        draw = np.random.default_rng(seed)
        self.first = torch.nn.Parameter(torch.from_numpy(draw.normal(size=(9, DIM)) * 3))
        self.second = torch.nn.Parameter(torch.from_numpy(draw.normal(size=(3, 9))))
        self.low, self.width = torch.as_tensor(low).double(), torch.as_tensor(width).double()
        self.ends = np.full(DIM, np.inf), np.full(DIM, -np.inf)

    def forward(self, inputs):
        values = inputs.detach().numpy()
        self.ends = np.minimum(self.ends[0], values.min(axis=0)), np.maximum(self.ends[1], values.max(axis=0))
        hidden = torch.tanh((((inputs - self.low) / self.width - 0.5)[:, None] * self.first).sum(dim=2))
        return (hidden[:, None] * self.second).sum(dim=2)


def draws(copy):
    return streams(1, f"{copy}", range(N))


def uniform(seed, n):
    return np.random.default_rng(seed).random((n, DIM))


SEARCHES = {
    "economical": lambda model, x, y, box: search_boundary(model, x, y, draws, budget=150, box=box)[0],
    "published": lambda model, x, y, box: search_boundary(
        model, x, y, draws, budget=400, schedule="published", initial_probes=20, box=box
    )[0],
    "from a pool": lambda model, x, y, box: search_boundary(
        model, x, y, draws, budget=150, pool=(torch.from_numpy(box.at(uniform(9, 40))), np.arange(40) % 3), box=box
    )[0],
    "white-box": lambda model, x, y, box: white_box_distances(model, x, y, steps=30, box=box)[0],
    "directions": lambda model, x, y, box: search_directions(
        model, x, y, fixed_points(["white", "black", "random"], (DIM,), stream(0, "to"), box)
    )[0],
    "random inputs": lambda model, x, y, box: search_random_inputs(
        model, N, (DIM,), lambda purpose: draws(purpose), budget=150, box=box
    )[0],
}


def search(kind, seed, box):
    """(distances of a search in a box, the network that was asked): the same problem as in [0, 1], stretched."""
    low, width = np.float64(box.low), np.float64(box.high) - box.low
    model, x = Scaled(seed, low, width), uniform(seed + 1, N)
    with torch.no_grad():
        labels = model(torch.from_numpy(low + width * x)).argmax(dim=1).numpy()
    return SEARCHES[kind](model, torch.from_numpy(low + width * x), labels, box), model


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), power=st.integers(-6, 8))
@pytest.mark.parametrize("kind", SEARCHES)
def test_distances_in_a_box_of_another_size_are_as_many_times_as_large(kind, seed, power):
    """To the last bit, of the whole course, where the size is a power of two."""
    size = 2.0**power
    plain, _ = search(kind, seed, UNIT)
    found, _ = search(kind, seed, Box(np.zeros(DIM), np.full(DIM, size)))
    assert np.isfinite(plain).any()
    np.testing.assert_array_equal(found, plain * size)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6))
@pytest.mark.parametrize("kind", SEARCHES)
def test_distances_in_a_box_elsewhere_are_the_same(kind, seed):
    plain, _ = search(kind, seed, UNIT)
    found, _ = search(kind, seed, Box(np.full(DIM, -0.5), np.full(DIM, 0.5)))
    np.testing.assert_allclose(found, plain, rtol=1e-3, atol=1e-9)


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    low=st.lists(st.floats(-20, 20, width=32), min_size=DIM, max_size=DIM),
    width=st.lists(st.floats(0.125, 20, width=32), min_size=DIM, max_size=DIM),
)
@pytest.mark.parametrize("kind", SEARCHES)
def test_no_search_leaves_the_box(kind, seed, low, width):
    box = Box(np.array(low), np.array(low) + np.array(width))
    distance, model = search(kind, seed, box)
    rounding = 1e-12 * (np.abs(low) + width)
    assert np.isfinite(distance).any()
    assert (model.ends[0] >= box.low - rounding).all() and (model.ends[1] <= box.high + rounding).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), width=st.lists(st.sampled_from([0.25, 1, 8]), min_size=DIM, max_size=DIM))
def test_shares_of_a_fixed_direction_know_no_scale(seed, width):
    """However each feature is stretched: a share of a way is a share of the stretched way."""

    def shares(box):
        distance, _ = search("directions", seed, box)
        x = box.at(uniform(seed + 1, N))
        points = fixed_points(["white", "black", "random"], (DIM,), stream(0, "to"), box).numpy()
        return distance[..., -1] / np.linalg.norm(points[None] - x[:, None], axis=2)

    np.testing.assert_allclose(shares(Box(np.zeros(DIM), np.array(width, float))), shares(UNIT), rtol=1e-9)
