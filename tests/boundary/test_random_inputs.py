"""Searches around random inputs: of a half-space, distances and their quantiles are known."""

import copy

import numpy as np
import pytest
import torch

from lmia.attacks.distance import Attack
from lmia.attacks.observations import Distances
from lmia.boundary.random_inputs import search_random_inputs
from lmia.boundary.search import search_boundary
from lmia.streams import streams

N, BUDGET = 41, 400


class Counted(torch.nn.Module):
    """Class 1 where w x + b > 0, of logits that lie around `level`; counts what it is asked."""

    def __init__(self, weight, bias, level=0.0):
        super().__init__()
        self.linear = torch.nn.Linear(len(weight), 2)
        with torch.no_grad():
            self.linear.weight.copy_(torch.tensor([[0.0] * len(weight), weight]))
            self.linear.bias.copy_(torch.tensor([level, level + bias]))
        self.asked = 0

    def forward(self, inputs):
        self.asked += len(inputs)
        return self.linear(inputs)


def draws(n):
    return lambda purpose: streams(5, purpose, range(n))


def uniform(n, dim):
    return np.stack([stream.random(dim, dtype=np.float32) for stream in draws(n)("inputs")])


def search(model, n=N, dim=2, budget=BUDGET, **options):
    return search_random_inputs(model, n, (dim,), draws(n), budget=budget, **options)


@pytest.mark.parametrize("weight, bias", [([2.0, 0.0], -0.6), ([0.0, 0.0, -4.0], 2.8)])
@pytest.mark.parametrize("quantile", [0.5, 0.95])
def test_quantiles_of_distances_to_a_hyperplane_are_those_by_hand(weight, bias, quantile):
    """Planes beside an axis, whose nearest point never lies outside of [0, 1]."""
    distance, n_queries = search(Counted(weight, bias), dim=len(weight))
    exact = abs(uniform(N, len(weight)) @ weight + bias) / np.linalg.norm(weight)
    np.testing.assert_allclose(distance[:, -1], exact, rtol=0.02, atol=1e-4)
    target = Distances(
        np.ones((1, 1, 1)), np.ones((1, 1, 1), int), np.zeros(1, int), None, distance, n_queries.astype(int)
    )
    place = {0.5: 20, 0.95: 38}[quantile]  # the 21st and the 39th of 41, of which 0.95 is 38.95
    found = Attack(threshold="random_inputs", quantile=quantile).threshold_on(target)
    assert found == pytest.approx(np.sort(exact)[place], rel=0.02)


def test_random_inputs_cost_a_budget_each_and_a_label():
    model = Counted([1.0, 1.0], -0.8)
    _, n_queries = search(model, budget=50)
    assert model.asked == n_queries[:, -1].sum() + N and n_queries.max() <= 50 and n_queries[:, 0].tolist() == [1] * N


def test_more_random_inputs_include_fewer():
    model = Counted([1.0, 1.0], -0.8).double()
    few, many = (search(model, n, budget=100)[0] for n in (6, 17))
    np.testing.assert_array_equal(few[:, -1], many[:6, -1])


def test_random_inputs_stay_in_the_precision_of_the_examples():
    model = Counted([1.0, 1.0], -0.8, level=100.0)  # bfloat16 resolves halves there, so many labels are others
    inputs = torch.from_numpy(uniform(N, 2))
    labels = copy.deepcopy(model).bfloat16()(inputs.bfloat16()).argmax(1).numpy()
    expected, _, asked = search_boundary(
        model,
        inputs,
        labels,
        lambda number: draws(N)("searches"),
        budget=BUDGET,
        precision="bfloat16",
        most_disagreement=1.0,
    )
    assert asked["disagreement"] > 0
    found, _ = search(model, precision="bfloat16", most_disagreement=0.0)
    np.testing.assert_array_equal(found, expected[:, 0])
