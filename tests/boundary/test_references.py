"""Models of the attacker's own: where their boundary is, and searches that start beyond it."""

import numpy as np
import pytest
import torch

from lmia.boundary.hopskipjump import hopskipjump
from lmia.boundary.references import reference_crossings
from lmia.boundary.schedules import ECONOMICAL, PUBLISHED, SCHEDULES, WARM
from lmia.boundary.search import search_boundary
from lmia.boundary.starts import N_STARTS, TIMES, beyond, nearest_others, origins
from lmia.box import Box
from lmia.image_augmentation import shifts
from lmia.perturbations.translation import shift
from lmia.queries.oracle import LabelOracle
from lmia.streams import streams
from tests.boundary.halfspaces import Constant, Halfspace, halfspace


def test_the_mean_of_two_half_spaces_is_that_of_the_middle():
    """Logits add up, so the references' boundary is x = (0.5 + 0.7) / 2, for each input of which they are."""
    normal = np.eye(3)[0]
    one, other = Halfspace(normal, 0.5), Halfspace(normal, 0.7)
    inputs = torch.tensor([[0.2, 0.5, 0.5], [0.9, 0.1, 0.2], [0.2, 0.5, 0.5], [0.9, 0.5, 0.5]], dtype=torch.float64)
    classes = np.array([0, 1, 0, 0])
    references = [(np.array([0, 1, 3]), [one, other])]
    points, distance = reference_crossings(references, inputs, classes)
    assert distance[:2] == pytest.approx([0.4, 0.3], rel=0.03) and np.isnan(distance[2]) and distance[3] == 0
    torch.testing.assert_close(points[2:], inputs[2:])
    assert ((points[:2, 0] > 0.6).numpy() == [True, False]).all()
    np.testing.assert_allclose(np.linalg.norm(points[:2] - inputs[:2], axis=1), distance[:2], rtol=1e-9)


def test_references_without_another_label_have_none_to_start_at():
    inputs = torch.rand(4, 6)
    network = torch.nn.Sequential(torch.nn.Linear(6, 2))
    torch.nn.init.zeros_(network[0].weight)
    network[0].bias.data = torch.tensor([1.0, 0.0])
    points, distance = reference_crossings([(np.arange(4), [network])], inputs, np.zeros(4, int))
    assert np.isinf(distance).all()
    torch.testing.assert_close(points, inputs)


def test_starts_beyond_by_hand():
    """The first input has a crossing, the second none: it gets the others at once. No start leaves the box."""
    inputs, crossings = torch.tensor([[0.5, 0.5], [0.1, 0.1]]), torch.tensor([[0.6, 0.5], [0.1, 0.1]])
    others = [torch.full((2, 2), value) for value in (0.91, 0.92, 0.93, 0.94)]
    starts = list(beyond(inputs, crossings, iter(others), Box(0.0, 0.8)))
    expected = [inputs[0] + times * torch.tensor([0.1, 0.0]) for times in TIMES]
    expected[2][0] = 0.8  # of 0.9
    for start, first, second in zip(starts, expected, others, strict=False):
        torch.testing.assert_close(start, torch.stack([first, second[1]]))
    assert len(starts) == len(TIMES) + len(others)
    for start, other in zip(starts[len(TIMES) :], others, strict=True):
        torch.testing.assert_close(start, other)
    alone = list(beyond(inputs, crossings, ()))
    assert len(alone) == len(TIMES) and all((start[1] == inputs[1]).all() for start in alone)


def searched(model, points, classes, *, budget=200, schedule=WARM, **options):
    oracle = LabelOracle(model, len(points), budget)
    return hopskipjump(oracle, points, classes, streams(3, "test", range(len(points))), schedule=schedule, **options)


def test_a_warm_search_is_at_the_boundary_after_one_start_and_its_halvings():
    """Of a target whose boundary is nearly the references'; the queries of the references are nobody's."""
    model, points, classes, exact = halfspace(20, 1)
    reference = Halfspace(model.normal.detach().numpy() + 0.01, model.offset + 0.01 * 10)
    crossings, distance = reference_crossings([(np.arange(8), [reference])], points, classes)
    best, spent, _ = searched(model, points, classes, starts=beyond(points, crossings, ()))
    assert (distance > 0).all() and (spent[:, 1] == 1 + 1 + WARM.halvings).all()
    assert (best[:, 1] < 1.3 * exact).all() and (best[:, 1] >= exact * (1 - 1e-9)).all()
    counts = origins(best[:, None], spent[:, None], WARM.halvings, 0, np.ones(8, bool))
    assert counts == {"references": 8, "others": 0, "noise": 0, "none": 0}


def test_copies_start_where_the_references_of_the_image_do_shifted_likewise():
    brightness = torch.nn.Linear(64, 2)
    with torch.no_grad():
        brightness.weight.copy_(torch.tensor([[-1.0], [1.0]]).expand(2, 64) / 64)
        brightness.bias.copy_(torch.tensor([0.7, -0.7]))
    model = torch.nn.Sequential(torch.nn.Flatten(), brightness)
    images = 0.6 * torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    classes = np.zeros(6, int)
    crossings, _ = reference_crossings([(np.arange(6), [model])], images, classes)
    best, spent, _ = search_boundary(
        model,
        images,
        classes,
        lambda copy: streams(0, f"copy {copy}", range(6)),
        budget=5 * 10,
        schedule="warm",
        shift_pixels=1,
        crossings=crossings,
    )
    assert best.shape[:2] == (6, 5) and (spent[..., -1] <= 1 + len(TIMES) + WARM.halvings).all()
    copies = [images, *(shift(images, *offset) for offset in shifts(1))]
    exact = np.stack([8 * (0.7 - copy.mean(dim=(1, 2, 3)).numpy()) for copy in copies], axis=1)
    assert (best[..., -1] < 1.12 * exact).all()  # 1.2 times as far, and halved; other ways are longer


def test_where_noise_fails_real_points_are_tried_and_counted():
    """A label that only a corner has: no noise finds it. Searches that noise has started do not notice the others."""
    corner = Halfspace(np.ones(30), 27.0)
    points, classes = torch.full((4, 30), 0.5, dtype=torch.float64), np.zeros(4, int)
    others = torch.ones(4, 30, dtype=torch.float64)
    best, spent, _ = searched(
        corner, points, classes, schedule=PUBLISHED, init_tries=7, last_starts=[points, others], budget=300
    )
    assert np.isfinite(best[:, 1]).all() and (spent[:, 1] == 1 + 7 + 2 + PUBLISHED.halvings_in(30)).all()
    censored, asked, _ = searched(corner, points, classes, schedule=PUBLISHED, init_tries=7, budget=300)
    assert np.isinf(censored).all() and (asked[:, -1] == 8).all()
    model, points, classes, _ = halfspace(20, 2)
    alone, with_others = (
        searched(model, points, classes, schedule=PUBLISHED, budget=400, last_starts=last) for last in ((), [points])
    )
    np.testing.assert_array_equal(alone[0], with_others[0])
    np.testing.assert_array_equal(alone[1], with_others[1])


@pytest.mark.parametrize("name", sorted(SCHEDULES))
@pytest.mark.parametrize("is_known", [False, True], ids=["no references", "references"])
def test_origins_are_those_of_the_starts_that_crossed(name, is_known):
    """A pool behind the boundary, one before it, and none; two points that get another label at once."""
    model, points, classes, _ = halfspace(20, 1)
    crossings = None
    if is_known:
        crossings, _ = reference_crossings([(np.arange(4), [model])], points, classes)
    classes = np.where(np.arange(8) < 6, classes, 1 - classes)
    across = 2 * (0.5 - points) @ model.normal[:, None].detach() * model.normal.detach() + points
    for pool, found in ((across, "others"), (points, "noise"), (None, "noise")):
        others = () if pool is None else [pool] * N_STARTS
        starts = others if crossings is None else beyond(points, crossings, others)
        best, spent, _ = searched(model, points, classes, schedule=SCHEDULES[name], starts=starts, budget=400)
        known = np.arange(8) < 4 if is_known else None
        n_pool = 0 if pool is None else 50
        counts = origins(best[:, None], spent[:, None], SCHEDULES[name].halvings_in(20), n_pool, known)
        assert counts == {"references": 0, "others": 0, "noise": 0, "none": 0} | (
            {"references": 4, found: 2} if is_known else {found: 6}
        )
    best, spent, _ = searched(Constant(), points.float(), np.zeros(8, int), schedule=SCHEDULES[name], budget=150)
    assert origins(best[:, None], spent[:, None], SCHEDULES[name].halvings_in(20), 0)["none"] == 8


def test_the_warm_schedule_is_the_economical_one_in_finer_steps():
    """Other numbers would be other results."""
    assert (WARM.initial_probes, WARM.halvings) == (10, 4) and TIMES == (1.2, 2.0, 4.0)
    assert (WARM.growth, WARM.radius, WARM.grid, WARM.memory, WARM.move) == (
        ECONOMICAL.growth,
        ECONOMICAL.radius,
        ECONOMICAL.grid,
        ECONOMICAL.memory,
        ECONOMICAL.move,
    )


def test_inputs_without_references_lose_no_query_to_them():
    model, points, classes, _ = halfspace(20, 1)
    across = 2 * (0.5 - points) @ model.normal[:, None].detach() * model.normal.detach() + points
    pool = torch.cat([across, across])
    others = list(nearest_others(points, classes, pool, np.concatenate([1 - classes, 1 - classes])))
    plain = searched(model, points, classes, starts=others)
    warm = searched(model, points, classes, starts=beyond(points, points.clone(), others))
    np.testing.assert_array_equal(plain[0], warm[0])
    np.testing.assert_array_equal(plain[1], warm[1])
