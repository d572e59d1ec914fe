"""Probabilities of single records are as often right as they say, and know nothing of their own record."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lmia.attacks.known_records import halves
from lmia.audit.exposure import BINS, at_prior, expose


def records(seed, n=1000, shift=1.0):
    draw = np.random.default_rng(seed)
    is_member = draw.permutation(2 * n) < n
    strong = draw.standard_normal(2 * n) + shift * is_member
    weak = np.round(draw.standard_normal(2 * n) + 0.2 * shift * is_member)
    return {"weak": weak, "strong": strong}, is_member, halves(is_member, seed)


def test_records_are_judged_by_the_attack_that_is_better_on_the_other_half():
    scores, is_member, half = records(0)
    told = expose(scores, is_member, half)
    assert set(told.attack) == {"strong"} and (told.score == scores["strong"]).all()
    assert (told.low <= told.probability).all() and (told.probability <= told.high).all()
    for own in (0, 1):
        rows = half == own
        assert len(np.unique(told.probability[rows])) <= BINS
        order = np.argsort(scores["strong"][rows])
        assert told.probability[rows][order][-1] > 0.8 and told.probability[rows][order][0] < 0.2
    assert (told.is_exposed == (told.low > 0.5)).all() and 0.2 < told.is_exposed.mean() < 0.5


def test_of_those_who_are_called_with_a_probability_so_many_are_members():
    """The truth of a normal score: exp(s - 1/2) to 1 that it is of a member."""
    inside = []
    for seed in range(10):
        scores, is_member, half = records(seed)
        told = expose({"strong": scores["strong"]}, is_member, half)
        for low, high, probability in {*zip(told.low, told.high, told.probability, strict=True)}:
            rows = told.probability == probability
            truth = (1 / (1 + np.exp(0.5 - told.score[rows]))).mean()
            inside.append(low <= truth <= high)
    assert np.mean(inside) > 0.97


def test_nobody_is_exposed_where_nothing_leaks():
    exposed = [expose(*records(seed, shift=0.0)).is_exposed.any() for seed in range(40)]
    assert sum(exposed) <= 6  # of 40 audits of two halves each, whose bins hold together in 95 of 100


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from([0, 1]))
def test_the_membership_of_a_half_changes_nothing_of_what_is_said_of_it(seed, own):
    scores, is_member, half = records(seed, n=60)
    other = is_member.copy()
    other[half == own] = ~other[half == own]
    one, two = expose(scores, is_member, half), expose(scores, other, half)
    for name in ("attack", "probability", "low", "high"):
        assert (getattr(one, name)[half == own] == getattr(two, name)[half == own]).all()


def test_records_that_all_score_alike_are_one_bin():
    is_member = np.arange(100) < 50
    told = expose({"gap": np.zeros(100)}, is_member, halves(is_member, 0))
    assert set(told.probability) == {0.5} and not told.is_exposed.any()


def test_infinite_scores_are_bins_of_their_own():
    scores, is_member, half = records(3)
    censored = np.where(scores["strong"] > 1.5, np.inf, scores["strong"])
    told = expose({"boundary": censored}, is_member, half)
    assert (told.probability[np.isinf(censored)] > 0.7).all()


def test_a_prior_of_one_half_changes_nothing_and_another_multiplies_the_odds():
    even = np.array([0.0, 0.2, 0.5, 0.9, 1.0])
    np.testing.assert_allclose(at_prior(even, 0.5), even)
    np.testing.assert_allclose(at_prior(even, 0.1), [0, 0.25 / 9 / (1 + 0.25 / 9), 0.1, 0.5, 1])
