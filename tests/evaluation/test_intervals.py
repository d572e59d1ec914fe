"""Intervals cover what they should, and agree with the metrics that they surround."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
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


def alone(*values):
    """Seeds whose points say nothing of how sure they are."""
    return [(value, value, value) for value in values]


def test_several_seeds_have_students_interval():
    mean, low, high = over_seeds(alone(0.5, 0.7, 0.9))
    assert mean == pytest.approx(0.7) and [mean - low, high - mean] == pytest.approx([4.3027 * 0.2 / 3**0.5] * 2, 1e-4)
    values = np.random.default_rng(0).normal(size=9)
    of_scipy = stats.t.interval(0.95, 8, values.mean(), stats.sem(values))
    assert over_seeds(alone(*values))[1:] == pytest.approx(of_scipy)


def test_seeds_that_agree_are_as_unsure_as_all_their_points_together():
    """On either side: three seeds at 0.9, of which one is surer than the others."""
    mean, low, high = over_seeds([(0.9, 0.84, 0.92), (0.9, 0.84, 0.92), (0.9, 0.88, 0.91)])
    below, above = np.sqrt((0.06**2 + 0.06**2 + 0.02**2) / 9), np.sqrt((0.02**2 + 0.02**2 + 0.01**2) / 9)
    assert (mean, low, high) == pytest.approx((0.9, 0.9 - below, 0.9 + above))
    apart = [0.8, 1.0]
    assert over_seeds([(value, value - 0.1, value + 0.1) for value in apart]) == over_seeds(alone(*apart))


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=8))
def test_an_interval_over_seeds_is_no_narrower_than_either_of_two(found):
    seeds = [(value, value - below, value + above) for value, below, above in found]
    mean, low, high = over_seeds(seeds)
    _, *student = over_seeds(alone(*(value for value, _, _ in seeds)))
    below, above = np.sqrt((np.array(found)[:, 1:] ** 2).sum(axis=0)) / len(seeds)
    assert low <= min(student[0], mean - below) + 1e-9 and high >= max(student[1], mean + above) - 1e-9
    ends = (min(student[0], mean - below), max(student[1], mean + above))
    assert (low, high) == pytest.approx(ends)  # and no wider than the wider of the two


def test_one_seed_has_the_interval_of_its_points():
    assert over_seeds([(0.7, 0.6, 0.75)]) == (0.7, 0.6, 0.75)


def test_what_one_seed_cannot_resolve_no_mean_does():
    nothing = float("nan")
    assert np.isnan(over_seeds([(0.5, 0.4, 0.6), (nothing, nothing, nothing)])).all()
    assert over_seeds([(0.5, nothing, nothing), (0.7, nothing, nothing)]) == over_seeds(alone(0.5, 0.7))


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
