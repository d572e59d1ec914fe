"""When searches may stop, learned from searches whose end is known."""

import numpy as np
import pytest

from lmia.boundary.stopping import Stopping
from lmia.evaluation.fit_stopping import fit_block, fit_stopping


def course(rng, final, moments=12):
    """Distances that fall to `final` in the same way up to some noise, and the queries spent."""
    shape = 1 + 4 * np.exp(-np.arange(moments) / 2) * rng.uniform(0.8, 1.2, size=(len(final), 1))
    best = final[:, None] * shape / shape[:, -1:]
    return best, np.tile(10 * np.arange(1, moments + 1), (len(final), 1))


def test_stopping_loses_no_decision_that_the_shadow_foresaw():
    rng = np.random.default_rng(0)
    is_member = np.arange(400) % 2 == 0
    final = rng.lognormal(np.where(is_member, 0.5, 0.0), 0.4)
    best, spent = course(rng, final)
    rule = fit_stopping(best, spent, is_member)
    settled = np.stack([rule(best[:, t], spent[:, t]) for t in range(best.shape[1])], axis=1)
    stop = np.where(settled.any(axis=1), settled.argmax(axis=1), best.shape[1] - 1)
    decision = best[np.arange(400), stop] >= rule.threshold
    np.testing.assert_array_equal(decision, final >= rule.threshold)  # the same searches: no error at all
    assert spent[np.arange(400), stop].mean() < 0.7 * spent[:, -1].mean()
    quicker = fit_stopping(best, spent, is_member, error=0.1)
    assert (quicker.ratios >= rule.ratios).all() and (quicker.ratios > rule.ratios).any()


@pytest.mark.parametrize("final", [0.0, np.inf])
def test_a_shadow_without_a_finished_search_settles_only_what_is_below(final):
    best, spent = np.full((4, 2), final), np.ones((4, 2), dtype=int)
    rule = fit_stopping(best, spent, np.array([True, False, True, False]))
    settled = rule(np.array([0.5, 1.0]), np.array([10, 20]))
    assert (settled == (np.array([0.5, 1.0]) < rule.threshold)).all()


def test_where_nobody_is_called_a_member_any_boundary_settles_a_search():
    best, spent = np.array([[4.0, 3.0], [4.0, 2.0], [np.inf, np.inf]]), np.ones((3, 2), dtype=int)
    rule = fit_stopping(best, spent, np.array([False, True, False]))
    assert rule(np.array([1e9, 0.1]), np.array([0, 1])).all()


def test_stopping_by_hand():
    best = np.array([[8.0, 4.0, 2.0], [6.0, 5.0, 3.0], [0.0, 0.0, 0.0]])
    spent = np.array([[10, 20, 30], [10, 20, 30], [1, 1, 1]])
    rule = fit_stopping(best, spent, np.array([False, True, False]))
    assert rule.threshold == 2.5 and rule.queries.tolist() == [10, 20, 30]
    np.testing.assert_allclose(rule.ratios, [0.25, 0.5, 1.0])
    asked = np.array([10, 10, 20, 20, 5, 30, 10])
    distances = np.array([2.4, 9.9, 5.0, 4.9, 99.0, 2.5, 2.5])  # at the threshold itself, it may still fall below
    assert rule(distances, asked).tolist() == [True, False, True, False, False, True, False]


def test_the_rule_of_each_seed_is_learned_from_all_its_shadows():
    """Two shadows of two points each, of which one took fewer steps; of copies the first counts."""
    first = {"distance": np.array([[[[8.0, 4.0, 2.0]], [[6.0, 5.0, 3.0]]]] * 2)}
    other = {"distance": np.array([[[[0.0, 0.0]], [[7.0, 7.0]]]] * 2)}
    first["n_queries"] = np.array([[[[10, 20, 30]]] * 2] * 2)
    other["n_queries"] = np.array([[[[10, 20]]] * 2] * 2)
    other["distance"][1] *= 10  # of the second seed
    for shadow in (first, other):
        shadow |= {name: np.concatenate([array, array + 50], axis=2) for name, array in shadow.items()}
    is_member = [np.array([[False, True], [True, False]]), np.array([[False, True], [False, True]])]
    arrays = fit_block([first, other], is_member, [5, 6], error=0.0)
    for s, seed in enumerate((5, 6)):
        distance = np.array([[8.0, 4, 2], [6, 5, 3], [0, 0, 0], [7 * 10**s] * 3])
        n_queries = np.array([[10, 20, 30], [10, 20, 30], [10, 20, 20], [10, 20, 20]])
        expected = fit_stopping(distance, n_queries, np.concatenate([of[s] for of in is_member]), 0.0)
        found = Stopping.from_arrays(arrays, seed)
        assert found.threshold == expected.threshold and found.queries.tolist() == expected.queries.tolist()
        assert found.ratios.tolist() == expected.ratios.tolist()
    assert Stopping.from_arrays(arrays, 5).threshold != Stopping.from_arrays(arrays, 6).threshold
