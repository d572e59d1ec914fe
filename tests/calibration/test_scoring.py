"""Scores files of pools: each way of asking is what it says, and nothing of a target's own bits comes in."""

import numpy as np
import pytest

from lmia.attacks import distance
from lmia.attacks.observation_files import ObservedModels
from lmia.attacks.observations import Distances
from lmia.attacks.scoring import run_attack
from lmia.calibration import difference, lira
from lmia.calibration.pools import leave_one_out, shadows_of
from lmia.calibration.scoring import score_targets
from lmia.evaluation.metrics import best_threshold

K, N = 8, 30
RNG = np.random.default_rng(0)
HEADS = RNG.random((K // 2, N)) < 0.5
POOL = np.stack([HEADS, ~HEADS], axis=1).reshape(K, N)


def courses(final):
    """Searches whose distance is twice the final one after 5 queries, and the final one after 9."""
    return [
        Distances(np.stack([2 * row, row], axis=1)[:, None], np.tile([5, 9], (N, 1, 1)), np.zeros(N, int))
        for row in final
    ]


OBSERVED = courses(RNG.lognormal(size=(K, N)) * np.where(POOL, 2, 1))


def scored(make, numbers=(3, 0), observed=OBSERVED, is_member=POOL, targets=None, budget=None, budgets=(), fewer=()):
    asked = [(targets or observed)[number] for number in numbers]
    models = ObservedModels(asked, np.tile(np.arange(N), (len(numbers), 1)), "", [])
    return score_targets(make, models, numbers, observed, is_member, budget, budgets, fewer)


@pytest.mark.parametrize("make", [lira.Calibration, difference.Calibration])
def test_every_way_is_the_rule_on_what_it_names(make):
    found = scored(make, budgets=(5, 7), fewer=(4, 6))
    assert found["settings"].tolist() == ["", "budget=5", "budget=7", "shadows=4", "shadows=6"]
    cut = [observed.cut(5) for observed in OBSERVED]
    expected = {0: (OBSERVED, None), 1: (cut, None), 2: (cut, None), 3: (OBSERVED, 4), 4: (OBSERVED, 6)}
    for way, (observed, n_shadows) in expected.items():
        scores = leave_one_out(make().score, observed, POOL, n_shadows)[[3, 0]]
        np.testing.assert_array_equal(found["scores"][:, way], scores)
    assert found["queries"].tolist() == [[9, 5, 5, 9, 9]] * 2 and found["can_rank"].tolist() == [True, True]
    assert scored(make, budget=5)["queries"].tolist() == [[5], [5]]


def test_the_threshold_is_the_best_for_shadows_that_are_scored_like_the_target():
    """Target 0 has shadows 2 to 7; models 2 and 4 are each judged by the other four, or the first two of these."""
    shadows, found = shadows_of(0, K), scored(difference.Calibration, (0,), fewer=(2,))
    for way, n_shadows in ((0, 4), (1, 2)):
        tried = []
        for model in (2, 4):
            others = [other for other in shadows if other // 2 != model // 2][:n_shadows]
            known = [OBSERVED[other] for other in others]
            tried.append(difference.Calibration().score(OBSERVED[model], known, POOL[others]))
        assert found["thresholds"][0, way] == best_threshold(np.concatenate(tried), POOL[[2, 4]].ravel())


@pytest.mark.parametrize("fewer", [(), (2,)])
def test_a_threshold_of_a_rule_with_a_variance_is_chosen_with_four_shadows(fewer):
    """Six models leave two to judge the target's shadows, and eight do not where fewer are asked for."""
    n_models = 8 if fewer else 6
    pool = {"observed": OBSERVED[:n_models], "is_member": POOL[:n_models], "fewer": fewer}
    scored(difference.Calibration, (3,), **pool)
    with pytest.raises(ValueError, match="^shadows: expected two with each example and two without, for a variance"):
        scored(lira.Calibration, (3,), **pool)


def test_a_plain_attack_takes_all_shadows_together():
    found = scored(distance.Attack, (5,), budgets=(5,), fewer=(2,))
    assert found["settings"].tolist() == ["", "budget=5", "shadows=2"]
    for way, (models, budgets) in enumerate([((0, 1, 2, 3, 6, 7), ()), ((0, 1, 2, 3, 6, 7), (5,)), ((0, 1), ())]):
        known = [OBSERVED[model] for model in models]
        result = run_attack(distance.Attack, OBSERVED[5], known, list(POOL[list(models)]), budgets=budgets)[-1]
        np.testing.assert_array_equal(found["scores"][0, way], result.scores)
        assert found["thresholds"][0, way] == result.threshold and found["queries"][0, way] == result.queries


@pytest.mark.parametrize("make", [lira.Calibration, difference.Calibration, distance.Attack])
def test_nothing_depends_on_the_targets_bits_or_on_its_partner(make):
    noise = np.random.default_rng(1)
    bits, observed = POOL.copy(), list(OBSERVED)
    bits[2:4], observed[3] = noise.random((2, N)) < 0.5, courses(noise.lognormal(size=(1, N)))[0]
    ways = {"budgets": (5,), "fewer": (4, 6)}
    before, after = scored(make, (2,), **ways), scored(make, (2,), observed, bits, **ways)
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])
    others = scored(make, (2,), observed, ~bits, **ways)  # but on the other models' bits it does
    assert (others["thresholds"] != before["thresholds"]).any()


def test_a_masked_target_is_judged_by_what_it_says_itself():
    masked = courses(np.ones((K, N)))
    found = scored(difference.Calibration, (3, 0), targets=masked)
    for row, target in enumerate((3, 0)):
        shadows = shadows_of(target, K)
        known = [OBSERVED[shadow] for shadow in shadows]
        scores = difference.Calibration().score(masked[target], known, POOL[shadows])
        np.testing.assert_array_equal(found["scores"][row, 0], scores)
