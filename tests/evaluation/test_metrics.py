"""Every expected value here can be computed by hand from the table beside it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lmia.evaluation import metrics

# score:            3  2  2  1  1  0
SCORES = np.array([3, 2, 2, 1, 1, 0])
MEMBER = np.array([1, 1, 0, 1, 0, 0], dtype=bool)


def test_roc_has_one_point_per_distinct_score():
    fpr, tpr, thresholds = metrics.roc(SCORES, MEMBER)
    np.testing.assert_allclose(fpr, [0, 0, 1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(tpr, [0, 1 / 3, 2 / 3, 1, 1])
    np.testing.assert_array_equal(thresholds, [np.inf, 3, 2, 1, 0])


def test_auc_counts_ties_as_one_half():
    # nine pairs: 3 beats all (3); 2 beats 1 and 0, ties 2 (2.5); 1 beats 0, ties 1, loses to 2 (1.5)
    assert metrics.auc(SCORES, MEMBER) == pytest.approx(7 / 9)


def test_tpr_at_fpr_takes_the_largest_without_interpolating():
    assert metrics.tpr_at_fpr(SCORES, MEMBER, 0.34) == pytest.approx(2 / 3)
    assert metrics.tpr_at_fpr(SCORES, MEMBER, 0.5) == pytest.approx(2 / 3)


@pytest.mark.parametrize("n, k", [(3, 1), (7, 3), (49, 7), (1000, 1), (998, 499)])
def test_tpr_at_fpr_counts_a_threshold_that_has_exactly_that_rate(n, k):
    scores, member = np.r_[n, np.arange(n)[::-1] + 0.0, -1], np.r_[True, np.zeros(n, bool), True]
    scores[0] = n - k + 0.5 - 1  # a member just below k of the non-members
    assert metrics.tpr_at_fpr(scores, member, k / n) == 0.5
    assert np.isnan(metrics.tpr_at_fpr(scores, member, 0.5 / n))


def test_tpr_at_fpr_of_a_constant_score_is_zero():
    member = np.repeat([True, False], 200)
    assert metrics.tpr_at_fpr(np.zeros(400), member, 0.01) == 0


def test_tpr_below_one_false_positive_is_not_resolvable():
    assert np.isnan(metrics.tpr_at_fpr(SCORES, MEMBER, 0.01))


def test_best_threshold_lies_between_scores_and_separates():
    threshold = metrics.best_threshold([4, 3, 1, 0], [True, True, False, False])
    assert threshold == 2
    assert metrics.at_threshold([4, 3, 1, 0], [True, True, False, False], threshold) == {
        "accuracy": 1,
        "precision": 1,
        "recall": 1,
        "f1": 1,
    }


def test_rates_at_a_threshold():
    got = metrics.at_threshold(SCORES, MEMBER, 2)  # called members: 3, 2, 2 of which two are
    assert got == pytest.approx({"accuracy": 2 / 3, "precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3})


def test_nothing_called_a_member_has_no_precision():
    got = metrics.at_threshold(SCORES, MEMBER, np.inf)
    assert np.isnan(got["precision"]) and got["accuracy"] == 0.5


@given(scores=arrays(float, 20, elements=st.integers(0, 4).map(float)), seed=st.integers(0, 99))
def test_order_of_the_examples_never_matters(scores, seed):
    member = np.repeat([True, False], 10)
    order = np.random.default_rng(seed).permutation(20)
    for metric in (metrics.auc, metrics.best_threshold, lambda s, m: metrics.tpr_at_fpr(s, m, 0.1)):
        np.testing.assert_equal(metric(scores, member), metric(scores[order], member[order]))


@given(
    scores=arrays(float, 20, elements=st.sampled_from([-np.inf, 0.0, 1.0, 2.0, np.inf])),
    member=arrays(bool, 20).filter(lambda member: member.any() and not member.all()),
)
def test_best_threshold_attains_the_best_of_the_roc(scores, member):
    """Also where the best rule calls nobody a member, and some scores are infinite."""
    fpr, tpr, _ = metrics.roc(scores, member)
    got = metrics.at_threshold(scores, member, metrics.best_threshold(scores, member))["accuracy"]
    assert got == pytest.approx(0.5 + np.max(tpr - fpr) / 2)


@pytest.mark.parametrize(
    "scores, member, message",
    [([1, 2], [1, 1], "one kind"), ([1, np.nan], [0, 1], "1 NaN"), ([1, 2, 3], [0, 1], "one shape")],
)
def test_bad_input_is_named(scores, member, message):
    with pytest.raises(ValueError, match=message):
        metrics.auc(scores, member)
