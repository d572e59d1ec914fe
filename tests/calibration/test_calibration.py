"""Pools: no rule sees what tells a target's members but its answers, and calibration does what a hand would."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import LogisticRegression

from lmia.attacks.observations import Answers, Confidences, Distances
from lmia.calibration import attack_p, attack_r, difference, lira, logistic, ranks, rmia
from lmia.calibration.pools import leave_one_out, shadows_of
from lmia.calibration.signals import signals
from lmia.evaluation.metrics import auc
from lmia.log_odds import HIGHEST
from tests.pool_coins import coins

RULES = {
    "online": lira.Calibration(),
    "offline": lira.Calibration(online=False),
    **{variance: lira.Calibration(variance=variance) for variance in lira.VARIANCES},
    "difference": difference.Calibration(),
    "between": difference.Calibration(between=True),
    "logistic": logistic.Calibration(),
    "rmia": rmia.Calibration(),
    "rmia, offline": rmia.Calibration(online=False),
    "attack P": attack_p.Calibration(),
    "attack R": attack_r.Calibration(),
}
OF_CONFIDENCES = [name for name, rule in RULES.items() if rule.reads == ("confidences",)]


def distances(values):
    """Distances (n,) or (n, c) as observed, with one moment."""
    values = np.asarray(values, float)
    values = values.reshape(len(values), -1)[:, :, None]
    return Distances(values, np.ones(values.shape, int), np.zeros(len(values), int))


def confidences(phi, population=None):
    """Confidences of which phi, floats (n,), is all that matters, in examples and in a population."""
    phi = np.asarray(phi, float)
    return Confidences(np.full((len(phi), 2), 0.5), np.zeros(len(phi), int), phi, population)


def answers(kept, magnitudes=(0.0, 1, 1, 2)):
    """Answers of which `kept`, bools (n, q), says which are right."""
    return Answers((~np.asarray(kept, bool)).astype(int), np.zeros(len(kept), int), np.array(magnitudes))


def drawn(kind, n, rng):
    if kind == "distances":
        values = rng.lognormal(size=(n, 2)) * (rng.random((n, 2)) < 0.8)
        return distances(np.where(rng.random((n, 2)) < 0.1, np.inf, values))
    if kind == "labels":
        return answers(rng.random((n, 4)) < 0.6)
    raw = rng.random((n, 3))
    shown = raw / raw.sum(axis=1, keepdims=True)
    return Confidences(shown, rng.integers(3, size=n), population=rng.standard_normal(9))


def test_a_target_is_judged_by_all_but_its_pair():
    assert shadows_of(2, 6) == [0, 1, 4, 5] and shadows_of(5, 6) == [0, 1, 2, 3]
    assert shadows_of(0, 6, 4) == [2, 3, 4, 5] == shadows_of(0, 8, 4) and shadows_of(7, 8, 2) == [0, 1]


@pytest.mark.parametrize(
    "target, n_models, n_shadows, message",
    [(0, 5, None, "pairs of models, got 5"), (0, 6, 3, "even number up to 4, got 3"), (0, 6, 6, "up to 4, got 6")],
)
def test_shadows_are_whole_pairs(target, n_models, n_shadows, message):
    with pytest.raises(ValueError, match=message):
        shadows_of(target, n_models, n_shadows)


@pytest.mark.parametrize("kind", ["labels", "distances", "confidences"])
@pytest.mark.parametrize("name", RULES)
@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6), target=st.integers(0, 7))
def test_scores_do_not_depend_on_the_bits_of_the_pair_nor_on_the_partners_answers(name, kind, seed, target):
    if kind not in RULES[name].reads:
        return
    rng = np.random.default_rng(seed)
    observed, is_member = [drawn(kind, 12, rng) for _ in range(8)], coins(8, 12, rng)
    before = leave_one_out(RULES[name].score, observed, is_member)
    partner, noise = target ^ 1, is_member.copy()
    noise[[target, partner]] = rng.random((2, 12)) < 0.5
    observed[partner] = drawn(kind, 12, rng)
    after = leave_one_out(RULES[name].score, observed, noise)
    assert before.shape == (8, 12) and np.isfinite(before).all()
    assert before[target].tobytes() == after[target].tobytes()
    assert (before != after).any()  # others do depend on them


def test_without_the_partner_bits_of_others_tell_nothing():
    """A rule that looks at the others' bits alone: of balanced pools with the partner it would be wrong every time."""
    rng = np.random.default_rng(0)
    is_member = coins(16, 400, rng)
    observed = [None] * 16
    scores = leave_one_out(lambda target, shadows, bits: bits.mean(axis=0), observed, is_member)
    assert (scores == 0.5).all()
    others = [np.delete(np.arange(16), k) for k in range(16)]
    leaking = np.stack([is_member[rest].mean(axis=0) for rest in others])
    assert auc(leaking.ravel(), is_member.ravel()) == 0


@pytest.mark.parametrize("name", ["online", "offline", "difference", "logistic"])
def test_signals_that_know_nothing_of_members_give_half(name):
    rng = np.random.default_rng(3)
    is_member = coins(16, 300, rng)
    difficulty = rng.random((300, 1))
    observed = [answers(rng.random((300, 4)) < difficulty) for _ in range(16)]
    found = auc(leave_one_out(RULES[name].score, observed, is_member).ravel(), is_member.ravel())
    assert abs(found - 0.5) < 3 * np.sqrt(1 / 12 / 2400)  # standard error of an AUC of 2,400 members and non-members


@pytest.mark.parametrize("name", ["online", *OF_CONFIDENCES])
def test_confidences_that_know_nothing_of_members_give_half(name):
    rng = np.random.default_rng(6)
    is_member, difficulty, others = coins(16, 300, rng), 3 * rng.standard_normal(300), 3 * rng.standard_normal(50)
    observed = [confidences(difficulty + rng.standard_normal(300), others + rng.standard_normal(50)) for _ in range(16)]
    found = auc(leave_one_out(RULES[name].score, observed, is_member).ravel(), is_member.ravel())
    assert abs(found - 0.5) < 3 * np.sqrt(1 / 12 / 2400)


def test_calibration_takes_the_difficulty_of_examples_away():
    """S ~ N(b_i + 1, 1) of members, N(b_i, 1) of others, b_i ~ N(0, 9): what raw and calibrated scores can reach."""
    rng, n_models, n = np.random.default_rng(1), 400, 200
    is_member = coins(n_models, n, rng)
    raw = 3 * rng.standard_normal(n) + is_member + rng.standard_normal((n_models, n))
    observed = [distances(np.exp(row)) for row in raw]
    reach = 3 * 0.5 / np.sqrt(n_models * n / 2) + 0.01  # and what the difficulties of 200 examples leave open
    assert auc(raw.ravel(), is_member.ravel()) == pytest.approx(stats.norm.cdf(1 / np.sqrt(2 * (1 + 9))), abs=0.03)
    told = [confidences(row) for row in raw]
    for rule, seen in (
        (lira.Calibration(variance="fixed"), observed),
        (lira.Calibration(), observed),
        (difference.Calibration(), observed),
        (lira.Calibration(), told),
        (attack_r.Calibration(), told),
    ):
        scores = leave_one_out(rule.score, seen, is_member)
        assert auc(scores.ravel(), is_member.ravel()) == pytest.approx(stats.norm.cdf(1 / np.sqrt(2)), abs=reach)


@pytest.mark.parametrize("observe", [lambda signal: distances(np.exp(signal)), confidences])
def test_a_likelihood_ratio_by_hand(observe):
    """Signals 0 and 2 of shadows with the example, -1 and 1 without: means 1 and 0, variances of both 2."""
    shadows = [observe([value]) for value in (0, 2, -1, 1)]
    is_member = np.array([[True], [True], [False], [False]])
    target = observe([2.0])
    expected = ((2 - 0) ** 2 - (2 - 1) ** 2) / (2 * 2)
    for variance in ("each", "fixed", "shrunk"):
        assert lira.Calibration(variance=variance).score(target, shadows, is_member)[0] == pytest.approx(expected)
    assert lira.Calibration(online=False).score(target, shadows, is_member)[0] == pytest.approx(2 / np.sqrt(2))
    assert difference.Calibration().score(target, shadows, is_member)[0] == pytest.approx(2)
    assert difference.Calibration(between=True).score(target, shadows, is_member)[0] == pytest.approx(1.5)


def test_variances_by_hand():
    """Two examples of three shadows each: sums of squares 2 and 8, so 10 / 4 over all."""
    signal = np.array([[0.0, 0], [1, 2], [2, 4]])[:, :, None]
    everyone = np.ones((3, 2), bool)
    found = {name: lira.Normal(signal, everyone, name).variance[:, 0] for name in lira.VARIANCES}
    assert found["each"] == pytest.approx([1, 4]) and found["fixed"] == pytest.approx([2.5, 2.5])
    assert found["shrunk"] == pytest.approx([(8 * 2.5 + 2) / 10, (8 * 2.5 + 8) / 10])
    normal = lira.Normal(signal, everyone, "student")
    spread = np.sqrt(np.array([(8 * 2.5 + 2) / 11, (8 * 2.5 + 8) / 11]) * 4 / 3)
    expected = stats.t.logpdf([3.0, 3.0], df=11, loc=[1, 2], scale=spread)
    assert normal.log_density(np.array([[3.0], [3.0]]))[:, 0] == pytest.approx(expected)
    density = lira.Normal(signal, everyone, "each").log_density(np.array([[3.0], [3.0]]))[:, 0]
    assert density == pytest.approx(stats.norm.logpdf([3, 3], [1, 2], [1, 2]))


@pytest.mark.parametrize("name", ["online", "offline", "each", "student", "difference"])
def test_what_all_models_share_changes_no_score(name):
    """Distances of an example scaled alike under every model: in logarithms, a shift."""
    rng = np.random.default_rng(5)
    is_member, raw = coins(8, 30, rng), rng.lognormal(size=(8, 30))
    plain = leave_one_out(RULES[name].score, [distances(row) for row in raw], is_member)
    scale = rng.lognormal(size=30) * 3
    moved = leave_one_out(RULES[name].score, [distances(row * scale) for row in raw], is_member)
    far = raw.min() > 0.01  # else a floor is in the way
    assert far and moved == pytest.approx(plain, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", RULES)
def test_answers_that_are_all_alike_give_equal_scores(name):
    is_member = coins(8, 5, np.random.default_rng(0))
    alike = {"labels": answers(np.ones((5, 4))), "confidences": confidences(np.full(5, 7.0), np.full(3, 7.0))}
    for kind in alike.keys() & RULES[name].reads:
        scores = leave_one_out(RULES[name].score, [alike[kind]] * 8, is_member)
        assert np.ptp(scores) == 0 and np.isfinite(scores).all()


def test_one_informative_answer_is_learned():
    rng = np.random.default_rng(2)
    is_member = coins(6, 50, rng)
    observed = [answers(np.stack([np.ones(50), bits], axis=1), (0.0, 1)) for bits in is_member]
    scores = leave_one_out(logistic.Calibration(inverse_penalty=1.0).score, observed, is_member)
    assert auc(scores.ravel(), is_member.ravel()) == 1


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), penalty=st.sampled_from([0.1, 1.0, 10.0]))
def test_regressions_are_those_of_scikit_learn(seed, penalty):
    rng = np.random.default_rng(seed)
    rows = (rng.random((4, 14, 6)) < 0.6).astype(float)
    is_member = np.stack([rng.permutation(np.arange(14) < 7) for _ in range(4)])
    found = logistic.fit(rows, is_member, penalty)
    for example in range(4):
        fitted = LogisticRegression(C=penalty, tol=1e-12, max_iter=10_000).fit(rows[example], is_member[example])
        expected = np.append(fitted.intercept_, fitted.coef_[0])
        np.testing.assert_allclose(found[example], expected, atol=1e-4)


def test_exchanging_members_and_non_members_turns_scores_around():
    rng = np.random.default_rng(4)
    is_member = coins(8, 40, rng)
    observed = [drawn("labels", 40, rng) for _ in range(8)]
    for rule in (lira.Calibration(), logistic.Calibration()):
        one, other = (leave_one_out(rule.score, observed, bits) for bits in (is_member, ~is_member))
        np.testing.assert_allclose(one, -other, atol=1e-8)


def test_signals_of_distances_have_limits_from_the_shadows():
    shadows = [distances([1.0, 2, 0]), distances([4.0, 8, np.inf])]
    target, of_shadows = signals(distances([0.0, np.inf, 100.0]), shadows)
    floor = np.quantile([1, 2, 4, 8], 0.01) / 2
    np.testing.assert_allclose(np.exp(target[:, 0]), [floor, 8, 100])  # a distance that was found is kept as it is
    np.testing.assert_allclose(np.exp(of_shadows[:, :, 0]), [[1, 2, floor], [4, 8, 8]])


@pytest.mark.parametrize("name", ["online", "difference"])
def test_a_wrong_label_tells_where_no_shadow_has_a_boundary(name):
    """As where a search has fewer queries than one walk needs: members are right, others as often as they are easy."""
    rng = np.random.default_rng(2)
    is_member, ease = coins(12, 200, rng), rng.random(200)
    is_right = is_member | (rng.random(is_member.shape) < ease)
    observed = [distances(np.where(right, np.inf, 0)) for right in is_right]
    scores = leave_one_out(RULES[name].score, observed, is_member)
    assert auc(scores.ravel(), is_member.ravel()) > auc(is_right.ravel(), is_member.ravel()) + 0.02


def test_one_infinite_phi_changes_no_other_example():
    rng = np.random.default_rng(3)
    is_member, phi = coins(8, 60, rng), rng.normal(0, 2, (8, 60))
    phi += 2 * is_member
    clean = leave_one_out(lira.Calibration().score, [confidences(row) for row in phi], is_member)
    phi[5, 0] = HIGHEST
    spoilt = leave_one_out(lira.Calibration().score, [confidences(row) for row in phi], is_member)
    others = np.s_[:, 1:]
    assert (
        auc(spoilt[others].ravel(), is_member[others].ravel())
        > auc(clean[others].ravel(), is_member[others].ravel()) - 0.01
    )


def test_signals_of_labels_count_each_magnitude_with_the_input_itself():
    target, _ = signals(answers([[1, 1, 0, 1], [0, 0, 0, 1]]), [answers(np.zeros((2, 4)))])
    np.testing.assert_allclose(target, np.log([[2.5 / 1.5, 2.5 / 0.5], [0.5 / 3.5, 1.5 / 1.5]]))
    alone, _ = signals(answers([[1], [0]], (0.0,)), [answers([[1], [0]], (0.0,))])
    np.testing.assert_allclose(alone[:, 0], np.log([3, 1 / 3]))


def test_signals_of_confidences_are_log_odds_also_next_to_one():
    sure = Confidences(np.array([[1.0, 1e-12, 0], [0.5, 0.3, 0.2]], np.float32), np.array([0, 0]))
    target, _ = signals(sure, [sure])
    np.testing.assert_allclose(target[:, 0], [-np.log(1e-12), 0], atol=1e-6)
    certain = Confidences(np.array([[1.0, 0, 0], [0, 1.0, 0]], np.float32), np.array([0, 0]))
    assert np.isfinite(signals(certain, [certain])[0]).all()


def log_odds(p):
    return np.log(p) - np.log1p(-np.asarray(p))


def test_a_share_of_a_population_by_hand():
    """Of -1, 0 and 2, two lie below 1 and one below 0; fractions of 1 and 0 are 3/4 and 1/2, and of -3 it is 1/8."""
    population = np.array([2.0, -1, 0])
    found = attack_p.Calibration().score(confidences([1, 0, -3], population), [], np.empty((0, 3), bool))
    np.testing.assert_allclose(found, [2.75 / 4, 1.5 / 4, 0.125 / 4])
    np.testing.assert_allclose(ranks.share_below(np.array([1.0]), population, gap=1.5), [1.75 / 4])


# The target gives an example .8 and the population's one point .5; shadows with the example give it .9, others .3 and
# .5, and all give the point .5. So P(x) = .65 online; offline (1.3 * .4 + .7) / 2 = .61, and .675 of the point.
@pytest.mark.parametrize(
    "options, n_below, ratio",
    [
        ({}, 1, 1.230769),
        ({"gamma": 1.2}, 1, 1.230769),  # 1.2308 / 1
        ({"gamma": 1.3}, 0, 1.230769),
        ({"online": False}, 1, 1.311475),
        ({"online": False, "gamma": 1.7}, 1, 1.311475),  # 1.3115 / .7407 = 1.77
        ({"online": False, "gamma": 1.8}, 0, 1.311475),
        ({"online": False, "a": 1}, 1, 2.0),
        ({"online": False, "a": 0}, 1, 0.8 / 0.7),
    ],
)
def test_rmia_by_hand(options, n_below, ratio):
    models = [confidences([log_odds(p)], np.zeros(1)) for p in (0.8, 0.9, 0.9, 0.3, 0.5)]
    is_member = np.array([[True], [True], [False], [False]])
    found = rmia.Calibration(**options).score(models[0], models[1:], is_member)
    tie = (1 + np.log(ratio) / (1 + np.log(ratio))) / 2
    assert found == pytest.approx([(n_below + tie) / 2], abs=1e-6)


def test_rmia_compares_with_what_all_shadows_give_the_population():
    """Of two points, shadows together give .5 each: the target gives .4 (ratio .8) and .6 (1.2), and an example .5."""
    shadows = [confidences([0], log_odds(p)) for p in ([0.2, 0.9], [0.8, 0.1])]
    target = confidences([0], log_odds([0.4, 0.6]))
    found = rmia.Calibration().score(target, shadows, np.array([[True], [False]]))
    assert found == pytest.approx([(1 + 0.5) / 3])


def test_attack_r_by_hand():
    """Shadows without three examples give 1 and 3, 1 and 2, 1 and 3: sums of squares 2, 1/2 and 2, so 4.5 / 3 over all.

    Below 2 is one of them, and it is midway; below 4 are both, 2.5 under it in the mean; below 3 is one, its equal not.
    """
    shadows = [confidences(phi) for phi in ([1, 1, 1], [3, 2, 3], [5, 0, 0], [-9, 5, 9])]
    is_member = np.repeat([[False], [False], [True], [True]], 3, axis=1)
    found = attack_r.Calibration().score(confidences([2, 4, 3]), shadows, is_member)
    z = np.array([0, 2.5, 1]) / np.sqrt((8 * 1.5 + np.array([2, 0.5, 2])) / 9)
    np.testing.assert_allclose(found, ([1, 2, 1] + (1 + z / (1 + z)) / 2) / 3)


@pytest.mark.parametrize("name", OF_CONFIDENCES)
@settings(deadline=None, max_examples=20)
@given(phi=st.lists(st.integers(-1000, 2000), min_size=2, max_size=30, unique=True), seed=st.integers(0, 1000))
def test_no_two_confidences_are_tied_by_few_models_or_points(name, phi, seed):
    """Examples that are alike but for the target's phi, most of them above all of a population and all shadows."""
    rng, phi = np.random.default_rng(seed), np.sort(phi) / 100  # -10 to 20
    population = rng.standard_normal((5, 40))
    shadows = [confidences(np.full(len(phi), row[0]), row) for row in population[1:]]
    is_member = np.repeat([[True], [False], [True], [False]], len(phi), axis=1)
    scores = RULES[name].score(confidences(phi, population[0]), shadows, is_member)
    assert (np.diff(scores) > 0).all() and 0 <= scores[0] and scores[-1] <= 1


@pytest.mark.parametrize("rule", [rmia.Calibration(), rmia.Calibration(online=False), attack_p.Calibration()])
@pytest.mark.parametrize("population", [None, np.empty(0)])
def test_a_population_must_have_been_asked_about(rule, population):
    seen = confidences([1.0], population)
    with pytest.raises(ValueError, match="expected confidences in a population .*; set population: of the query set"):
        rule.score(seen, [seen, seen], np.array([[True], [False]]))


def test_all_models_must_have_been_asked_about_one_population():
    few, many = (confidences([1.0], np.zeros(n)) for n in (3, 4))
    with pytest.raises(ValueError, match="population: expected the same points for all models, got 3 and 4"):
        rmia.Calibration().score(few, [few, many], np.array([[True], [False]]))


@pytest.mark.parametrize(
    "make, message",
    [
        (partial(lira.Calibration, variance="own"), "variance: expected one of each, fixed, shrunk, student, got own"),
        (partial(logistic.Calibration, inverse_penalty=0), r"inverse_penalty: expected a number in \(0, 100\], got 0"),
        (partial(logistic.Calibration, inverse_penalty=101), r"inverse_penalty: expected a number in .*, got 101"),
        (partial(rmia.Calibration, a=1.1), r"a: expected a number in \[0, 1\], got 1.1"),
        (partial(rmia.Calibration, a=-0.1), r"a: expected a number in \[0, 1\], got -0.1"),
        (partial(rmia.Calibration, gamma=0), "gamma: expected a number above 0, got 0"),
        (partial(rmia.Calibration, gamma=float("inf")), "gamma: expected a number above 0, got inf"),
    ],
)
def test_options_are_checked(make, message):
    with pytest.raises(ValueError, match=message):
        make()
