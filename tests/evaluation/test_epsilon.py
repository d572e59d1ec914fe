"""Bounds on epsilon: known values, the definition, and that no more are too high than the level allows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lmia.evaluation.epsilon import (
    Guesses,
    best_of,
    choose_shares,
    clopper_pearson_bound,
    count,
    guess,
    one_run_bound,
    one_run_p_value,
)
from lmia.evaluation.epsilon_rows import epsilon_rows


@pytest.mark.parametrize(
    ("guesses", "delta", "level", "bound"),
    [
        ((500, 100, 100), 1e-5, 0.95, 3.4792),
        ((500, 100, 100), 1e-5, 0.99, 3.0232),
        ((500, 100, 100), 0, 0.95, -np.log(0.05 ** (-1 / 100) - 1)),
        ((1000, 100, 90), 1e-5, 0.95, 1.6261),
        ((1000, 1000, 600), 1e-5, 0.95, 0.2972),
        ((1000, 200, 150), 0, 0.95, 0.8214),
        ((5000, 1000, 950), 1e-5, 0.95, 2.6965),
        ((100, 100, 50), 1e-5, 0.95, 0),
        ((100, 0, 0), 1e-5, 0.95, 0),
        ((500, 100, 100), 0.9, 0.95, 0),  # so large a delta allows anything
    ],
)
def test_one_run_gives_the_known_bounds(guesses, delta, level, bound):
    assert one_run_bound(Guesses(*guesses), delta, level) == pytest.approx(bound, abs=6e-5)


@pytest.mark.parametrize(
    ("called", "false", "level", "bound"),
    [
        ((90, 110), (5, 80), 0.95, 1.6569),
        ((500, 5000), (0, 5000), 0.95, 4.8243),
        ((500, 5000), (5, 5000), 0.95, 3.6731),
        ((500, 500), (0, 500), 0.99, 4.5419),
        ((10_000, 10_000), (0, 10_000), 0.95, 7.9048),
        ((40, 80), (40, 80), 0.95, 0),
    ],
)
def test_error_rates_give_the_known_bounds(called, false, level, bound):
    assert clopper_pearson_bound(called, false, 0, level) == pytest.approx(bound, abs=6e-5)


def test_both_kinds_of_errors_bound_epsilon():
    """Of 100 / 110 and 10 / 80 the false alarms give 1.3484, and the members that are missed give more."""
    low, high = stats.beta.ppf(0.025, 100, 11), stats.beta.ppf(0.975, 11, 70)
    assert np.log(low / high) == pytest.approx(1.3484, abs=6e-5)
    assert clopper_pearson_bound((100, 110), (10, 80)) == pytest.approx(np.log((1 - high) / (1 - low)))
    assert clopper_pearson_bound((100, 110), (10, 80), delta=0.1) < clopper_pearson_bound((100, 110), (10, 80))


@st.composite
def runs(draw):
    coins = draw(st.integers(1, 400))
    guesses = draw(st.integers(0, coins))
    return Guesses(coins, guesses, draw(st.integers(0, guesses)))


@given(runs(), st.floats(0, 6), st.sampled_from([0, 1e-6, 1e-3, 0.05]))
def test_the_p_value_is_that_of_the_theorem(run, epsilon, delta):
    binomial = stats.binom(run.n_guesses, np.exp(epsilon) / (1 + np.exp(epsilon)))
    at_least = [binomial.sf(run.n_right - i - 1) for i in range(run.n_right + 1)]
    beyond = max([0, *((at_least[i] - at_least[0]) / i for i in range(1, run.n_right + 1))])
    expected = min(1, at_least[0] + 2 * run.n_coins * delta * beyond)
    assert one_run_p_value(run, epsilon, delta) == pytest.approx(expected, abs=1e-9)


@given(runs(), st.sampled_from([0, 1e-6, 1e-3, 0.05]), st.sampled_from([0.5, 0.9, 0.99]))
def test_the_bound_is_where_the_p_value_meets_the_level(run, delta, level):
    bound = one_run_bound(run, delta, level)
    assert one_run_p_value(run, bound + 1e-6, delta) >= (1 - level) * (1 - 1e-6)
    assert bound == 0 or one_run_p_value(run, bound - 1e-6, delta) < 1 - level
    assert one_run_bound(run, delta, (1 + level) / 2) <= bound  # the surer, the lower


def test_more_right_guesses_than_guesses_are_refused():
    with pytest.raises(ValueError, match="expected right guesses <= guesses <= coins, got 3, 2 and 5"):
        one_run_p_value(Guesses(5, 2, 3), 1.0)


@pytest.mark.parametrize("epsilon", [0.0, 0.5, 2.0])
def test_no_more_bounds_are_too_high_than_the_level_allows(epsilon):
    """Of a mechanism that gives away each coin as privately as epsilon says, and as openly."""
    rng, n_runs, level = np.random.default_rng(1), 2_000, 0.9
    too_high = bounds = 0
    for _ in range(n_runs):
        is_member = rng.random(200) < 0.5
        is_told = rng.random(200) < 1 / (1 + np.exp(-epsilon))
        scores = np.where(is_member == is_told, 1.0, 0.0) + rng.normal(0, 0.1, 200)
        bound = one_run_bound(count(guess(scores, (0.2, 0.2)), is_member), 0, level)
        too_high += bound > epsilon + 1e-9
        bounds += bound
    assert too_high <= stats.binom.ppf(0.9999, n_runs, 1 - level)
    assert epsilon == 0 or bounds / n_runs > epsilon / 3  # and they are not low for nothing


def test_the_highest_scores_are_in_and_the_lowest_out():
    scores = np.array([5.0, 1, 5, 2, 3, 1, 4, 1, 0, 9])
    assert guess(scores, (0.2, 0.3)).tolist() == [1, 0, 0, 0, 0, -1, 0, -1, -1, 1]
    assert guess(scores, (0.0, 0.0)).tolist() == [0] * 10
    run = count(np.array([1, 1, 0, -1, -1]), np.array([True, False, True, False, True]))
    assert run == Guesses(5, 4, 2)


def test_shares_follow_where_scores_are_right():
    """Where the highest scores alone are members', those are guessed, as many as a model of that size has."""
    rng = np.random.default_rng(0)
    is_member = np.arange(20_000) % 2 == 0
    exposed = is_member & (rng.random(20_000) < 0.2)
    scores = np.where(exposed, 10.0, 0.0) + rng.normal(size=20_000)
    assert choose_shares(scores, is_member, 500) == (0.1, 0)
    assert choose_shares(-scores, ~is_member, 500) == (0, 0.1)
    assert choose_shares(is_member.astype(float), is_member, 500) == (0.5, 0.5)


def test_several_models_bound_together():
    run = Guesses(500, 100, 95)
    assert best_of([run]) == one_run_bound(run)
    assert best_of([run, Guesses(500, 100, 50)]) == one_run_bound(run, level=0.975)
    assert best_of([]) == 0


def test_rows_have_each_model_and_all_together():
    rng = np.random.default_rng(0)
    is_member = np.repeat(rng.random((3, 300)) < 0.5, 2, axis=0) ^ (np.arange(6) % 2 == 1)[:, None]
    scores = np.where(is_member, 1.0, 0.0) + rng.normal(0, 0.7, (6, 300))
    scored = {
        "scores": np.stack([scores, rng.normal(size=(6, 300))], axis=1),
        "shares": np.broadcast_to([0.1, 0.1], (6, 2, 2)),
        "queries": np.full((6, 2), 5.0),
        "can_rank": np.ones(6, bool),
        "settings": np.array(["", "budget=3"]),
        "is_canary": np.zeros(300, bool),
    }
    rows = list(epsilon_rows(scored, is_member, [0, 1, 2, 3, 8, 9], 1e-5, 0.95))
    assert [row["seed"] for row in rows] == 2 * [0, 1, 2, 3, 8, 9, "all", "all"]
    bounds = {(row["setting"], row["metric"], row["seed"]): row["value"] for row in rows}
    assert 0 < bounds["", "epsilon_one_run", "all"] < max(bounds["", "epsilon_one_run", seed] for seed in (0, 1, 2, 3))
    assert bounds["", "epsilon_by_rates", "all"] > bounds["budget=3", "epsilon_by_rates", "all"]
    called = guess(scores[0], (0.1, 0.1)) > 0
    alone = {name: of if name in ("settings", "is_canary") else of[:2] for name, of in scored.items()}
    rows_of_two = {
        row["metric"]: row for row in epsilon_rows(alone, is_member[:2], [0, 1], 0, 0.95) if not row["setting"]
    }
    by_rates = rows_of_two["epsilon_by_rates"]
    others = guess(scores[1], (0.1, 0.1)) > 0
    hits, false = ((called & of).sum() + (others & ~of).sum() for of in (is_member[0], ~is_member[0]))
    assert by_rates["value"] == pytest.approx(clopper_pearson_bound((hits, 300), (false, 300), 0))
    is_canary = rng.random(300) < 0.3
    of_canaries = scored | {"scores": scored["scores"][:, :, is_canary], "is_canary": np.zeros(is_canary.sum(), bool)}
    told, alone = (
        [(row["metric"], row["value"]) for row in epsilon_rows(of, bits, range(6), 0, 0.95)]
        for of, bits in ((scored | {"is_canary": is_canary}, is_member), (of_canaries, is_member[:, is_canary]))
    )
    assert told == alone
    unranked = scored | {"can_rank": np.zeros(6, bool)}
    assert all(np.isnan(row["value"]) for row in epsilon_rows(unranked, is_member, range(6), 0, 0.95))


def test_no_epsilon_is_found_where_nothing_is():
    """The null control: scores that know nothing of the coins bound nothing in 95 % of models at least."""
    rng = np.random.default_rng(2)
    is_member = rng.random((400, 500)) < 0.5
    scores, others = rng.normal(size=(2, 400, 500))
    shares = [choose_shares(other, bits, 500) for other, bits in zip(others, rng.random((400, 500)) < 0.5, strict=True)]
    bounds = [one_run_bound(count(guess(*of), bits), 1e-5) for *of, bits in zip(scores, shares, is_member, strict=True)]
    assert np.mean(np.array(bounds) > 0) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
