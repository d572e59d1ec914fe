"""Records that stand out from known ones that were not in training: by valid p-values, and few by chance."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lmia.audit.standing_out import FALSE_SHARE, compare, discoveries, known_needed, p_values, together

SCORES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, np.inf]), min_size=1, max_size=20)


@given(SCORES, SCORES)
def test_a_p_value_counts_known_records_that_score_at_least_as_high(known, asked):
    expected = [(1 + sum(other >= score for other in known)) / (1 + len(known)) for score in asked]
    np.testing.assert_allclose(p_values(np.array(known), np.array(asked)), expected)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=30), st.floats(0.01, 0.5))
def test_discoveries_are_those_of_the_step_up_procedure(ranks, rate):
    p_value = np.array(ranks) / 50
    found = discoveries(p_value, rate)
    allowed = [n for n in range(1, len(ranks) + 1) if np.sort(p_value)[n - 1] <= rate * n / len(ranks)]
    assert found.sum() >= max(allowed, default=0) and (found.sum() in allowed or not found.any())
    assert not found.any() or p_value[found].max() < p_value[~found].min(initial=2)


@given(st.integers(1, 300), st.integers(1, 60), st.integers(1, 6))
def test_records_stand_out_by_as_many_as_is_said_and_no_fewer(n_known, m, n_attacks):
    least = together(n_known, m, n_attacks)
    for n in range(1, m + 1):
        p_value = np.r_[np.full(n, 1 / (n_known + 1)), np.ones(m - n)]
        assert discoveries(p_value, FALSE_SHARE / n_attacks).any() == (n >= least)
    assert (least > m) == (n_known < known_needed(n_attacks)) or n_known == known_needed(n_attacks)  # by rounding


def drawn(seed, n_members):
    """Two attacks on 800 known others, and on records in question of which the first so many were in training."""
    draw = np.random.default_rng(seed)
    known = {name: draw.standard_normal(800) for name in ("one", "two")}
    asked = {name: draw.standard_normal(300) for name in known}
    asked["two"][:n_members] += 4
    return known, asked


def test_few_of_those_that_stand_out_were_not_in_training():
    shares, found = [], []
    for seed in range(200):
        stands_out = compare(*drawn(seed, 60)).stands_out
        shares.append(stands_out[60:].sum() / max(stands_out.sum(), 1))
        found.append(stands_out[:60].mean())
    assert np.mean(shares) < FALSE_SHARE and np.mean(found) > 0.8


def test_where_none_was_in_training_one_stands_out_in_one_audit_of_twenty_at_most():
    assert np.mean([compare(*drawn(seed, 0)).stands_out.any() for seed in range(400)]) <= 0.07


def test_p_values_hold_for_all_attacks_together():
    p_value = np.concatenate([compare(*drawn(seed, 0)).p_value for seed in range(100)])
    for level in (0.01, 0.05, 0.2):
        assert (p_value <= level).mean() <= 1.1 * level


def test_each_record_is_told_by_the_attack_that_it_stands_out_by_most():
    known, asked = drawn(1, 60)
    standing = compare(known, asked)
    each = [p_values(known[name], asked[name]) for name in known]
    for row, name in enumerate(standing.attack):
        assert standing.score[row] == asked[name][row] and name == ("one", "two")[int(each[1][row] < each[0][row])]
    np.testing.assert_allclose(standing.p_value, np.minimum(1, 2 * np.min(each, axis=0)))
