import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmia.splits import PARTS, draw_split


@given(n_train=st.integers(1, 50), spare=st.integers(0, 50), seed=st.integers(0, 2**32))
def test_blocks_are_disjoint_reproducible_and_of_the_asked_size(n_train, spare, seed):
    n_available = 4 * n_train + spare
    split, again = draw_split(n_available, n_train, seed), draw_split(n_available, n_train, seed)
    ids = np.concatenate([getattr(split, part) for part in PARTS])
    assert len(np.unique(ids)) == 4 * n_train
    assert ids.min() >= 0 and ids.max() < n_available
    for part in PARTS:
        np.testing.assert_array_equal(getattr(split, part), getattr(again, part))


def test_membership_is_per_role():
    split = draw_split(40, 10, seed=0)
    for role in ("target", "shadow"):
        ids = split.evaluated(role)
        assert (np.diff(ids) > 0).all()
        np.testing.assert_array_equal(ids[split.is_member(role, ids)], split.members(role))
        np.testing.assert_array_equal(ids[~split.is_member(role, ids)], split.nonmembers(role))


def test_seeds_differ():
    assert (draw_split(400, 50, 0).target_members != draw_split(400, 50, 1).target_members).any()


@pytest.mark.parametrize("n_train, message", [(11, "n_train <= 10"), (0, "at least 1")])
def test_sizes_that_cannot_be_had_are_refused(n_train, message):
    with pytest.raises(ValueError, match=message):
        draw_split(40, n_train, 0)
