"""Probabilities of single records are as often right as they say, and know nothing of their own record."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from lmia.attacks import vote
from lmia.attacks.known_records import halves, in_both_measures, run_on_halves
from lmia.attacks.observations import Answers
from lmia.audit.exposure import BINS, at_prior, expose


def records(seed, n=1000, shift=1.0):
    draw = np.random.default_rng(seed)
    is_member = draw.permutation(2 * n) < n
    strong = draw.standard_normal(2 * n) + shift * is_member
    weak = np.round(draw.standard_normal(2 * n) + 0.2 * shift * is_member)
    return twice(weak=weak, strong=strong), is_member, halves(is_member, seed)


def twice(**scores):
    """Of attacks whose measure is the same for both halves."""
    return {name: np.stack([values, values]) for name, values in scores.items()}


def test_records_are_judged_by_the_attack_that_is_better_on_the_other_half():
    scores, is_member, half = records(0)
    told = expose(scores, is_member, half)
    assert set(told.attack) == {"strong"} and (told.score == scores["strong"][0]).all()
    assert (told.low <= told.probability).all() and (told.probability <= told.high).all()
    for own in (0, 1):
        rows = half == own
        assert len(np.unique(told.probability[rows])) <= BINS
        order = np.argsort(scores["strong"][0, rows])
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


def test_the_lower_end_of_the_bin_that_looks_best_holds_where_its_share_does_not():
    """Members score one third higher; the best of 20 bins of 20 records is told."""
    stated, least, true = [], [], []
    for seed in range(300):
        scores, is_member, half = records(seed, n=200, shift=1 / 3)
        told = expose({"strong": scores["strong"]}, is_member, half)
        rows = told.low == told.low.max()
        stated.append(told.probability[rows][0])
        least.append(told.low.max())
        true.append((1 / (1 + np.exp(1 / 18 - told.score[rows] / 3))).mean())
    assert np.mean(stated) > np.mean(true) + 0.05
    assert np.mean(np.array(least) <= true) > 0.95


def votes(seed, n=500, magnitudes=(-1.5, -0.9, -0.4, 0.0), copies=60):
    """Labels of noisy copies, which members keep more often, and more records keep all at a small magnitude."""
    draw, is_member = np.random.default_rng(seed), np.arange(2 * n) % 2 == 0
    hold = draw.standard_normal(2 * n) + 0.8 * is_member
    kept = [draw.random((2 * n, copies)) < norm.cdf(hold - magnitude)[:, None] for magnitude in magnitudes]
    kept = np.concatenate([np.ones((2 * n, 1), bool), *kept], axis=1)
    units = np.repeat(np.arange(len(magnitudes)) + 1.0, copies)
    return Answers(np.where(kept, 0, 1), np.zeros(2 * n, int), np.append(0.0, units)), is_member


def test_it_is_the_same_where_the_halves_pick_different_magnitudes():
    """How many copies keep their label says another thing at another magnitude."""
    said, true, n_audits = 0.0, [], 0
    for seed in range(60):
        observed, is_member = votes(seed)
        half = halves(is_member, seed)
        ways = run_on_halves(vote.Attack, observed, is_member, half, "sigma")
        if not np.isnan(ways[0].chosen):
            continue
        fields = {"scores": "scores", "chosen": "chosen"}
        scored = {name: np.array([[getattr(way, of) for way in ways]]) for name, of in fields.items()}
        scored["settings"] = np.array([way.setting for way in ways])
        told = expose({"votes": in_both_measures(scored, half)}, is_member, half)
        said, n_audits = said + told.probability[told.is_exposed].sum(), n_audits + 1
        true += is_member[told.is_exposed].tolist()
    assert n_audits > 20
    assert abs(said / len(true) - np.mean(true)) < 0.05


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
    told = expose(twice(gap=np.zeros(100)), is_member, halves(is_member, 0))
    assert set(told.probability) == {0.5} and not told.is_exposed.any()


def test_infinite_scores_are_bins_of_their_own():
    scores, is_member, half = records(3)
    censored = np.where(scores["strong"][0] > 1.5, np.inf, scores["strong"][0])
    told = expose(twice(boundary=censored), is_member, half)
    assert (told.probability[np.isinf(censored)] > 0.7).all()


def test_a_prior_of_one_half_changes_nothing_and_another_multiplies_the_odds():
    even = np.array([0.0, 0.2, 0.5, 0.9, 1.0])
    np.testing.assert_allclose(at_prior(even, 0.5), even)
    np.testing.assert_allclose(at_prior(even, 0.1), [0, 0.25 / 9 / (1 + 0.25 / 9), 0.1, 0.5, 1])
