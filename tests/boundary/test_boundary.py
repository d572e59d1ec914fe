"""Searches around shifted copies, from pools of real points, in reduced precision, and until they are settled."""

import itertools
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import lmia.boundary.search
from lmia.boundary.courses import pad_moments
from lmia.boundary.geometry import bisect, unit
from lmia.boundary.search import search_boundary
from lmia.boundary.starts import nearest_others
from lmia.boundary.stopping import Stopping
from lmia.streams import Subset, streams

IMAGES = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
IDS = np.arange(6)


def network(scale=1.0):
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 4))
    with torch.no_grad():
        model[1].weight.mul_(scale)
        model[1].bias.copy_(-model[1].weight.sum(dim=1) / 2)
    return model


def draws(copy):
    return streams(0, f"copy {copy}", IDS)


def test_every_copy_has_its_share_of_the_budget():
    model = network()
    best, spent, _ = search_boundary(model, IMAGES, model(IMAGES).argmax(1), draws, budget=500, shift_pixels=1)
    assert best.shape == spent.shape and best.shape[:2] == (6, 5)
    last = spent[:, :, -1]
    assert (last <= 100).all() and (last[best[:, :, -1] > 0] > 60).all() and (last[best[:, :, -1] == 0] == 1).all()
    alone, _, _ = search_boundary(model, IMAGES, model(IMAGES).argmax(1), draws, budget=100)
    np.testing.assert_array_equal(best[:, 0, -1], alone[:, 0, -1])


@settings(max_examples=5, deadline=None)
@given(size=st.integers(1, 5), schedule=st.sampled_from(["published", "economical"]), shift_pixels=st.integers(0, 1))
def test_slices_of_any_size_give_the_same_bytes(size, schedule, shift_pixels):
    """In float64; a slice whose searches settle early, or whose inputs are misclassified, has a shorter course."""
    model, images = network().double(), IMAGES.double()
    classes = model(images).argmax(1)
    classes[0] = (classes[0] + 1) % 4
    pool = torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(1)).double(), np.arange(20) % 4
    options = {"schedule": schedule, "shift_pixels": shift_pixels, "initial_probes": 10, "pool": pool}

    def settled(distance, n_queries):
        return (distance < 0.3) & (n_queries > 30)

    def search(size):
        slices = [slice(start, start + size) for start in range(0, 6, size)]
        with mock.patch.object(lmia.boundary.search, "_slices", return_value=slices):
            return search_boundary(
                model, images, classes, draws, budget=60 + 240 * shift_pixels, settled=settled, **options
            )

    whole, sliced = search(6), search(size)
    assert whole[2] == sliced[2] == {"precision": "float32", "disagreement": None}
    assert [found.tobytes() for found in sliced[:2]] == [found.tobytes() for found in whole[:2]]
    assert len(np.unique(whole[0][:, 0, -1])) == 6


@pytest.mark.parametrize("size, shape", [(341, (3, 32, 32)), (1024, (50,)), (128, (2, 64, 64)), (64, (3, 600, 600))])
def test_slices_are_small_and_fill_a_pass(size, shape):
    cpu, n_values = torch.device("cpu"), int(np.prod(shape))
    slices = lmia.boundary.search._slices(2500, n_values, cpu)
    assert slices[0] == slice(0, size) and slices[-1].stop == 2500
    assert all(one.stop == other.start for one, other in itertools.pairwise(slices))
    wider = lmia.boundary.search._slices(10**6, n_values, torch.device("cuda"))
    assert wider[0].stop == min(64 * 1024, 64 * (1 << 20) // n_values) or wider[0].stop == 64
    assert lmia.boundary.search._slices(0, n_values, cpu) == [slice(0, 0)]


def test_copies_have_streams_of_their_own():
    drawn = []

    def noted(copy):
        drawn.append(copy)
        return draws(copy)

    model = network()
    search_boundary(model, IMAGES, model(IMAGES).argmax(1), noted, budget=500, shift_pixels=1)
    assert drawn == [0, 1, 2, 3, 4]


def test_a_pool_point_just_across_the_boundary_is_where_the_search_starts():
    brightness = torch.nn.Linear(64, 2)
    with torch.no_grad():
        brightness.weight.copy_(torch.tensor([[-1.0], [1.0]]).expand(2, 64) / 64)
        brightness.bias.copy_(torch.tensor([0.7, -0.7]))
    model = torch.nn.Sequential(torch.nn.Flatten(), brightness)
    bright = (IMAGES + 0.9 - IMAGES.mean(dim=(1, 2, 3), keepdim=True)) * 0.8  # mean 0.72, a little across
    pool = torch.cat([torch.ones(50, 1, 8, 8), bright.clamp(0, 1)])
    best, spent, _ = search_boundary(
        model, IMAGES, np.zeros(6, int), draws, budget=20, pool=(pool, np.ones(len(pool), int))
    )
    exact = 8 * (0.7 - IMAGES.mean(dim=(1, 2, 3)).numpy())  # along the diagonal of the cube
    assert (best[:, 0, 1] >= exact - 1e-5).all() and (best[:, 0, 1] < 1.3 * exact).all() and (spent <= 20).all()


def test_bisection_keeps_what_crosses():
    """Two curves that cross up to 0.3 and 0.7, and none: from the end that crosses, three halvings."""
    crossings = torch.tensor([0.3, 0.7])
    found = bisect(lambda place: place[:, 0] <= crossings, torch.zeros(2, 1), torch.ones(2, 1), 3)
    assert found[:, 0].tolist() == [0.25, 0.625]
    assert bisect(lambda place: pytest.fail("asked"), torch.zeros(0, 1), torch.ones(0, 1), 3).shape == (0, 1)


def test_unit_vectors_by_hand():
    assert unit(torch.tensor([[3.0, 4.0], [0.0, 0.0]])).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0]]


def test_the_last_moment_of_a_short_course_stands():
    short, long = np.array([[[1, 2]]]), np.array([[[3, 4, 5, 6]]])
    assert [course.tolist() for course in pad_moments([short, long])] == [[[[1, 2, 2, 2]]], [[[3, 4, 5, 6]]]]


def test_nearest_others_by_hand():
    points = torch.tensor([[0.0], [1.0]])
    pool, classes = torch.tensor([[0.1], [0.2], [0.5], [0.9]]), [0, 1, 1, 0]
    starts = list(nearest_others(points, [0, 1], pool, classes, n_starts=3))
    # the first has two points of another class: the last one stands for those that are missing
    assert torch.stack(starts)[:, :, 0].tolist() == [
        [pytest.approx(0.2), pytest.approx(0.9)],
        [0.5, pytest.approx(0.1)],
        [0.5, pytest.approx(0.1)],
    ]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), n_pool=st.integers(1, 15), n_starts=st.integers(1, 12))
def test_nearest_others_are_in_order_and_the_first_of_equals(seed, n_pool, n_starts):
    """On coarse points, where many are equally near; an input without any starts at the first of the pool."""
    draw = np.random.default_rng(seed)
    points, pool = draw.integers(3, size=(6, 2)), draw.integers(3, size=(n_pool, 2))
    classes, pool_classes = draw.integers(3, size=6), draw.integers(2, size=n_pool)
    tensors = torch.from_numpy(points).float(), classes, torch.from_numpy(pool).float(), pool_classes
    starts = np.stack([start.numpy() for start in nearest_others(*tensors, n_starts=n_starts)], axis=1)
    for point, own, found in zip(points, classes, starts, strict=True):
        others = np.flatnonzero(pool_classes != own)
        order = others[np.argsort(((pool[others] - point) ** 2).sum(axis=1), kind="stable")]
        ranks = np.arange(min(n_starts, n_pool)).clip(max=max(0, len(order) - 1))
        np.testing.assert_array_equal(found, pool[order[ranks]] if len(order) else pool[0 * ranks])


@pytest.mark.parametrize("limit, precision", [(1.0, "bfloat16"), (0.0, "float32")])
def test_too_much_disagreement_is_asked_again_in_float32(limit, precision):
    model = network()
    classes = model(IMAGES).argmax(1)
    common = {"budget": 400, "schedule": "published"}
    best, _, asked = search_boundary(
        model, IMAGES, classes, draws, precision="bfloat16", most_disagreement=limit, **common
    )
    assert asked["precision"] == precision and 0 < asked["disagreement"] < 0.5
    exact, _, full = search_boundary(model, IMAGES, classes, draws, **common)
    assert full == {"precision": "float32", "disagreement": None}
    assert (best == exact).all() == (precision == "float32")


def test_disagreement_is_of_all_slices():
    """That of two slices lies between those of either alone, whose points have the same streams."""
    model = network()
    classes = model(IMAGES).argmax(1)

    def disagreement(rows):
        def of_rows(copy):
            return Subset(draws(copy), rows)

        options = {"budget": 400, "schedule": "published", "precision": "bfloat16", "most_disagreement": 1.0}
        return search_boundary(model, IMAGES[rows], classes[rows], of_rows, **options)[2]["disagreement"]

    with mock.patch.object(lmia.boundary.search, "SLICE", (3, 10**6)), mock.patch("lmia.queries.oracle.CHUNK", (3, 3)):
        whole, *parts = (disagreement(rows) for rows in (np.arange(6), np.arange(3), np.arange(3, 6)))
    assert min(parts) < whole < max(parts)


def test_a_rule_says_which_searches_it_ended():
    rule = Stopping(threshold=2.0, queries=np.array([10, 20]), ratios=np.array([0.5, 1.0]))
    distance = np.array([[9.0, 1.0], [9.0, 3.0], [9.0, 3.0], [0.0, 0.0], [np.inf, np.inf]])
    n_queries = np.array([[10, 20], [10, 20], [5, 15], [1, 1], [10, 20]])
    # below; above for sure; above by half of it; misclassified and censored searches are at their end by themselves
    assert rule.ended(distance, n_queries).tolist() == [True, True, False, False, False]
