"""Intervals cover what they should, and agree with the metrics that they surround."""

import numpy as np

from lmia.intervals import evaluate, over_seeds
from lmia.metrics import at_threshold, auc


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
