"""Distances along fixed directions, of models whose labels along a line are known in closed form."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmia.attacks.observations import Distances
from lmia.boundary.fixed_directions import as_levels, fixed_points, points_of, search_directions
from lmia.streams import stream

SHAPE = (1, 3, 4)
WHITE, BLACK = torch.ones(1, *SHAPE), torch.zeros(1, *SHAPE)


class Halfspace(torch.nn.Module):
    """Label 1 where w.x + b > 0; counts what it is asked, and keeps it."""

    def __init__(self, weight, bias):
        super().__init__()
        self.weight, self.bias, self.asked = torch.as_tensor(weight, dtype=torch.float64), bias, []

    def forward(self, inputs):
        self.asked.append(inputs)
        score = inputs.double().flatten(1) @ self.weight + self.bias
        return torch.stack([-score, score], dim=1)


class Brightness(torch.nn.Module):
    """Label 1 for inputs (m, 1) that lie strictly within one of several intervals."""

    def __init__(self, *intervals):
        super().__init__()
        self.intervals = intervals

    def forward(self, inputs):
        within = sum(((inputs > low) & (inputs < high)).float() for low, high in self.intervals)
        return torch.cat([0.5 - within, within - 0.5], dim=1)


def final(found):
    return found[0][:, 0, -1]


@given(seed=st.integers(0, 10**6), log_levels=st.integers(1, 7), method=st.sampled_from(["bisection", "scan"]))
@settings(deadline=None, max_examples=60)
def test_behind_a_flat_boundary_the_first_wrong_level_is_the_distance(seed, log_levels, method):
    """It is floor(t levels) + 1, of the share t of the way at which w.x + b changes its sign."""
    numbers, levels, n = np.random.default_rng(seed), 2**log_levels, 20
    weight, x, m = numbers.standard_normal(12), numbers.random((n, 12)), numbers.random(12)
    bias = -float(weight @ (x.mean(0) + m) / 2)
    classes = (x @ weight + bias > 0).astype(int)
    classes[:3] = 1 - classes[:3]  # misclassified
    model = Halfspace(weight, bias)
    inputs, points = torch.from_numpy(x.reshape(n, *SHAPE)), torch.from_numpy(m.reshape(1, *SHAPE))
    # Levels of float32 inputs lie within 1e-6 of those of real numbers: crossings nearer than that to one are not told.
    t = -(x @ weight + bias) / ((m - x) @ weight)
    told = np.abs(t * levels - np.round(t * levels)) > 1e-3
    found = search_directions(model, inputs, classes, points, levels=levels, method=method)
    level = np.where((t > 0) & (t < 1), np.floor(t * levels) + 1, np.inf)
    level[level == levels] = np.inf  # the point itself is never asked
    expected = level / levels * np.linalg.norm(m - x, axis=1)
    expected[:3] = 0
    told[:3] = True
    np.testing.assert_allclose(final(found)[told], expected[told], rtol=1e-5)
    each = log_levels if method == "bisection" else levels - 1
    assert found[1].shape == (n, 1, 1 + each)
    assert found[1][:3, 0].max() == 1 and (found[1][3:, 0] == np.arange(1, each + 2)).all()
    assert sum(map(len, model.asked)) == found[1][:, 0, -1].sum() == n + (n - 3) * each


@given(seed=st.integers(0, 10**6), log_levels=st.integers(1, 10), method=st.sampled_from(["bisection", "scan"]))
@settings(deadline=None, max_examples=30)
def test_towards_its_own_largest_value_an_input_crosses_where_the_line_says(seed, log_levels, method):
    """At the share t = -(w.x + b) / (w.(m - x)), where m is x's largest value in each feature."""
    numbers, levels, n = np.random.default_rng(seed), 2**log_levels, 12
    weight, x = numbers.standard_normal(12), numbers.random((n, 12))
    bias, m = -float(weight @ x.mean(0)) - 0.1, np.repeat(x.max(axis=1, keepdims=True), 12, axis=1)
    classes = (x @ weight + bias > 0).astype(int)
    classes[0] = 1 - classes[0]
    inputs = torch.from_numpy(x.reshape(n, *SHAPE))
    (points,) = points_of(["largest"], inputs, stream(0, "test"))
    np.testing.assert_array_equal(points.flatten(1), m)
    model = Halfspace(weight, bias)
    found = search_directions(model, inputs, classes, [points], levels=levels, method=method)
    t = -(x @ weight + bias) / ((m - x) @ weight)
    expected = np.where((t > 0) & (t * levels < levels - 1), np.floor(t * levels) + 1, levels)
    expected[0], told = 0, np.abs(t * levels - np.round(t * levels)) > 1e-2
    told[0] = True
    course = as_levels(found[0][:, 0], inputs, points, levels)
    assert course[told, -1].tolist() == expected[told].tolist()
    assert (course[1:, 0] == levels).all()  # before anything was found
    asked = log_levels if method == "bisection" else levels - 1
    assert found[1][:, 0, -1].tolist() == [1] + [1 + asked] * (n - 1)


def test_an_own_point_is_one_direction_among_others():
    inputs = torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(0))
    white, largest, random = points_of(["white", "largest", "random"], inputs, stream(0, "test"))
    expected = fixed_points(["white", "random"], SHAPE, stream(0, "test"))
    assert torch.equal(white, expected[0]) and torch.equal(random, expected[1])
    model, classes = Halfspace(np.ones(12), -9.0), [0] * 4
    together = search_directions(model, inputs, classes, [white, largest, random])
    for place, point in enumerate((white, largest, random)):
        alone = search_directions(model, inputs, classes, [point])
        np.testing.assert_array_equal(together[0][:, place], alone[0][:, 0])
    one_by_one = [search_directions(model, inputs[i : i + 1], [0], [largest[i]])[0][0] for i in range(4)]
    np.testing.assert_array_equal(together[0][:, 1:2], one_by_one)
    grey = torch.full((1, *SHAPE), 0.7)  # which is at its point already
    course = search_directions(model, grey, [0], points_of(["largest"], grey, stream(0, "test")))[0][:, 0]
    assert as_levels(course, grey, grey, 32).tolist() == [[32] * 6]


@pytest.mark.parametrize("method, queries", [("bisection", (6, 16)), ("scan", (32, 94))])
def test_one_direction_of_32_levels_costs_6_queries_and_three_cost_16(method, queries):
    inputs = torch.full((4, *SHAPE), 0.5)
    points = fixed_points(["white", "black", "random"], SHAPE, stream(0, "test"))
    for chosen, expected in zip((points[:1], points), queries, strict=True):
        model = Halfspace(np.ones(12), -6.5)
        distance, n_queries, _ = search_directions(model, inputs, [0, 0, 0, 1], chosen, method=method)
        spent = Distances(distance, n_queries, np.zeros(4, int)).queries()
        assert spent.tolist() == [expected] * 3 + [1] and sum(map(len, model.asked)) == spent.sum()


def test_levels_lie_on_the_way_to_the_point_which_is_never_asked():
    inputs = torch.full((1, *SHAPE), 0.5)
    model = Halfspace(np.ones(12), -100.0)
    search_directions(model, inputs, [0], WHITE, levels=8, method="scan")
    sent = torch.cat(model.asked)
    assert sent.shape == (8, *SHAPE) and torch.equal(sent[:, 0, 0, 0], 0.5 + torch.arange(8) / 16)
    assert (sent.flatten(1) == sent.flatten(1)[:, :1]).all()
    model = Halfspace(np.ones(12), -11.0)  # wrong from 5 / 6 of the way on
    search_directions(model, inputs, [0], WHITE, levels=8)
    assert torch.cat(model.asked)[:, 0, 0, 0].tolist() == [0.5, 0.75, 0.875, 0.9375]


def test_a_scan_finds_the_first_wrong_label_and_bisection_one_beyond_a_right_one():
    model, inputs, point = Brightness((0.2, 0.3), (0.7, 0.95)), torch.zeros(1, 1), torch.ones(1, 1)
    scan, bisection = (
        search_directions(model, inputs, [0], point, levels=8, method=method)[0][0, 0]
        for method in ("scan", "bisection")
    )
    assert scan.tolist() == [math.inf, math.inf] + [0.25] * 6
    assert bisection.tolist() == [math.inf, math.inf, 0.75, 0.75]  # asked at 4, 6 and 5 eighths


def test_every_direction_starts_anew_from_the_input():
    """Towards white their label changes at brightness 0.71, towards black at 0.4."""
    inputs = torch.tensor([[0.5], [0.6], [0.8]])
    model = Brightness((0.4, 0.71))
    points = torch.tensor([[1.0], [0.0]])
    distance, n_queries, _ = search_directions(model, inputs, [1, 1, 1], points, levels=32, method="scan")
    # Beyond it are 0.5 + 14/32 * 0.5 and 0.6 + 9/32 * 0.4 first, and 0.5 - 7/32 * 0.5 and 0.6 - 11/32 * 0.6.
    expected = [[14 / 64, 7 / 64], [9 / 80, 33 / 160], [0, 0]]
    np.testing.assert_allclose(distance[:, :, -1], expected, rtol=1e-6)
    assert n_queries[:, :, 0].tolist() == [[1, 0]] * 3 and n_queries[:, :, -1].tolist() == [[32, 31]] * 2 + [[1, 0]]
    alone = search_directions(model, inputs[1:2], [1], points[1:], levels=32, method="scan")
    assert alone[0][0, 0].tolist() == distance[1, 1].tolist()


def test_an_input_at_the_point_itself_is_censored():
    found = search_directions(Halfspace(np.ones(12), -20.0), WHITE, [0], torch.cat([WHITE, BLACK]), method="scan")
    assert (found[0] == np.inf).all()


def test_where_all_are_misclassified_courses_have_their_length_nevertheless():
    distance, n_queries, _ = search_directions(Halfspace(np.ones(12), 20.0), WHITE, [0], torch.cat([WHITE, BLACK]))
    assert (distance == np.zeros((1, 2, 6))).all() and n_queries.tolist() == [[[1] * 6, [0] * 6]]


@given(seed=st.integers(0, 10**6), log_levels=st.integers(1, 5))
@settings(deadline=None, max_examples=30)
def test_a_smaller_budget_is_a_bisection_of_fewer_levels(seed, log_levels):
    numbers = np.random.default_rng(seed)
    weight, inputs = numbers.standard_normal(12), torch.from_numpy(numbers.random((30, *SHAPE)))
    model = Halfspace(weight, -float(weight.sum() / 2))
    classes = model(inputs).argmax(1).numpy()
    points = torch.from_numpy(numbers.random((1, *SHAPE)))
    whole, few = (
        Distances(*search_directions(model, inputs, classes, points, levels=levels)[:2], classes)
        for levels in (32, 2**log_levels)
    )
    cut = whole.cut(1 + log_levels)
    np.testing.assert_array_equal(cut.features(), few.features())
    np.testing.assert_array_equal(cut.queries(), few.queries())


@pytest.mark.parametrize("budget", range(3, 17))
def test_budgets_of_several_directions_are_kept(budget):
    points = fixed_points(["white", "black", "random"], SHAPE, stream(0, "test"))
    inputs = torch.full((4, *SHAPE), 0.5)
    found = search_directions(Halfspace(np.ones(12), -6.5), inputs, [0, 0, 0, 1], points)
    cut = Distances(*found[:2], np.zeros(4, int)).cut(budget)
    assert cut.queries().max() <= budget
    assert budget < 15 or cut.queries().tolist() == [15, 15, 15, 1]  # five in each, the input's in the first


def test_reduced_precision_is_given_up_where_it_changes_labels():
    """bfloat16 sees no brightness between 0.5 and 0.50390625: the boundary at 0.501 is not seen where it is."""
    linear = torch.nn.Linear(1, 2)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[-1.0], [1.0]]))
        linear.bias.copy_(torch.tensor([0.501, -0.501]))
    inputs, point = torch.linspace(0.4, 0.5, 11)[:, None], torch.full((1, 1), 0.502)
    full = search_directions(linear, inputs, np.zeros(11, int), point)
    kept = search_directions(linear, inputs, np.zeros(11, int), point, precision="bfloat16", most_disagreement=1.0)
    assert kept[2]["precision"] == "bfloat16" and (final(kept) != final(full)).any()
    safe = search_directions(linear, inputs, np.zeros(11, int), point, precision="bfloat16", most_disagreement=0.0)
    np.testing.assert_array_equal(safe[0], full[0])
    assert safe[2] == {"precision": "float32", "disagreement": kept[2]["disagreement"]}


def test_points_are_white_black_or_one_of_uniform_noise():
    shape = (3, 40, 40)
    random, white, black = fixed_points(["random", "white", "black"], shape, stream(5, "here"))
    assert (white == 1).all() and (black == 0).all() and white.shape == shape
    assert random.min() >= 0 and random.max() <= 1
    assert random.mean().item() == pytest.approx(1 / 2, abs=0.02) and random.var().item() == pytest.approx(
        1 / 12, abs=0.01
    )
    again, other = (fixed_points(["random"], shape, stream(seed, "here"))[0] for seed in (5, 6))
    assert torch.equal(again, random) and not torch.equal(other, random)


@pytest.mark.parametrize("directions", [["grey"], [], "white", ["white", "white"]])
def test_other_directions_are_refused(directions):
    with pytest.raises(
        ValueError, match="directions: expected a list of different ones out of white, black, random, got"
    ):
        fixed_points(directions, SHAPE, stream(0, "test"))
    with pytest.raises(ValueError, match="^directions: expected .* out of white, black, random, largest, got"):
        points_of(directions, torch.zeros(2, *SHAPE), stream(0, "test"))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"levels": 24}, "levels: expected a power of two from 2, got 24"),
        ({"levels": 1}, "levels: expected a power of two from 2, got 1"),
        ({"method": "walk"}, "method: expected one of bisection, scan, got walk"),
    ],
)
def test_other_options_are_refused_before_anything_is_asked(options, message):
    model = Halfspace(np.ones(12), 0.0)
    with pytest.raises(ValueError, match=message):
        search_directions(model, WHITE, [0], WHITE, **options)
    assert not model.asked
