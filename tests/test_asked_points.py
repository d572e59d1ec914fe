"""Which points are asked about, and where searches start."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmia.asked_points import evaluated_ids, evaluated_pool_ids, population_ids, starting_ids

IDS = np.random.default_rng(0).permutation(1000)
MEMBERS, NONMEMBERS = IDS[:100], IDS[100:180]


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 100), fewer=st.integers(1, 120), more=st.integers(1, 120))
def test_as_many_of_each_kind_and_fewer_are_some_of_more(seed, fewer, more):
    few, many = (evaluated_ids(MEMBERS, NONMEMBERS, seed, n) for n in sorted((fewer, more)))
    for ids, n in zip((few, many), sorted((fewer, more)), strict=True):
        assert np.isin(ids, MEMBERS).sum() == np.isin(ids, NONMEMBERS).sum() == min(n, 80) == len(ids) / 2
        assert (np.diff(ids) > 0).all()
    assert set(few) <= set(many)


def test_without_a_limit_all_are_asked_that_have_a_counterpart():
    assert len(evaluated_ids(MEMBERS, NONMEMBERS, 0)) == 160
    assert not np.array_equal(evaluated_ids(MEMBERS, NONMEMBERS, 0, 10), evaluated_ids(MEMBERS, NONMEMBERS, 1, 10))


def test_searches_start_at_points_that_are_neither_asked_nor_trained_on(monkeypatch):
    asked = evaluated_ids(MEMBERS, NONMEMBERS, 0, 10)
    found = starting_ids(1000, asked, MEMBERS, 0)
    assert set(found) == set(range(1000)) - set(asked) - set(MEMBERS) and (np.diff(found) > 0).all()
    monkeypatch.setattr("lmia.asked_points.MAX_STARTING_POINTS", 50)
    few = [starting_ids(1000, asked, MEMBERS, seed) for seed in (0, 1)]
    assert [len(ids) for ids in few] == [50, 50] and set(few[0]) <= set(found) and set(few[0]) != set(few[1])
    assert not len(starting_ids(180, IDS[100:180] * 0 + np.arange(80), np.arange(80, 180), 0))


@settings(deadline=None, max_examples=30)
@given(pool=st.integers(0, 100), fewer=st.integers(1, 60), more=st.integers(1, 60))
def test_of_a_pool_as_many_are_asked_whoever_was_trained_on_them(pool, fewer, more):
    examples = np.sort(IDS[:100])
    few, many = (evaluated_pool_ids(examples, pool, n) for n in sorted((fewer, more)))
    assert len(few) == min(2 * min(fewer, more), 100) and set(few) <= set(many) <= set(examples)
    assert (np.diff(few) > 0).all() and np.array_equal(evaluated_pool_ids(examples, pool), examples)
    assert not np.array_equal(evaluated_pool_ids(examples, 0, 20), evaluated_pool_ids(examples, 1, 20))


def test_a_population_is_of_points_that_are_neither_members_nor_non_members():
    """Asked about or not, in the order of their ids; more include fewer."""
    few, many = (population_ids(1000, MEMBERS, NONMEMBERS, 0, n) for n in (50, 820))
    assert set(many) == set(range(1000)) - {*MEMBERS, *NONMEMBERS} and (np.diff(few) > 0).all()
    assert len(few) == 50 and set(few) < set(many)
    assert set(few) != set(population_ids(1000, MEMBERS, NONMEMBERS, 1, 50))
    assert not len(population_ids(180, MEMBERS, NONMEMBERS, 0, 0))
    with pytest.raises(ValueError, match="population: expected at most 820, the points beside .*, got 821; ask for"):
        population_ids(1000, MEMBERS, NONMEMBERS, 0, 821)


@given(st.integers(1, 60), st.integers(0, 10**6), st.one_of(st.none(), st.integers(1, 80)))
def test_others_alone_are_asked_about_where_no_member_is_known(n, seed, limit):
    none, others = np.arange(0), np.arange(100, 100 + n)
    asked = evaluated_ids(none, others, seed, limit)
    assert set(asked) <= set(others) and len(asked) == min(limit or n, n) and (np.diff(asked) > 0).all()
