"""Decisions on four points of two targets in two settings, and margins of a few decisions by hand."""

import numpy as np
import pytest

from lmia.evaluation.intervals import evaluate
from lmia.evaluation.metrics import auc, tpr_at_fpr
from lmia.evaluation.paired import Decisions, chance, decisions, difference, margin

SCORED = {
    "settings": np.array(["", "budget=5"]),
    "scores": np.array([[[1, 1, 0, 0], [3, 1, 2, 0]], [[0, 1, 0, 1], [2, 3, 0, 1]]], float),
    "thresholds": np.array([[0.5, 2.0], [0.5, 1.5]]),
    "queries": np.array([[9.0, 5.0], [8.0, 4.0]]),
    "example_ids": np.array([[2, 4, 6, 8], [1, 3, 5, 7]]),
    "can_rank": np.array([True, False]),
}
IS_MEMBER = np.array([[1, 1, 0, 0], [0, 1, 1, 0]], bool)


def is_right(one):
    return (one.is_called == one.is_member).tolist()


def test_an_attack_is_right_where_its_guess_is_the_membership():
    one, other = decisions(SCORED, IS_MEMBER, "budget=5")
    assert one.is_member.tolist() == [True, True, False, False] and one.scores.tolist() == [3, 1, 2, 0]
    assert is_right(one) == [True, False, False, True]  # guesses: members are 2 and 6, whose score is at 2
    assert other.is_member.tolist() == [False, True, True, False]
    assert is_right(other) == [False, True, False, True]
    assert [one.queries, other.queries] == [5, 4] and [one.can_rank, other.can_rank] == [True, False]
    assert one.example_ids.tolist() == [2, 4, 6, 8] and other.example_ids.tolist() == [1, 3, 5, 7]


def test_settings_are_found_by_their_names():
    one, other = decisions(SCORED, IS_MEMBER, "")
    assert all(is_right(one)) and one.queries == 9
    assert is_right(other) == [True, True, False, False] and other.queries == 8


def test_the_model_is_judged_on_non_members_whatever_the_threshold():
    constant = SCORED | {"thresholds": np.full((2, 2), -1.0)}
    for scored in (SCORED, constant):
        one, other = decisions(scored, IS_MEMBER, "", of_model=True)
        assert is_right(one) == [False, False] and one.example_ids.tolist() == [6, 8]
        assert is_right(other) == [False, True] and other.example_ids.tolist() == [1, 7]
        assert not one.is_member.any() and one.queries == other.queries == 1
        assert margin([other], [], 50)[0] == 0 and not other.is_constant


def decided(*right, ids=0, scores=None):
    """Members first, non-members second, as many of each; 10 queries."""
    is_member = np.arange(len(right)) < len(right) // 2
    is_called = np.array(right, bool) == is_member
    scores = is_called.astype(float) if scores is None else np.array(scores, float)
    return Decisions(scores, is_called, is_member, ids + np.arange(len(right)), 10.0)


def test_margins_are_paired_where_both_saw_the_same_points():
    left, right = decided(1, 1, 1, 0), decided(1, 0, 1, 0)
    assert margin([left], [right], 200) == (0.25, 0, 0.5)
    assert margin([left], [left], 200) == (0, 0, 0)
    value, low, high = margin([left], [decided(1, 1, 1, 0, ids=9)], 200)  # the same answers about other points
    assert value == 0 and low < 0 < high


def test_accuracy_is_balanced():
    is_member = np.array([1, 1, 1, 0], bool)
    uneven = Decisions(np.ones(4), np.array([1, 1, 1, 1], bool), is_member, np.arange(4), 1.0)
    assert margin([uneven], [], 20) == (0, 0, 0) and uneven.is_constant


def test_margins_over_seeds_are_means_of_paired_differences():
    left = [decided(1, 1, 1, 1), decided(1, 1, 1, 0)]
    right = [decided(1, 1, 1, 0), decided(1, 0, 0, 0)]
    value, low, high = margin(left, right, 100)
    assert value == 0.375 and low == pytest.approx(0.375 - 12.7062 * 0.125, abs=1e-4) and high > 1


def test_seeds_that_agree_by_chance_are_no_surer_than_their_points():
    left, right = decided(1, 1, 1, 0), decided(1, 0, 1, 0)
    assert margin([left] * 4, [right] * 4, 200) == (0.25, 0.125, 0.375)  # half as far as of one seed


def test_margins_over_chance():
    assert margin([decided(1, 1, 1, 0)], [], 200) == (0.25, 0, 0.5)
    assert margin([decided(1, 1, 0, 0)] * 2, [], 200) == (0, 0, 0)
    assert [chance(metric) for metric in ("accuracy", "auc", "tpr_at_0.1_fpr")] == [0.5, 0.5, 0.1]


def ranked(seed, shift, n=300, ids=0):
    """Rounded scores, with many ties and some infinite ones."""
    rng, is_member = np.random.default_rng(seed), np.arange(n) % 3 == 0
    scores = np.round(rng.normal(size=n) + shift * is_member, 1)
    scores[rng.random(n) < 0.05] = np.inf
    return Decisions(scores, scores > 1, is_member, ids + np.arange(n), 1.0)


@pytest.mark.parametrize(
    "metric, of",
    [("auc", auc), ("tpr_at_0.1_fpr", lambda scores, known: tpr_at_fpr(scores, known, 0.1))],
)
def test_ranks_are_compared_by_the_metrics_of_the_tables(metric, of):
    one, other = ranked(0, 1.0), ranked(1, 0.5)
    values = [of(side.scores, side.is_member) for side in (one, other)]
    value, low, high = difference(one, other, 300, metric)
    assert value == pytest.approx(values[0] - values[1]) and low < value < high
    alone = difference(one, None, 2000, metric)
    known = evaluate(one.scores, one.is_member, 1.0, [0.1], 2000)[metric]
    assert np.array(alone) + chance(metric) == pytest.approx(known, abs=0.02)  # other draws of the same points


@pytest.mark.parametrize("metric", ["accuracy", "auc", "tpr_at_0.1_fpr"])
def test_pairing_narrows_what_attacks_that_rank_alike_differ_by(metric):
    one = ranked(0, 1.0)
    near = Decisions(one.scores + 0.1 * (np.arange(300) % 7 == 0), one.is_called, one.is_member, one.example_ids, 1.0)
    far = Decisions(near.scores, near.is_called, near.is_member, 1000 + near.example_ids, 1.0)
    paired, apart = (np.diff(difference(one, other, 300, metric)[1:]).item() for other in (near, far))
    assert paired < apart / 2


def test_what_only_decides_has_no_ranks_and_few_points_no_small_rates():
    one = ranked(0, 1.0)
    unranked = Decisions(one.scores, one.is_called, one.is_member, one.example_ids, 1.0, can_rank=False)
    for side, metric in ((unranked, "auc"), (unranked, "tpr_at_0.1_fpr"), (one, "tpr_at_0.001_fpr")):
        assert np.isnan(margin([one, side], [one, one], 20, metric)).all()
    assert not np.isnan(margin([unranked], [one], 20)).any() and not np.isnan(margin([one], [], 20, "auc")).any()
