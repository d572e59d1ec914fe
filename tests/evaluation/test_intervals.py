"""Intervals cover what they should, and agree with the metrics that they surround."""

import numpy as np
import pytest
from scipy import stats

from lmia.evaluation.intervals import _bootstrap, evaluate, over_seeds, proportion
from lmia.evaluation.metrics import at_threshold, auc


def sample(rng, n, shift):
    is_member = np.arange(n) % 2 == 0
    return np.round(rng.normal(size=n) + shift * is_member, 1), is_member


def test_values_are_the_metrics_themselves():
    scores, is_member = sample(np.random.default_rng(0), 300, 1.0)
    found = evaluate(scores, is_member, 0.5, [0.01, 0.001], 200)
    assert found["accuracy"][0] == at_threshold(scores, is_member, 0.5)["accuracy"]
    assert found["auc"][0] == auc(scores, is_member)
    assert found["auc"][1] < found["auc"][0] < found["auc"][2]
    assert np.isnan(found["tpr_at_0.001_fpr"]).all()  # 150 non-members resolve no thousandth


def test_resampled_data_are_cut_where_the_metrics_cut():
    """At a score that is the threshold itself, which half of all members have and no one else."""
    is_member = np.arange(400) % 2 == 0
    scores = np.where(is_member & (np.arange(400) % 4 == 0), 1.0, 0.0)
    value, low, high = evaluate(scores, is_member, 1.0, [], 200)["recall"]
    assert value == 0.5 and low < 0.5 < high


def test_a_resample_with_exactly_that_false_positive_rate_counts():
    """The only member lies below 7 of 49 non-members, and so is found where 7 of them or fewer are drawn."""
    scores, is_member = np.r_[np.ones(7), np.zeros(42), 0.5], np.r_[np.zeros(49, bool), True]
    draws = _bootstrap(scores, is_member, 0.5, [1 / 7], 2000, 0)["tpr_at_0.142857_fpr"]
    assert draws.mean() == pytest.approx(stats.binom(49, 1 / 7).cdf(7), abs=0.04)  # 0.16 of it are exactly 7


def test_examples_intervals_cover_the_truth():
    rng = np.random.default_rng(1)
    truth = 0.6914624612740131  # accuracy at threshold 1/2 for a shift of 1: Phi(1/2)
    inside = 0
    for _ in range(200):
        is_member = np.arange(400) % 2 == 0
        scores = rng.normal(size=400) + is_member
        _, low, high = evaluate(scores, is_member, 0.5, [], 300)["accuracy"]
        inside += low <= truth <= high
    assert 0.89 <= inside / 200 <= 0.99


def test_seed_intervals_cover_with_six_seeds():
    rng = np.random.default_rng(2)
    inside = 0
    for _ in range(400):
        _, low, high = over_seeds(rng.normal(size=6), 1000)
        inside += low <= 0 <= high
    assert 0.91 <= inside / 400 <= 0.99  # plain percentiles would cover about 86 %


def test_one_seed_has_no_interval():
    mean, low, high = over_seeds([0.7], 100)
    assert mean == 0.7 and np.isnan(low) and np.isnan(high)


def test_exact_intervals_of_proportions():
    # None of 10: high solves (1 - p)^10 = 0.025. Five of 10 is symmetric, from tables: 0.187 to 0.813.
    assert proportion(0, 10) == pytest.approx((0, 0, 1 - 0.025**0.1))
    assert proportion(10, 10) == pytest.approx((1, 0.025**0.1, 1))
    assert proportion(5, 10) == pytest.approx((0.5, 0.187, 0.813), abs=5e-4)


def test_rates_of_zero_and_one_are_not_certain():
    is_member = np.arange(200) % 2 == 0
    never = evaluate(np.zeros(200), is_member, 0.5, [0.01], 100)
    always = evaluate(is_member.astype(float), is_member, 0.5, [0.01], 100)
    for name in ("recall", "tpr_at_0.01_fpr"):
        assert never[name] == pytest.approx(proportion(0, 100)) and always[name] == pytest.approx(proportion(100, 100))
    assert always["precision"] == pytest.approx(proportion(100, 100)) and np.isnan(never["precision"]).all()


def test_examples_may_have_thresholds_of_their_own():
    """Two halves whose thresholds lie apart: decisions are theirs, and the ROC is of the scores alone."""
    scores, is_member = sample(np.random.default_rng(2), 400, 1.0)
    threshold = np.where(np.arange(400) < 200, 0.2, 0.8)
    found = evaluate(scores, is_member, threshold, [0.1], 500)
    margins = scores - threshold
    for name, value in at_threshold(margins, is_member, 0.0).items():
        decided = evaluate(margins, is_member, 0.0, [], 500)[name]
        assert found[name][0] == value == decided[0]
        assert found[name][1:] == pytest.approx(decided[1:], abs=0.02)  # other draws of the same
    one = evaluate(scores, is_member, 0.2, [0.1], 500)
    for name in ("auc", "tpr_at_0.1_fpr"):
        assert found[name] == pytest.approx(one[name], abs=0.02) and found[name][0] == one[name][0]
    assert evaluate(scores, is_member, np.full(400, 0.2), [0.1], 500) == one
