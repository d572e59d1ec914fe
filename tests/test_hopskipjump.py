"""HopSkipJump against boundaries whose distance is known, and its promises about budgets and randomness."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmia.hopskipjump import hopskipjump
from lmia.oracle import BudgetExceeded, LabelOracle
from lmia.streams import streams


class Halfspace(torch.nn.Module):
    """Class 1 where normal . x > offset. Rows are summed one by one, so a row cannot depend on its batch."""

    def __init__(self, normal, offset):
        super().__init__()
        self.normal = torch.nn.Parameter(torch.as_tensor(normal, dtype=torch.float64))
        self.offset = float(offset)

    def forward(self, x):
        margin = (x.flatten(1) * self.normal).sum(dim=1) - self.offset
        return torch.stack([-margin, margin], dim=1)


class Constant(torch.nn.Module):
    """Class 0 whatever comes."""

    def forward(self, x):
        return torch.tensor([1.0, 0.0]).expand(len(x), 2)


def halfspace(dim, seed, margin=0.25):
    """A half-space through the middle of the cube, and points at most `margin` away on either side."""
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=dim)
    normal /= np.linalg.norm(normal)
    points = 0.5 + rng.uniform(-0.2, 0.2, size=(8, dim))
    distances = rng.uniform(0.05, margin, size=8) * np.where(rng.random(8) < 0.5, -1, 1)
    points += np.outer(distances - (points - 0.5) @ normal, normal)
    model = Halfspace(normal, normal.sum() / 2)
    return model, torch.from_numpy(points), (distances > 0).astype(int), np.abs(distances)


def search(model, points, classes, budget, ids=None, **options):
    ids = np.arange(len(points)) if ids is None else ids
    oracle = LabelOracle(model, len(points), budget)
    best, spent, closest = hopskipjump(oracle, points, classes, streams(3, "test", ids), **options)
    return best, spent, closest, oracle


@settings(max_examples=12, deadline=None)
@given(dim=st.sampled_from([2, 5, 10, 20, 40, 64]), seed=st.integers(0, 10**6))
def test_linear_distances_are_found_within_five_percent(dim, seed):
    model, points, classes, exact = halfspace(dim, seed)
    best, _, closest, _ = search(model, points, classes, 2500)
    inside = ((closest > 0) & (closest < 1)).all(dim=1).numpy()  # elsewhere the cube cuts the nearest point off
    assert (best[:, -1] >= exact * (1 - 1e-9)).all()
    assert (best[inside, -1] <= 1.05 * exact[inside]).all()


def test_the_closest_point_crosses_and_lies_at_the_reported_distance():
    model, points, classes, _ = halfspace(20, 1)
    best, _, closest, _ = search(model, points, classes, 500)
    assert (model(closest).argmax(1).numpy() != classes).all()
    np.testing.assert_allclose(np.linalg.norm(closest - points, axis=1), best[:, -1], rtol=1e-12)
    assert closest.min() >= 0 and closest.max() <= 1


@settings(max_examples=25, deadline=None)
@given(budget=st.integers(1, 700), seed=st.integers(0, 1000))
def test_never_over_budget_and_the_ledger_is_what_the_model_saw(budget, seed):
    model, points, classes, _ = halfspace(12, seed)
    seen = 0
    forward = model.forward

    def counting(x):
        nonlocal seen
        seen += len(x)
        return forward(x)

    model.forward = counting
    _, spent, _, oracle = search(model, points, classes, budget, initial_probes=20)
    assert (oracle.spent <= budget).all() and (spent[:, -1] == oracle.spent).all()
    assert seen == oracle.spent.sum()


def test_distances_never_grow_and_a_smaller_budget_is_a_prefix():
    model, points, classes, _ = halfspace(20, 2)
    best, spent, _, _ = search(model, points, classes, 1500, initial_probes=20)
    assert (np.diff(best, axis=1) <= 0).all() and (np.diff(spent, axis=1) >= 0).all()
    short, short_spent, _, _ = search(model, points, classes, 600, initial_probes=20)
    steps = short.shape[1] - 1  # the last step may have ended for some examples only
    np.testing.assert_array_equal(short[:, :steps], best[:, :steps])
    np.testing.assert_array_equal(short_spent[:, :steps], spent[:, :steps])


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(8)), n=st.integers(1, 8))
def test_neither_order_nor_batch_changes_a_bit(order, n):
    model, points, classes, _ = halfspace(20, 4)
    whole, spent, _, _ = search(model, points, classes, 600, initial_probes=20)
    ids = np.array(order[:n])
    part, part_spent, _, _ = search(model, points[ids], classes[ids], 600, ids, initial_probes=20)
    width = part.shape[1]
    np.testing.assert_array_equal(part, whole[ids][:, :width])
    np.testing.assert_array_equal(part_spent[:, -1], spent[ids][:, -1])


def test_misclassified_is_zero_and_unreachable_is_censored():
    model, points, classes, _ = halfspace(6, 5)
    best, spent, _, _ = search(model, points, 1 - classes, 300)
    assert (best == 0).all() and (spent[:, -1] == 1).all()
    best, spent, closest, _ = search(Constant(), points.float(), np.zeros(8, int), 300, init_tries=7)
    assert np.isinf(best[:, -1]).all() and (spent[:, -1] == 1 + 7).all()
    torch.testing.assert_close(closest, points.float())


def test_the_oracle_refuses_before_it_asks():
    asked = []

    class Recorder(Constant):
        def forward(self, x):
            asked.append(len(x))
            return super().forward(x)

    oracle = LabelOracle(Recorder(), 2, budget=3)
    oracle(torch.zeros(4, 5), np.array([0, 0, 1, 1]))
    with pytest.raises(BudgetExceeded, match="example 1: 2 queries asked, 1 left of a budget of 3"):
        oracle(torch.zeros(3, 5), np.array([0, 1, 1]))
    assert asked == [4] and oracle.spent.tolist() == [2, 2]


def test_the_oracle_puts_models_in_evaluation_mode():
    model = torch.nn.Sequential(torch.nn.Dropout(0.9), torch.nn.Linear(4, 2)).train()
    oracle = LabelOracle(model, 1, budget=100)
    labels = oracle(torch.ones(100, 4), np.zeros(100, int))
    assert len(labels.unique()) == 1 and not model.training
