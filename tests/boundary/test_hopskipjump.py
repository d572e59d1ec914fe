"""HopSkipJump against boundaries whose distance is known, and its promises about budgets and randomness."""

import math
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

import lmia.boundary.hopskipjump
from lmia.boundary.directions import Directions
from lmia.boundary.hopskipjump import hopskipjump
from lmia.boundary.schedules import ECONOMICAL, PUBLISHED, SCHEDULES, Schedule
from lmia.boundary.starts import nearest_others
from lmia.queries import noise_table
from lmia.queries.noise_table import normals
from lmia.queries.oracle import LabelOracle
from lmia.streams import stream, streams
from tests.boundary.halfspaces import Constant, Halfspace, halfspace

FEW = replace(PUBLISHED, initial_probes=20)
both_schedules = pytest.mark.parametrize("schedule", [FEW, ECONOMICAL], ids=["published", "economical"])


def search(model, points, classes, budget, ids=None, **options):
    ids = np.arange(len(points)) if ids is None else ids
    oracle = LabelOracle(model, len(points), budget)
    best, spent, closest = hopskipjump(oracle, points, classes, streams(3, "test", ids), **options)
    return best, spent, closest, oracle


@settings(max_examples=12, deadline=None)
@given(
    dim=st.sampled_from([2, 5, 10, 20, 40, 64]), seed=st.integers(0, 10**6), schedule=st.sampled_from(sorted(SCHEDULES))
)
def test_linear_distances_are_found_within_five_percent(dim, seed, schedule):
    model, points, classes, exact = halfspace(dim, seed)
    best, _, _, _ = search(model, points, classes, 2500, schedule=SCHEDULES[schedule])
    assert (best[:, -1] >= exact * (1 - 1e-9)).all()
    assert (best[:, -1] <= 1.05 * exact).all()


def as_published(label, x, y, draws, budget):
    """Chen et al. 2019, algorithm 2 with its parameters of section 4.2, one example, one query after another.

    Finite where ours is: ten halvings of a jump at most, ten bisections at least, and no step that may not be paid for.
    """
    dim, asked = len(x), 0

    def crosses(point):
        nonlocal asked
        asked += 1
        return label(point) != y

    def to_boundary(far):
        low, high = 0.0, 1.0  # share of the way from the far end to x
        for _ in range(max(10, math.ceil(1.5 * math.log2(dim)))):
            middle = (low + high) / 2
            low, high = (middle, high) if crosses(x + (1 - middle) * (far - x)) else (low, middle)
        return x + (1 - low) * (far - x)

    assert not crosses(x)
    while not crosses(point := draws.random(dim)):
        pass
    point, step = to_boundary(point), 1
    while asked + int(100 * math.sqrt(step)) + 10 + max(10, math.ceil(1.5 * math.log2(dim))) <= budget:
        radius = 0.1 if step == 1 else np.linalg.norm(point - x) / dim
        noise = normals([draws], int(100 * math.sqrt(step)), dim)[0].double().numpy()
        noise /= np.linalg.norm(noise, axis=1, keepdims=True)  # uniform on the sphere
        probes = np.clip(point + radius * noise, 0, 1)
        phi = np.array([1.0 if crosses(probe) else -1.0 for probe in probes])
        weight = phi if abs(phi.mean()) == 1 else phi - phi.mean()
        direction = weight @ (probes - point)
        direction /= np.linalg.norm(direction)
        length = np.linalg.norm(point - x) / math.sqrt(step)
        for _ in range(10):
            trial = np.clip(point + length * direction, 0, 1)
            if crosses(trial):
                point = to_boundary(trial)
                break
            length /= 2
        step += 1
    return np.linalg.norm(point - x), asked


def test_the_published_schedule_is_the_published_algorithm():
    """Query for query: the same number of them, and the same place in the end, on a curved boundary."""
    centre = torch.full((12,), 0.35, dtype=torch.float64)

    class Ball(Halfspace):
        def forward(self, x):
            inside = 0.8 - (x.flatten(1) - centre).square().sum(dim=1)
            return torch.stack([inside, -inside], dim=1)

    points = centre + 0.1 * torch.from_numpy(np.random.default_rng(0).normal(size=(6, 12)))
    points = points.clamp(0, 1)
    _, spent, closest, _ = search(Ball(np.ones(12), 0), points, np.zeros(6, int), 1200, schedule=PUBLISHED)
    for row, x in enumerate(points.numpy()):
        distance, asked = as_published(
            lambda p: int(((p - 0.35) ** 2).sum() > 0.8), x, 0, stream(3, "test", row), budget=1200
        )
        assert asked == spent[row, -1]
        assert np.linalg.norm(closest[row].numpy() - x) == pytest.approx(distance, rel=1e-9)


@both_schedules
def test_the_closest_point_crosses_and_lies_at_the_reported_distance(schedule):
    model, points, classes, _ = halfspace(20, 1)
    best, _, closest, _ = search(model, points, classes, 500, schedule=schedule)
    assert (model(closest).argmax(1).numpy() != classes).all()
    np.testing.assert_allclose(np.linalg.norm(closest - points, axis=1), best[:, -1], rtol=1e-12)
    assert closest.min() >= 0 and closest.max() <= 1


@settings(max_examples=25, deadline=None)
@given(budget=st.integers(1, 700), seed=st.integers(0, 1000), schedule=st.sampled_from([FEW, ECONOMICAL]))
def test_never_over_budget_and_the_ledger_is_what_the_model_saw(budget, seed, schedule):
    model, points, classes, _ = halfspace(12, seed)
    seen = 0
    forward = model.forward

    def counting(x):
        nonlocal seen
        seen += len(x)
        return forward(x)

    model.forward = counting
    _, spent, _, oracle = search(model, points, classes, budget, schedule=schedule)
    assert (oracle.n_queries <= budget).all() and (spent[:, -1] == oracle.n_queries).all()
    assert seen == oracle.n_queries.sum()


@both_schedules
def test_distances_never_grow_and_a_smaller_budget_is_a_prefix(schedule):
    model, points, classes, _ = halfspace(20, 2)
    best, spent, _, _ = search(model, points, classes, 1500, schedule=schedule)
    assert (np.diff(best, axis=1) <= 0).all() and (np.diff(spent, axis=1) >= 0).all()
    short, short_spent, _, _ = search(model, points, classes, 600, schedule=schedule)
    steps = short.shape[1] - 1  # the last step may have ended for some examples only
    np.testing.assert_array_equal(short[:, :steps], best[:, :steps])
    np.testing.assert_array_equal(short_spent[:, :steps], spent[:, :steps])


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(8)), n=st.integers(1, 8), schedule=st.sampled_from([FEW, ECONOMICAL]))
def test_neither_order_nor_batch_changes_a_bit(order, n, schedule):
    model, points, classes, _ = halfspace(20, 4)
    pool = torch.rand(30, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def starts(rows):
        return nearest_others(points[rows], classes[rows], pool, model(pool).argmax(1))

    whole, spent, _, _ = search(model, points, classes, 600, schedule=schedule, starts=starts(range(8)))
    ids = np.array(order[:n])
    with mock.patch.object(lmia.boundary.search_state, "PROBES", (1, 1)):  # every example a block of its own
        part, part_spent, _, _ = search(
            model, points[ids], classes[ids], 600, ids, schedule=schedule, starts=starts(ids)
        )
    width = part.shape[1]
    np.testing.assert_array_equal(part, whole[ids][:, :width])
    np.testing.assert_array_equal(part_spent[:, -1], spent[ids][:, -1])


def test_a_budget_that_a_step_just_needs_is_spent():
    """An economical step always costs what it may cost at most."""
    model, points, classes, _ = halfspace(10, 1)
    _, spent, _, _ = search(model, points[:1], classes[:1], 300, schedule=ECONOMICAL)
    for asked in spent[0, 2:5]:
        _, less, _, _ = search(model, points[:1], classes[:1], int(asked), schedule=ECONOMICAL)
        assert less[0, -1] == asked


@both_schedules
def test_every_query_lies_in_the_cube(schedule):
    """From its corners, where steps and curves would leave it first."""
    rng = np.random.default_rng(5)
    model = Halfspace(np.full(16, 0.25), 2.0)
    points = torch.from_numpy((rng.random((12, 16)) < 0.4).astype(float))
    asked, forward = [], model.forward
    model.forward = lambda x: asked.append(x.detach().clone()) or forward(x)
    classes = forward(points).argmax(1).numpy()
    best, _, closest, _ = search(model, points, classes, 400, schedule=schedule)
    assert len(asked) > 20 and np.isfinite(best[:, -1]).all()
    assert min(x.min() for x in asked) >= 0 and max(x.max() for x in asked) <= 1
    assert closest.min() >= 0 and closest.max() <= 1


@pytest.mark.parametrize("memory, other", [(0.0, 0.5), (0.5, 0.9)])
def test_the_last_direction_joins_the_present_one(memory, other):
    model, points, classes, _ = halfspace(20, 3)
    one, two = (
        search(model, points, classes, 400, schedule=replace(ECONOMICAL, memory=m))[0][:, -1] for m in (memory, other)
    )
    assert (one != two).any() and ECONOMICAL.memory == 0.5


def test_misclassified_is_zero_and_unreachable_is_censored():
    model, points, classes, _ = halfspace(6, 5)
    best, spent, _, _ = search(model, points, 1 - classes, 300)
    assert (best == 0).all() and (spent[:, -1] == 1).all()
    best, spent, closest, _ = search(Constant(), points.float(), np.zeros(8, int), 300, init_tries=7)
    assert np.isinf(best[:, -1]).all() and (spent[:, -1] == 1 + 7).all()
    torch.testing.assert_close(closest, points.float())


def test_starts_are_tried_in_order_before_random_ones():
    model, points, classes, _ = halfspace(6, 5)
    across = 2 * (0.5 - points) @ model.normal[:, None].detach() * model.normal.detach() + points  # mirrored
    best, spent, _, _ = search(model, points, classes, 300, starts=[points, across], schedule=ECONOMICAL)
    asked = 1 + 2 + ECONOMICAL.halvings  # the point, the start that does not cross, the one that does, the way back
    assert (spent[:, 1] == asked).all() and np.isfinite(best[:, 1]).all()


def test_settled_examples_stop_asking_and_the_others_do_not_notice():
    model, points, classes, exact = halfspace(20, 4)
    whole, spent, _, _ = search(model, points, classes, 600, schedule=ECONOMICAL)
    threshold = np.median(whole[:, -1])
    part, part_spent, _, _ = search(
        model, points, classes, 600, schedule=ECONOMICAL, settled=lambda best, spent: best < threshold
    )
    below = whole[:, -1] < threshold
    np.testing.assert_array_equal(part[:, -1] < threshold, below)
    assert (part_spent[below, -1] < spent[below, -1]).all()
    np.testing.assert_array_equal(part[~below, -1], whole[~below, -1])


def test_low_frequencies_are_probed_on_images_only():
    """A boundary across a smooth pattern is found with fewer queries; on vectors the option changes nothing."""
    rows = torch.linspace(-1, 1, 16, dtype=torch.float64)
    pattern = (rows[:, None] + rows[None, :]).reshape(1, 1, 16, 16)
    model = Halfspace((pattern / pattern.norm()).flatten(), 0.0)
    images = 0.5 - 0.02 * pattern.expand(8, -1, -1, -1)
    images = images + torch.rand(8, 1, 16, 16, generator=torch.Generator().manual_seed(0)).double() / 100
    classes = model(images).argmax(1).numpy()
    found = {
        grid: search(model, images, classes, 120, schedule=replace(ECONOMICAL, grid=grid))[0][:, -1]
        for grid in (None, 4)
    }
    assert np.median(found[4]) < 0.8 * np.median(found[None])
    flat = [search(model, images.flatten(1), classes, 120, schedule=replace(ECONOMICAL, grid=g))[0] for g in (None, 4)]
    np.testing.assert_array_equal(*flat)


def read_backs(monkeypatch, schedule, budget):
    """How often values of tensors are read by the host while a search runs; on a GPU each would wait for it."""
    model, points, classes, _ = halfspace(20, 4)
    count = 0

    def counted(function):
        def call(*arguments, **options):
            nonlocal count
            count += 1
            return function(*arguments, **options)

        return call

    with monkeypatch.context() as patch:
        for name in ("cpu", "numpy", "item", "tolist", "__bool__", "__int__", "__float__", "__array__", "nonzero"):
            patch.setattr(torch.Tensor, name, counted(getattr(torch.Tensor, name)))
        search(model, points, classes, budget, schedule=schedule)
    return count


def test_an_economical_step_reads_nothing_back(monkeypatch):
    """All steps together are waited for no more often than none; the published ones must be, as they halve jumps."""
    assert read_backs(monkeypatch, ECONOMICAL, 30) == read_backs(monkeypatch, ECONOMICAL, 600) > 0
    assert read_backs(monkeypatch, FEW, 30) < read_backs(monkeypatch, FEW, 600)


@pytest.mark.parametrize("shape, grid", [((3, 32, 32), 8), ((1, 20, 12), 5), ((40,), None)])
def test_directions_have_unit_length_on_average(shape, grid):
    directions = Directions(shape, grid)
    drawn = directions.draw(streams(0, "test", range(10)), 300) * directions.scale
    assert drawn.shape == (10, 300, math.prod(shape))
    assert drawn.square().sum(dim=2).mean() == pytest.approx(1, rel=0.03)
    assert drawn[0, 0] @ drawn[0, 1] < 0.9 and drawn[0, 0] @ drawn[1, 0] < 0.9


class Probed(Halfspace):
    """Keeps what it is asked."""

    def __init__(self, normal, offset):
        super().__init__(normal, offset)
        self.asked = []

    def forward(self, x):
        self.asked.append(x.detach().clone())
        return super().forward(x)


@pytest.mark.parametrize("precision, least", [("float32", 0), ("bfloat16", 2**-7)])
def test_probes_spread_by_what_the_precision_resolves(precision, least):
    model, points, classes, _ = halfspace(16, 3, margin=0.05)
    model = Probed(model.normal.detach().float(), model.offset).float()
    oracle = LabelOracle(model, 8, 100, precision)
    schedule = replace(ECONOMICAL, radius=1e-3)
    hopskipjump(oracle, points.float(), classes, streams(3, "test", range(8)), schedule=schedule)
    asked = oracle._asked.asked
    probes = next(batch for batch in asked if len(batch) == 8 * 20).float().view(8, 20, 16)
    spread = probes.std(dim=1).mean()
    assert spread == pytest.approx(least, rel=0.3) if least else 0 < spread < 1e-3


def test_what_published_searches_were_made_of():
    """Other noise or other schedules would be other results."""
    noise = normals(streams(0, "golden", [1, 2]), 1, 3)[:, 0]
    expected = [[-0.206443, 0.873426, -0.598493], [0.832905, 0.273659, -0.610020]]
    np.testing.assert_allclose(noise, expected, atol=1e-6)
    assert PUBLISHED == Schedule(initial_probes=100, growth=0.5, on_sphere=True)
    economical = {"initial_probes": 20, "growth": 0.25, "radius": 0.1, "grid": 8, "memory": 0.5, "halvings": 6}
    assert ECONOMICAL == Schedule(**economical, move="arc")


def test_coarse_noise_is_enlarged_from_the_middles_of_its_points():
    points = torch.eye(2)[None]
    expected = np.outer([1, 0.75, 0.25, 0], [1, 0.75, 0.25, 0]) + np.outer([0, 0.25, 0.75, 1], [0, 0.25, 0.75, 1])
    np.testing.assert_allclose(Directions((1, 4, 4), 2).enlarge(points)[0], expected)


@settings(max_examples=30, deadline=None)
@given(
    grid=st.integers(2, 16),
    more=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    channels=st.integers(1, 4),
    n=st.integers(1, 40),
    seed=st.integers(0, 1000),
)
def test_coarse_noise_is_enlarged_as_torch_interpolates(grid, more, channels, n, seed):
    """By other operations, so up to rounding: a millionth of the largest noise."""
    shape = channels, grid + more[0], grid + more[1]
    noise = normals(streams(seed, "test", [0, 1]), n, channels * grid**2).view(-1, channels, grid, grid)
    expected = functional.interpolate(noise, shape[1:], mode="bilinear", align_corners=False)
    drawn = Directions(shape, grid).draw(streams(seed, "test", [0, 1]), n)
    torch.testing.assert_close(drawn.view(expected.shape), expected, rtol=0, atol=1e-6 * float(noise.abs().max()))


@settings(max_examples=20, deadline=None)
@given(shape=st.sampled_from([(3, 32, 32), (1, 28, 28), (2, 9, 40), (1, 8, 8), (50,)]), rows=st.permutations(range(6)))
def test_directions_of_an_example_do_not_depend_on_others(shape, rows):
    directions = Directions(shape, 8)
    whole = directions.draw(streams(0, "test", range(6)), 20)
    part = directions.draw(streams(0, "test", rows[:2]), 20)
    assert torch.equal(part, whole[rows[:2]])


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 300), size=st.sampled_from([1, 64, 446, 3072, 30_000, 200_000]), n_streams=st.integers(1, 3))
def test_noise_is_windows_of_one_table(n, size, n_streams):
    """Runs of at most so many numbers, each of them at an offset from the example's stream."""
    n = min(n, 2_000_000 // size)
    run = min(n, max(1, noise_table.WINDOW // size))
    table = noise_table._table(max(noise_table.TABLE, 16 * size))
    drawn = normals(streams(0, "test", range(n_streams)), n, size)
    assert drawn.shape == (n_streams, n, size) and drawn.is_contiguous()
    for noise, draws in zip(drawn, streams(0, "test", range(n_streams)), strict=True):
        for start, share in zip(range(0, n, run), draws.random(-(-n // run)), strict=True):
            offset = int(share * (len(table) - run * size + 1))
            expected = table[offset : offset + run * size].reshape(run, size)
            np.testing.assert_array_equal(noise[start : start + run], expected[: n - start])
