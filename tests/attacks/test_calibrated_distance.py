"""Distances beside those of models without the point: what the regression reads, and whom it tells apart."""

from dataclasses import replace

import numpy as np
import pytest

from lmia.attacks import calibrated_distance
from lmia.attacks.observations import Distances
from lmia.attacks.scoring import run_attack
from lmia.evaluation.metrics import auc
from lmia.streams import stream


def observed(distance, beside):
    """A search with two moments, the first of which has found nothing but what is misclassified."""
    distance = np.asarray(distance, float)
    first = np.where(distance == 0, 0, np.inf)
    n_queries = np.tile([1, 40], (len(distance), 1, 1))
    course = np.stack([first, distance], axis=1)[:, None]
    return Distances(course, n_queries, np.zeros(len(distance), int), reference_distance=np.asarray(beside, float))


def population(n, seed):
    """(observations, membership): points differ tenfold in how hard they are, and members lie 1.3 times as far."""
    draw = stream(seed, "test of calibrated distances")
    is_member = draw.permutation(np.arange(n) < n // 2)
    easy = np.exp(draw.normal(0, 1.0, n))
    distance = easy * np.where(is_member, 1.3, 1.0) * np.exp(draw.normal(0, 0.1, n))
    wrong = ~is_member & (draw.random(n) < 0.2)
    beside = easy * np.exp(draw.normal(0, 0.1, n))
    beside[draw.random(n) < 0.1] = 0
    return observed(np.where(wrong, 0, distance), beside), is_member


def test_a_point_that_lies_further_than_from_models_without_it_is_a_member():
    (shadow, known), (target, is_member) = population(600, 0), population(600, 1)
    attack = calibrated_distance.Attack().fit(shadow, known)
    plain = auc(target.features()[:, 0], is_member)
    assert plain < 0.72 and auc(attack.score(target), is_member) > 0.88
    hard, easy = attack.score(observed([1.0, 1.0], [0.5, 2.0]))
    assert hard > easy
    near, far = attack.score(observed([0.5, 2.0], [1.0, 1.0]))
    assert far > near


def test_all_points_get_a_score():
    """Misclassified and censored ones, such that the references misclassify or cannot, and such without references."""
    shadow, known = population(300, 0)
    attack = calibrated_distance.Attack().fit(shadow, known)
    most = float(np.max(shadow.features())), float(np.max(shadow.reference_distance))
    scores = attack.score(observed([0, 0, np.inf, most[0], 1, 1, 1, 1], [1, np.nan, 1, 1, 0, np.inf, most[1], np.nan]))
    assert np.isfinite(scores).all()
    assert scores[2] == scores[3] and scores[5] == scores[6]  # no further than what was found
    assert scores[0] < scores[4:].min()
    unknown = attack.score(observed([1, 1], [np.nan, np.nan]))
    assert unknown[0] == unknown[1] == scores[7]


def test_shadow_rows_are_scored_by_fits_that_have_not_seen_them():
    """On noise alone, a fit of 30 rows tells its own apart; scores that are to choose a threshold must not."""
    areas = []
    for seed in range(40):
        draw = stream(seed, "test of held-out rows")
        shadow = observed(np.exp(draw.normal(size=30)), np.exp(draw.normal(size=30)))
        known = draw.permutation(np.arange(30) < 15)
        attack = calibrated_distance.Attack().fit(shadow, known)
        areas.append((auc(attack.score(shadow), known), auc(attack.shadow_scores(), known)))
    own, held_out = np.mean(areas, axis=0)
    assert own > 0.56 and held_out < 0.52


@pytest.mark.parametrize("n_members", [0, 1, 2])
def test_a_handful_of_rows_is_enough_to_run(n_members):
    """Also where nothing differs, nothing was found, or hardly a member is known."""
    known = np.arange(6) < max(n_members, 1)
    for distance, beside in (([1.0] * 6, [2.0] * 6), ([np.inf] * 6, [np.nan] * 6), ([0.0] * 6, [0.0] * 6)):
        attack = calibrated_distance.Attack().fit(observed(distance, beside), known)
        assert np.isfinite(attack.shadow_scores()).all() and np.isfinite(attack.score(observed(distance, beside))).all()


def test_a_search_without_references_is_refused():
    shadow, known = population(20, 0)
    with pytest.raises(ValueError, match="^reference_distance: expected how far .*, got none; search with schedule: w"):
        calibrated_distance.Attack().fit(replace(shadow, reference_distance=None), known)
    with pytest.raises(ValueError, match=r"^reference_distance: expected a number for each of 20 examples, got shape"):
        replace(shadow, reference_distance=np.zeros(3))


def test_reference_distances_go_with_their_examples():
    shadow, known = population(20, 0)
    rows = np.array([3, 1, 8])
    np.testing.assert_array_equal(shadow.take(rows).reference_distance, shadow.reference_distance[rows])
    np.testing.assert_array_equal(shadow.cut(20).reference_distance, shadow.reference_distance)
    both = Distances.concatenate([shadow, shadow.take(rows)])
    np.testing.assert_array_equal(both.reference_distance[20:], shadow.reference_distance[rows])
    assert Distances.concatenate([shadow, replace(shadow, reference_distance=None)]).reference_distance is None
    capped = run_attack(calibrated_distance.Attack, shadow, [shadow], [known], budgets=[20])
    assert [way.setting for way in capped] == ["", "budget=20"] and capped[1].queries == 1
