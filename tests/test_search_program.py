"""The program that compares boundary searches: what of it needs no other tool."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lmia.attacks.calibrated_distance import Attack as CalibratedDistance
from tests.boundary.halfspaces import near_a_halfspace

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def program():
    """The modules of the program, by their names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import rivals
        import runs

        yield SimpleNamespace(rivals=rivals, runs=runs)


def points_beside(program, inputs, classes, references, is_out):
    """Points of a program whose pool they are themselves."""
    both = inputs, torch.from_numpy(classes)
    return program.rivals.Points(*both, np.arange(len(inputs)), *both, references, is_out)


def test_each_point_has_the_references_that_have_not_seen_it(program):
    is_out = np.array([[True, True], [True, False], [False, False], [False, True], [True, True]])
    points = points_beside(program, torch.zeros(5, 2), np.zeros(5, int), ("one", "other"), is_out)
    found = {row: names for rows, names in points.references_of() for row in rows}
    assert found == {0: ["one", "other"], 1: ["one"], 3: ["other"], 4: ["one", "other"]}
    some = points.take(np.array([2, 3])).references_of()
    assert [(rows.tolist(), names) for rows, names in some] == [([1], ["other"])]


def test_a_warm_search_is_at_its_end_in_sixty_queries(program):
    """Where the references' boundary is the target's, and for a point that they have seen as well."""
    distances = np.array([0.05, -0.1, 0.15, 0.2, -0.2, 0.1])
    model, inputs, classes = near_a_halfspace(distances, 0.2)
    classes[5] = 1 - classes[5]
    is_out = np.array([[True]] * 4 + [[False], [True]])
    points = points_beside(program, inputs.float(), classes, (model.float(),), is_out)
    books = program.rivals.run_ours(model, points, 0, "warm", 60, "float32")
    assert np.isnan(books["reference_distance"][4]) and books["reference_distance"][5] == 0
    assert books["reference_distance"][:4] == pytest.approx(np.abs(distances[:4]), rel=0.02)
    assert books["trail"][:4, 59] == pytest.approx(np.abs(distances[:4]), rel=0.2) and books["trail"][5, -1] == 0
    assert (books["spent"] <= 60).all() and books["rows"].sum() == books["spent"].sum() and books["cpu"].sum() > 0


def finished(program, seed, n):
    """A run of n points whose distances fall from query to query, those of members later."""
    rng, run = np.random.default_rng(seed), object.__new__(program.runs.Run)
    falls = np.where(rng.uniform(size=(n, 12)) < 0.3, rng.uniform(0.5, 1, (n, 12)), 1.0)
    run.trail = 3 * np.cumprod(falls, axis=1)
    run.trail[0], run.spent = 0, rng.integers(5, 13, n)
    run.reference_distance = rng.uniform(0.5, 2, n)
    return run


def test_calibrated_scores_are_those_of_the_rule_at_each_budget(program):
    """The rule depends on the shadow's distances, which change where the target's may not."""
    comparison = object.__new__(program.runs.Comparison)
    calibrated = program.rivals.CALIBRATED[0]
    comparison.target, comparison.shadow = ({calibrated: finished(program, seed, 40)} for seed in (1, 2))
    comparison.target[calibrated].trail[:, 6:] = comparison.target[calibrated].trail[:, 6:7]
    comparison.shadow_is_member, comparison.rules = np.arange(40) % 2 == 0, {}
    scores = comparison.course(calibrated)
    for budget in range(1, 13):
        rule = CalibratedDistance().fit(comparison.shadow[calibrated].observed(budget), comparison.shadow_is_member)
        expected = rule.score(comparison.target[calibrated].observed(budget))
        np.testing.assert_allclose(scores[:, budget - 1], expected, rtol=1e-9)
