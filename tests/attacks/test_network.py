"""The network of the classifier attack beside scikit-learn's, which it stands for."""

import warnings

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

from lmia.attacks.network import Network


def rows(dtype, n, d, seed):
    """Rows of two kinds, which overlap, and how often each counts."""
    rng, is_member = np.random.default_rng(seed), np.arange(n) % 2 == 0
    return (rng.normal(size=(n, d)) + 0.8 * is_member[:, None]).astype(dtype), is_member, rng.integers(1, 9, n) * 1.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("hidden", [(10, 10), (4,), (7, 3, 5), ()])
@pytest.mark.parametrize(("decay", "n", "d"), [(0.0, 9, 1), (1.0, 60, 3), (10.0, 300, 13), (100.0, 300, 5)])
def test_probabilities_are_those_of_scikit_learn_bit_for_bit(dtype, hidden, decay, n, d):
    features, is_member, weights = rows(dtype, n, d, seed=n)
    others = rows(dtype, 50, d, seed=n + 1)[0]
    theirs = MLPClassifier(hidden, alpha=decay, solver="lbfgs", max_iter=100, random_state=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged
        theirs.fit(features, is_member, sample_weight=weights)
    found = Network(hidden, decay, seed=3).fit(features, is_member, weights).predict(others)
    assert found.tolist() == np.asarray(theirs.predict_proba(others))[:, 1].tolist()


def test_a_row_that_counts_twice_is_two_rows():
    features, is_member, _ = rows(np.float64, 40, 3, seed=0)
    weights = np.where(np.arange(40) < 20, 2.0, 1.0)
    twice = np.repeat(np.arange(40), weights.astype(int))
    one = Network((), 10.0, seed=0).fit(features, is_member, weights)
    other = Network((), 10.0, seed=0).fit(features[twice], is_member[twice], np.ones(60))
    np.testing.assert_allclose(one.predict(features), other.predict(features), atol=1e-4)


def test_the_loss_of_a_network_without_hidden_units_is_as_small_as_it_can_be():
    """At the optimum the gradient is 0: what the outputs miss is what the decay holds back."""
    features, is_member, weights = rows(np.float64, 80, 3, seed=1)
    missed = (is_member - Network((), 0.0, seed=0).fit(features, is_member, weights).predict(features)) * weights
    assert np.abs(missed @ np.column_stack([features, np.ones(80)])).max() / weights.sum() < 1e-4


def test_rows_that_are_no_numbers_are_refused():
    features, is_member, weights = rows(np.float64, 20, 3, seed=2)
    features[[0, 4], 1] = np.nan, np.inf
    with pytest.raises(ValueError, match="rows: expected finite numbers, got 2 that are none"):
        Network((4,), 1.0, seed=0).fit(features, is_member, weights)
