"""Canaries: drawn among what is asked about, never with their own class, and known to all who read a split."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lmia import artifacts
from lmia.asked_points import evaluated_pool_ids
from lmia.box import Box
from lmia.canaries import draw_canaries, given_classes, given_inputs, load_canaries


@given(st.integers(2, 9), st.integers(1, 40), st.integers(0, 3), st.data())
def test_canaries_have_any_class_but_their_own(n_classes, n, pool, data):
    classes = np.append(data.draw(st.lists(st.integers(0, n_classes - 1), min_size=59, max_size=59)), n_classes - 1)
    examples = np.arange(0, 60, 1) if n > 20 else np.arange(0, 60, 2)
    drawn = draw_canaries(examples, classes, n, pool)
    ids = drawn["canaries"]
    assert len(np.unique(ids)) == n and np.isin(ids, examples).all() and (np.diff(ids) > 0).all()
    given_to = given_classes(classes, drawn)
    assert np.flatnonzero(given_to != classes).tolist() == ids.tolist()
    assert given_to.min() >= 0 and given_to.max() < n_classes
    assert np.isin(ids, evaluated_pool_ids(examples, pool, -(-n // 2))).all()  # however few are asked about


def test_wrong_classes_are_drawn_alike():
    classes = np.tile(np.arange(4), 2_000)
    drawn = draw_canaries(np.arange(8_000), classes, 8_000, 0)
    pairs = np.bincount(4 * classes[drawn["canaries"]] + drawn["canary_classes"], minlength=16).reshape(4, 4)
    assert (np.diag(pairs) == 0).all()
    others = pairs[~np.eye(4, dtype=bool)]
    assert np.abs(others - 8_000 / 12).max() < 5 * np.sqrt(8_000 / 12)


@given(st.integers(1, 30), st.integers(0, 3))
def test_canaries_out_of_distribution_are_noise_with_any_class(n, pool):
    classes, box = np.arange(60) % 3, Box(np.array([-1.0, 0.0]), np.array([1.0, 5.0]))
    inputs = np.full((60, 2), 100, np.float32)
    drawn = draw_canaries(np.arange(0, 60, 2), classes, n, pool, "out_of_distribution", (2,), box)
    ids = drawn["canaries"]
    assert np.array_equal(ids, draw_canaries(np.arange(0, 60, 2), classes, n, pool)["canaries"])
    order = np.random.default_rng(0).permutation(60)
    known = given_inputs(inputs, order, drawn)
    assert np.flatnonzero((known != 100).any(axis=1)).tolist() == np.flatnonzero(np.isin(order, ids)).tolist()
    assert (known[np.argsort(order)][ids] == drawn["canary_inputs"]).all() and (inputs == 100).all()
    assert (drawn["canary_inputs"] >= box.low).all() and (drawn["canary_inputs"] <= box.high).all()
    assert len(np.unique(drawn["canary_inputs"], axis=0)) == n and drawn["canary_inputs"].dtype == np.float32


def test_noise_fills_the_box_and_its_classes_are_drawn_alike():
    classes = np.tile(np.arange(4), 1_000)
    drawn = draw_canaries(np.arange(4_000), classes, 4_000, 0, "out_of_distribution", (3,), Box(-1.0, 3.0))
    counts = np.bincount(4 * classes[drawn["canaries"]] + drawn["canary_classes"], minlength=16)
    assert np.abs(counts - 250).max() < 5 * np.sqrt(250)  # its own class as often as others
    shares = np.sort(drawn["canary_inputs"], axis=0)
    np.testing.assert_allclose(shares, np.linspace(-1, 3, 4_000)[:, None].repeat(3, 1), atol=0.12)


def test_more_canaries_include_fewer_and_pools_differ():
    classes = np.arange(100) % 10
    few, more, other = (
        draw_canaries(np.arange(100), classes, n, pool)["canaries"] for n, pool in ((10, 0), (20, 0), (10, 1))
    )
    assert np.isin(few, more).all() and not np.array_equal(few, other)
    few, more = (draw_canaries(np.arange(100), classes, n, 0, "out_of_distribution", (2,)) for n in (10, 20))
    of_more = dict(zip(more["canaries"], more["canary_inputs"].tolist(), strict=True))
    assert [of_more[name] for name in few["canaries"]] == few["canary_inputs"].tolist()


def test_a_split_without_canaries_changes_nothing(tmp_path):
    classes = np.arange(10)
    assert given_classes(classes, {}) is classes and given_inputs(classes, np.array([3, 1]), {}).tolist() == [3, 1]
    artifacts.save(tmp_path / "split.npz", "split", {"members": np.array([[1, 2]])}, {})
    assert not load_canaries(tmp_path / "split.npz", np.arange(5)).any()
    arrays = {"members": np.array([[1, 2]]), "canaries": np.array([2, 4]), "canary_classes": np.array([0, 0])}
    artifacts.save(tmp_path / "with.npz", "split", arrays, {})
    assert load_canaries(tmp_path / "with.npz", np.array([[4, 3], [2, 0]])).tolist() == [[True, False], [True, False]]
    assert (classes == np.arange(10)).all() and given_classes(classes, arrays).tolist() == [
        0,
        1,
        0,
        3,
        0,
        *range(5, 10),
    ]
