import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmia.split_rows import ids_of
from lmia.splits import (
    PARTS,
    draw_block,
    draw_examples,
    draw_halves,
    draw_in_question,
    draw_pool,
    draw_split,
    draw_surrogate,
    known_split,
    role_parts,
)


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
    kinds = ("target_members", "target_nonmembers", "shadow_members", "shadow_nonmembers")
    found = [split.members("target"), split.nonmembers("target"), split.members("shadow"), split.nonmembers("shadow")]
    for kind, ids in zip(kinds, found, strict=True):
        np.testing.assert_array_equal(ids, getattr(split, kind))
    for role in ("target", "shadow"):
        ids = split.evaluated(role)
        assert (np.diff(ids) > 0).all()
        np.testing.assert_array_equal(ids[split.is_member(role, ids)], split.members(role))
        np.testing.assert_array_equal(ids[~split.is_member(role, ids)], split.nonmembers(role))


def test_seeds_differ():
    assert (draw_split(400, 50, 0).target_members != draw_split(400, 50, 1).target_members).any()


@pytest.mark.parametrize("n_train, message", [(11, "11, 11, 11, 11 need 44 examples, .* has 40"), (0, "at least 1")])
def test_sizes_that_cannot_be_had_are_refused(n_train, message):
    with pytest.raises(ValueError, match=message):
        draw_split(40, n_train, 0)


def test_there_may_be_fewer_nonmembers_than_members():
    split = draw_split(50, 16, 0, n_nonmembers=9)
    ids = np.concatenate([getattr(split, part) for part in PARTS])
    assert [len(getattr(split, part)) for part in PARTS] == [16, 9, 16, 9] and len(np.unique(ids)) == 50
    other = draw_split(50, 16, 0, shadow=1, n_nonmembers=9)
    np.testing.assert_array_equal(other.target_nonmembers, split.target_nonmembers)
    assert not np.isin(other.shadow_members, np.concatenate([split.target_members, split.target_nonmembers])).any()


def test_in_halves_each_role_is_trained_on_the_others_nonmembers():
    split = draw_halves(21, 10, seed=3)
    np.testing.assert_array_equal(split.shadow_members, split.target_nonmembers)
    np.testing.assert_array_equal(split.shadow_nonmembers, split.target_members)
    assert not np.isin(split.target_members, split.shadow_members).any() and len(split.target_members) == 10
    with pytest.raises(ValueError, match="need 22 examples, the data set has 21"):
        draw_halves(21, 11, seed=3)


@pytest.mark.parametrize(
    "shadow, members, nonmembers",
    [(0, [1, 7, 11, 15], [4, 8, 14, 21]), (1, [1, 3, 9, 20], [4, 14, 18, 21]), (2, [7, 9, 15, 20], [4, 10, 11, 17])],
)
def test_published_splits_can_be_drawn_again(shadow, members, nonmembers):
    """Each shadow has a draw of its own beside the same target; other numbers would be other results."""
    split = draw_split(24, 4, seed=0, shadow=shadow)
    found = [getattr(split, part).tolist() for part in PARTS]
    assert found == [[0, 5, 12, 19], [6, 13, 16, 23], members, nonmembers]


@pytest.mark.parametrize("scheme", ["halves", "disjoint"])
@pytest.mark.parametrize("role", ["target", "shadow1"])
def test_splits_of_several_seeds_are_those_of_each(scheme, role):
    block = draw_block(scheme, 60, 9, [3, 5], role, n_nonmembers=7)
    for row, seed in enumerate((3, 5)):
        one = draw_halves(60, 9, seed) if scheme == "halves" else draw_split(60, 9, seed, 1, 7)
        np.testing.assert_array_equal(block["members"][row], one.members(role.rstrip("1")))
        np.testing.assert_array_equal(block["nonmembers"][row], one.nonmembers(role.rstrip("1")))


@given(n_train=st.integers(1, 40), spare=st.integers(0, 50), pool=st.integers(0, 2**32))
def test_a_pool_audits_the_same_examples_under_all_its_models(n_train, spare, pool):
    """Each is a member of one model of a pair; blocks are parts of the whole, with no row longer than it must be."""
    n = 2 * n_train
    examples, coins, found = draw_examples(n + spare, n, pool), draw_pool(range(4), n, pool), []
    assert len(np.unique(examples)) == n and examples.max() < n + spare
    for models in ([0, 1, 2], [3]):
        block = draw_block("pool", n + spare, n_train, models, "target", pool=pool)
        assert all((part >= 0).any(axis=0).all() for part in block.values())
        found += zip(block["members"], block["nonmembers"], strict=True)
    for is_in, (members, nonmembers) in zip(coins, found, strict=True):
        np.testing.assert_array_equal(ids_of(members), examples[is_in])
        np.testing.assert_array_equal(ids_of(nonmembers), examples[~is_in])


@given(n_train=st.integers(1, 40), spare=st.integers(0, 50), pool=st.integers(0, 2**32), number=st.integers(0, 20))
def test_a_surrogate_knows_none_of_the_examples_that_its_pool_audits(n_train, spare, pool, number):
    size = 3 * n_train + spare
    block = draw_block("pool", size, n_train, [pool], f"surrogate{number}", pool=pool)
    (members,), (examples,) = block["members"], block["nonmembers"]
    np.testing.assert_array_equal(examples, draw_examples(size, 2 * n_train, pool))
    assert len(np.unique(members)) == n_train and not np.isin(members, examples).any()
    assert members.min() >= 0 and members.max() < size and (np.diff(members) > 0).all()


def test_surrogates_differ_and_need_points_beside_the_pool():
    first, second = (draw_surrogate(100, 10, 3, number)[0] for number in range(2))
    assert not np.array_equal(first, second)
    message = "a surrogate of 34 members needs as many points beside the 68 examples of its pool, the data set has 100"
    with pytest.raises(ValueError, match=message):
        draw_surrogate(100, 34, 3, 0)


def test_published_pools_can_be_drawn_again():
    assert draw_examples(12, 6, pool=1).tolist() == [0, 1, 5, 6, 7, 8]
    with pytest.raises(ValueError, match="a pool of models of 7 members audits 14 examples, the data set has 12"):
        draw_examples(12, 14, pool=1)


def test_published_halves_can_be_drawn_again():
    halves = draw_halves(9, 4, seed=3)
    assert halves.target_members.tolist() == [0, 2, 5, 8] and halves.target_nonmembers.tolist() == [1, 4, 6, 7]


def test_roles_have_a_kind_and_a_number():
    assert role_parts("target") == ("target", 0)
    assert [role_parts(role) for role in ("shadow0", "shadow12")] == [("shadow", 0), ("shadow", 12)]


def test_pools_are_tossed_pair_by_pair():
    pool = draw_pool(range(6), 3000, seed=2)
    assert (pool[::2] != pool[1::2]).all() and abs(pool.mean(axis=1) - 0.5).max() < 0.04
    assert len({row.tobytes() for row in pool}) == 6
    np.testing.assert_array_equal(draw_pool([5, 0, 3], 3000, seed=2), pool[[5, 0, 3]])  # whichever others there are
    assert (draw_pool(range(6), 3000, seed=3) != pool).mean() > 0.4


@given(st.lists(st.tuples(st.sampled_from([1, 0, -1]), st.integers(0, 12)), max_size=40))
def test_of_equal_known_records_one_is_kept_and_none_of_both_kinds(records):
    """Beside 60 of each kind that no other is equal to."""
    records = [*records, *((bit, 100 + 2 * number + bit) for number in range(60) for bit in (1, 0))]
    membership, same = (np.array(part) for part in zip(*records, strict=True))
    members, nonmembers, n_left_out = known_split(membership, same)
    kept = [*same[members], *same[nonmembers]]
    assert len(set(kept)) == len(kept)
    assert (membership[members] == 1).all() and (membership[nonmembers] == 0).all()
    assert (np.diff(members) > 0).all() and (np.diff(nonmembers) > 0).all()
    of_kinds = [set(same[membership == kind].tolist()) for kind in (1, 0)]
    assert set(kept) == of_kinds[0] ^ of_kinds[1]
    assert len(members) + len(nonmembers) + n_left_out == (membership >= 0).sum()
    for ids, kind in ((members, 1), (nonmembers, 0)):
        assert all(row == np.flatnonzero((same == same[row]) & (membership == kind))[0] for row in ids)


def test_where_no_members_are_needed_none_are_taken_and_others_are():
    membership, same = np.r_[np.ones(10, int), np.zeros(60, int)], np.r_[np.arange(69), 3]
    members, nonmembers, n_left_out = known_split(membership, same, kinds=["non-members"])
    assert not len(members) and nonmembers.tolist() == list(range(10, 69)) and n_left_out == 2
    with pytest.raises(ValueError, match="^membership: 40 known non-members: too few"):
        known_split(membership[:50], same[:50], kinds=["non-members"])


@pytest.mark.parametrize(("n_members", "n_twins"), [(49, 0), (60, 11), (60, 60)])
def test_too_few_known_records_are_refused(n_members, n_twins):
    """Members are 0, 1, ...; so many of the others have the inputs of one."""
    same = np.r_[np.arange(n_members), 1000 + np.arange(80), np.arange(n_twins)]
    membership = np.r_[np.ones(n_members, int), np.zeros(80 + n_twins, int)]
    left = f", once {2 * n_twins} are left out whose inputs are those of another" if n_twins else ""
    message = (
        f"^membership: {n_members - n_twins} known members{left}: too few for one half to judge the other; at least"
    )
    with pytest.raises(ValueError, match=message):
        known_split(membership, same)


@given(
    st.lists(st.tuples(st.sampled_from([1, 0, -1]), st.integers(0, 12)), max_size=40),
    st.integers(0, 10**6),
    st.integers(1, 12),
)
def test_records_in_question_are_unknown_and_no_twins_of_known_ones(records, seed, limit):
    """Beside one that no other is equal to."""
    membership, same = (np.array(part) for part in zip(*[*records, (-1, 100)], strict=True))
    ids, n_left_out = draw_in_question(membership, same, seed, limit)
    more, _ = draw_in_question(membership, same, seed, limit + 1)
    assert (np.diff(ids) > 0).all() and set(ids) <= set(more) and len(ids) <= limit
    everything, _ = draw_in_question(membership, same, seed, len(membership))
    known = set(same[membership >= 0].tolist())
    assert [row in everything for row in range(len(same))] == [
        of < 0 and twin not in known for of, twin in zip(membership.tolist(), same.tolist(), strict=True)
    ]
    assert len(everything) + n_left_out == (membership < 0).sum() and len(ids) == min(limit, len(everything))


def test_another_seed_puts_other_records_in_question():
    membership, same = np.full(500, -1), np.arange(500)
    drawn = [draw_in_question(membership, same, seed, 50)[0] for seed in (0, 1)]
    assert len(set(drawn[0]) & set(drawn[1])) < 25


def test_twins_of_known_records_alone_leave_nothing_in_question():
    message = "^membership: expected records in question, as -1 or nothing marks them, got none, once 2 are left out"
    with pytest.raises(ValueError, match=message):
        draw_in_question(np.array([1, -1, -1]), np.zeros(3, int), 0, 5)
