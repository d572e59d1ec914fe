"""Attacks by models that were trained on labels of the target: what a hand finds, and what they must not see."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from lmia.attacks import dhattack, transfer, true_confidence
from lmia.attacks.observation_files import ObservedModels
from lmia.attacks.observations import Confidences, Distances, Relabelled
from lmia.calibration.lira import LEAST, WEIGHT
from lmia.calibration.scoring import score_targets
from lmia.queries.confidences import query_confidences

ATTACKS = [transfer.Attack, dhattack.Attack, partial(dhattack.Attack, published=True)]
NAMES = ["transfer", "dhattack", "published"]


def walked(own, others, first=None):
    """Levels (n,) of a target and (n, L) of its relabelled models, found by the last of two moments."""
    last = np.column_stack([own, others])
    levels = np.stack([last if first is None else np.broadcast_to(first, last.shape), last], axis=-1)
    course = np.stack([levels[:, :1, 0], levels[:, :1, 1]], axis=-1)
    queries = np.broadcast_to([2, 6], levels.shape)
    classes = np.zeros(len(last), int)
    return Distances(course, queries[:, :1], classes, relabelled_levels=levels, relabelled_queries=queries)


def score(observed, **options):
    attack = dhattack.Attack(**options)
    return attack.fit(observed, np.zeros(len(observed.classes), bool)).score(observed)


def test_a_model_equal_to_the_target_gives_the_confidence_attack_but_where_the_target_is_wrong():
    torch.manual_seed(0)
    target, inputs, classes = torch.nn.Linear(5, 3), torch.rand(60, 5), np.arange(60) % 3
    probabilities, phi = query_confidences(target, inputs, classes, lambda shown: shown)
    labels = probabilities.argmax(axis=1)
    wrong = labels != classes
    observed = Relabelled(labels, np.logaddexp(0, -phi), classes)
    found = transfer.Attack().fit(observed, np.zeros(60, bool)).score(observed)
    expected = true_confidence.Attack().score(Confidences(probabilities, classes))
    assert wrong.any() and (found[wrong] == -100).all()
    np.testing.assert_allclose(np.exp(found[~wrong]), expected[~wrong], rtol=1e-6)


def test_the_published_score_by_hand():
    """A target at 20, models at 10, 12 and 14: mean 12, standard deviation of these three 1.632993."""
    deviation = dhattack.deviations(np.array([20.0]), np.array([[10.0, 12.0, 14.0]]))
    assert deviation == pytest.approx([4.898979], abs=1e-6)
    assert special.ndtr(deviation) == pytest.approx([0.9999995], abs=1e-7)
    p = np.exp(-(np.exp(-np.array([20.0, 10, 12, 14])) + 1e-8))
    own, *others = np.log(p / (1 - p))
    by_hand = special.ndtr((own - np.mean(others)) / np.std(others)) - 1
    assert score(walked([20], [[10, 12, 14]]), published=True) == pytest.approx([by_hand], rel=1e-5)


def test_the_authors_map_hardly_tells_large_distances_apart():
    assert dhattack.psi(np.array([0])) == pytest.approx(-np.log(np.e - 1), rel=1e-6)
    near, far, further = dhattack.psi(np.array([19, 30, 1024]))
    assert 17 < near < far <= further and further - far < 1e-4


def test_the_score_is_a_number_of_standard_deviations_of_log_levels():
    own, others = np.array([20, 3]), np.array([[10, 12, 14], [3, 3, 3]])
    found, logs = score(walked(own, others)), np.log(others + 0.5)
    squares = ((logs - logs.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    common = squares.sum() / (2 * (3 - 1))
    spread = np.sqrt((WEIGHT * common + squares) / (WEIGHT + 2))
    np.testing.assert_allclose(found, (np.log(own + 0.5) - logs.mean(axis=1)) / spread)


@pytest.mark.parametrize("own, sign", [(9, 1), (3, 0), (0, -1), (32, 1)])
def test_where_all_models_agree_the_score_is_that_of_the_floor(own, sign):
    observed = walked([own, 4], [[3, 3, 3], [1, 5, 9]])
    found, logs = score(observed, variance="each")[0], np.log(np.array([1, 5, 9]) + 0.5)
    floor = LEAST * logs.var() * 3 / (2 * (3 - 1))
    assert found == pytest.approx((np.log(own + 0.5) - np.log(3.5)) / np.sqrt(floor)) and np.sign(found) == sign
    assert np.isfinite(score(walked([own], [[3, 3, 3]]))).all()  # nor where no example tells a variance
    published = score(walked([9, 30, 0, 3], [[3, 3, 3]] * 4), published=True)
    assert published.tolist() == [0, 0, -1, -0.5]  # ties, which is why the floor is there


@given(st.lists(st.integers(0, 32), min_size=2, max_size=6), st.sampled_from(["each", "fixed", "shrunk", "student"]))
def test_a_target_that_keeps_its_label_for_longer_scores_higher(others, variance):
    found = score(walked(np.arange(33), [others] * 33), variance=variance)
    assert np.isfinite(found).all() and (np.diff(found) > 0).all()


def test_a_budget_cuts_the_target_and_its_models_alike():
    observed = walked([20, 1], [[10, 12, 14], [3, 4, 9]], first=32)
    cut = observed.cut(3)
    assert cut.relabelled_levels[:, :, -1].tolist() == [[32] * 4] * 2 and cut.queries().tolist() == [2, 2]
    assert score(cut).tolist() == [0, 0]
    np.testing.assert_array_equal(score(observed.cut(6)), score(observed))
    both = Distances.concatenate([observed.take(np.array([0])), observed.take(np.array([1]))])
    np.testing.assert_array_equal(both.relabelled_levels, observed.relabelled_levels)
    np.testing.assert_array_equal(score(both), score(observed))


def test_what_cannot_be_scored_is_refused():
    alone = walked([3], [[4]])
    for observed in (alone, Distances(alone.distance, alone.n_queries, alone.classes)):
        with pytest.raises(ValueError, match="^relabelled: expected distances by two relabelled models or more"):
            score(observed)
    with pytest.raises(ValueError, match="^variance: expected one of each, fixed, shrunk, student, got mine"):
        dhattack.Attack(variance="mine")
    with pytest.raises(ValueError, match="^relabelled_levels, relabelled_queries: expected both of one shape"):
        Distances(alone.distance, alone.n_queries, alone.classes, relabelled_levels=alone.relabelled_levels)
    with pytest.raises(ValueError, match="^labels, losses: expected a number for each of 2 examples"):
        Relabelled(np.zeros(2, int), np.zeros(3), np.zeros(2, int))


def observed_of(make, n, rng):
    """What an attack reads of a target: nothing that tells its members."""
    if make is transfer.Attack:
        return Relabelled(rng.integers(2, size=n), rng.exponential(size=n), np.zeros(n, int))
    return walked(rng.integers(0, 33, n), rng.integers(0, 33, (n, 4)))


@pytest.mark.parametrize("make", ATTACKS, ids=NAMES)
def test_scores_in_a_pool_depend_on_no_bit_of_the_pair_nor_on_the_partners_models(make):
    n, rng = 30, np.random.default_rng(0)
    heads = rng.random((4, n)) < 0.5
    is_member = np.stack([heads, ~heads], axis=1).reshape(8, n)
    observed = [observed_of(make, n, rng) for _ in range(8)]

    def scored(observed, is_member):
        models = ObservedModels([observed[2]], np.arange(n)[None], "", [])
        return score_targets(make, models, [2], observed, is_member, None, (3,), (2,))

    noise, others = is_member.copy(), list(observed)
    noise[2:4], others[3] = rng.random((2, n)) < 0.5, observed_of(make, n, rng)
    before, after = scored(observed, is_member), scored(others, noise)
    assert before["settings"].tolist() == ["", "budget=3", "shadows=2"] and np.isfinite(before["scores"]).all()
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])
    assert (scored(observed, ~noise)["thresholds"] != before["thresholds"]).any()  # but on the other models' it does
