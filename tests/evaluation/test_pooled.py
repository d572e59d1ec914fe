"""Metrics of pools: by hand where they are few, and by simulation where intervals are to hold what they say."""

import numpy as np
import pytest
from scipy import stats

from lmia.evaluation import pooled
from lmia.evaluation.flags import rate_flags
from lmia.evaluation.metrics import at_threshold, auc, tpr_at_fpr
from tests.pool_coins import coins

NO_CANARY = np.zeros(60, bool)


def test_all_pairs_are_judged_by_one_threshold():
    rng = np.random.default_rng(0)
    is_member, scores = coins(12, 50, rng), rng.standard_normal((12, 50))
    scores += is_member
    found = pooled.measure(scores, is_member, [0.1, 0.01], 200)
    assert found["auc"].value == auc(scores.ravel(), is_member.ravel())
    assert found["tpr_at_0.1_fpr"].value == tpr_at_fpr(scores.ravel(), is_member.ravel(), 0.1)
    for measured in found.values():
        value, low, high = measured.interval()
        assert low < value < high and measured.draws.shape == (3, 200)


def test_draws_are_those_of_repeated_data():
    """Of each draw: models, examples or cells repeated as often as drawn give the same metrics."""
    rng = np.random.default_rng(1)
    is_member = coins(12, 30, rng)
    scores = np.round(rng.standard_normal((12, 30)) + is_member, 1)  # with ties
    found = pooled.measure(scores, is_member, [0.2], 5, seed=4)
    again = pooled.stream(4, "bootstrap over a pool")
    for draw in range(5):
        weights = [again.multinomial(6, np.full(6, 1 / 6))[:, None], again.multinomial(30, np.full(30, 1 / 30))[None]]
        weights.append(again.multinomial(180, np.full(180, 1 / 180)).reshape(6, 30))
        for way, weight in enumerate(weights):
            cells = np.repeat(np.arange(360), np.repeat(np.broadcast_to(weight, (6, 30)), 2, axis=0).ravel())
            drawn, known = scores.ravel()[cells], is_member.ravel()[cells]
            assert found["auc"].draws[way, draw] == pytest.approx(auc(drawn, known))
            assert found["tpr_at_0.2_fpr"].draws[way, draw] == pytest.approx(tpr_at_fpr(drawn, known, 0.2))


def test_two_attacks_are_compared_on_the_same_draws():
    rng = np.random.default_rng(2)
    is_member = coins(12, 80, rng)
    one = rng.standard_normal((12, 80)) + is_member
    found = [pooled.measure(scores, is_member, [0.1], 100)["auc"] for scores in (one, one.copy(), one + is_member)]
    assert pooled.difference(found[0], found[1]) == (0, 0, 0)
    value, low, high = pooled.difference(found[2], found[0])
    assert 0 < low < value < high and high - low < np.ptp(found[0].interval())


@pytest.mark.slow
@pytest.mark.parametrize(
    "n_models, of_model, of_example, effect_of_model, effect_of_example",
    [(16, 0.3, 0.5, 0, 0), (16, 1, 0.5, 0, 0), (16, 0.3, 0.5, 0.5, 0), (16, 0.3, 0.5, 0, 1), (8, 0.3, 0.5, 0.3, 0.5)],
)
def test_intervals_hold_what_they_say(n_models, of_model, of_example, effect_of_model, effect_of_example):
    """Scores and the effect of membership differ by model and by example: intervals hold what is true of all."""
    rng, held, n_pools, n = np.random.default_rng(3), {"auc": 0, "tpr_at_0.1_fpr": 0}, 200, 60
    spread, of_effect = of_model**2 + of_example**2 + 1, effect_of_model**2 + effect_of_example**2
    truth = {"auc": stats.norm.cdf(1 / np.sqrt(2 * spread + of_effect))}
    truth["tpr_at_0.1_fpr"] = stats.norm.sf((stats.norm.isf(0.1) * np.sqrt(spread) - 1) / np.sqrt(spread + of_effect))
    for number in range(n_pools):
        is_member = coins(n_models, n, rng)
        effect = 1 + effect_of_model * rng.standard_normal((n_models, 1)) + effect_of_example * rng.standard_normal(n)
        scores = of_model * rng.standard_normal((n_models, 1)) + of_example * rng.standard_normal(n)
        scores = scores + rng.standard_normal((n_models, n)) + is_member * effect
        for name, measured in pooled.measure(scores, is_member, [0.1], 200, seed=number).items():
            _, low, high = measured.interval()
            held[name] += low <= truth[name] <= high
    assert all(0.89 <= n / n_pools <= 0.99 for n in held.values()), held


def test_an_interval_by_hand():
    """Draws of models vary by 3, of examples by 4, of cells by 2 (variances): 8 pairs stretch those of models."""
    rng = np.random.default_rng(0)
    draws = 0.5 + 0.01 * rng.standard_normal((3, 200_000)) * np.sqrt([[3], [4], [2]])
    value, low, high = pooled.Measured(0.5, draws, 8).interval()
    stretch = stats.t.ppf(0.975, 7) / stats.norm.ppf(0.975) * np.sqrt(8 / 7)
    reach = stats.norm.ppf(0.975) * 0.01 * np.sqrt(3 * stretch**2 + 4 - 2)
    assert value == 0.5 and (0.5 - low, high - 0.5) == (pytest.approx(reach, rel=0.02), pytest.approx(reach, rel=0.02))
    cells_alone = pooled.Measured(0.5, draws[[1, 2, 1]], 10**6).interval()  # no narrower than examples alone
    assert cells_alone[2] - 0.5 == pytest.approx(stats.norm.ppf(0.975) * 0.02, rel=0.02)


def test_one_pair_has_no_interval():
    rng = np.random.default_rng(4)
    is_member = coins(2, 200, rng)
    value, low, high = pooled.measure(rng.standard_normal((2, 200)), is_member, [0.1], 10)["auc"].interval()
    assert 0 < value < 1 and np.isnan([low, high]).all()


def test_ties_are_told_and_no_rate():
    is_member = np.array([[1, 1, 1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1, 1, 1]], bool)
    scores = np.zeros((2, 8))
    scores[0, :5] = 1  # three members and two non-members, of eight each
    assert rate_flags(scores, is_member, 0.125) == "5 tied at the top"  # one false alarm is allowed
    assert rate_flags(scores, is_member, 0.25) == "2 false alarms allowed"
    assert (
        rate_flags(scores, is_member, 0.9) == "11 tied at the threshold; 7 false alarms allowed"
    )  # of which two are used
    assert rate_flags(scores, is_member, 0.1) == ""  # not resolvable: less than one is allowed
    scores[0, 3:5] = 0
    assert rate_flags(scores, is_member, 0.125) == "13 tied at the threshold; 1 false alarms allowed"
    rng = np.random.default_rng(0)
    distinct, known = rng.random((2, 200)), np.arange(400).reshape(2, 200) % 2 > 0
    assert [rate_flags(distinct, known, fpr) for fpr in (0.1, 0.03, 0.001)] == ["", "6 false alarms allowed", ""]


def test_decisions_are_those_of_each_targets_own_threshold():
    rng = np.random.default_rng(5)
    is_member, scores, thresholds = coins(6, 40, rng), rng.standard_normal((6, 40)), rng.standard_normal(6)
    found = pooled.measure(scores, is_member, [0.1], 50, thresholds=thresholds)
    expected = at_threshold((scores - thresholds[:, None]).ravel(), is_member.ravel(), 0)
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value) and found[name].draws.std() > 0
    called_none = pooled.measure(scores, is_member, [0.1], 5, thresholds=np.full(6, np.inf))
    assert np.isnan(called_none["precision"].value) and called_none["f1"].value == 0
    assert called_none["accuracy"].value == 0.5


def test_thresholds_of_the_other_models_are_transferred_over():
    """Of the second pair, the first pair's ten non-members give it: one false alarm is allowed at 0.1, none at 0.05."""
    is_member = np.zeros((4, 10), bool)
    is_member[[0, 2], :5], is_member[[1, 3], 5:] = True, True
    scores = np.zeros((4, 10))
    scores[0, 5:], scores[1, :5] = [1, 2, 3, 4, 9], [5, 6, 7, 8, 8]
    scores[2], scores[3] = np.arange(1, 11), 8
    called = pooled.transferred(scores, is_member, 0.1)
    assert called[2].tolist() == [score > 8 for score in scores[2]] and not called[3].any()
    assert pooled.transferred(scores, is_member, 0.2)[2].tolist() == called[2].tolist()  # two are tied at 8
    assert pooled.transferred(scores, is_member, 0.3)[2].tolist() == [score > 7 for score in scores[2]]
    assert not pooled.transferred(scores, is_member, 0.05).any()
    scores[3] = np.inf
    assert pooled.transferred(scores, is_member, 0.1)[0].sum() == 0  # whose own pair never comes in
    moved = np.where(np.arange(4)[:, None] < 2, scores + 100, scores)
    np.testing.assert_array_equal(pooled.transferred(moved, is_member, 0.1)[:2], moved[:2] > np.inf)


def test_rates_that_are_reached_and_what_a_find_is_worth():
    rng = np.random.default_rng(6)
    is_member, scores = coins(8, 400, rng), rng.standard_normal((8, 400))
    scores += is_member
    found = pooled.measure(scores, is_member, [0.05, 1e-4], 20, thresholds=np.zeros(8))
    called = pooled.transferred(scores, is_member, 0.05)
    tpr, fpr = called[is_member].mean(), called[~is_member].mean()
    assert found["transferred_tpr_at_0.05_fpr"].value == pytest.approx(tpr)
    assert found["transferred_fpr_at_0.05_fpr"].value == pytest.approx(fpr) and 0.03 < fpr < 0.07
    for prior in (0.5, 0.1, 0.01, 0.001):
        expected = prior * tpr / (prior * tpr + (1 - prior) * fpr)
        assert found[f"ppv_at_0.05_fpr_prior_{prior:g}"].value == pytest.approx(expected)
        assert np.isnan(found[f"ppv_at_0.0001_fpr_prior_{prior:g}"].value)
    assert np.isnan(found["transferred_fpr_at_0.0001_fpr"].value) and np.isnan(found["tpr_at_0.0001_fpr"].value)


def test_what_others_are_too_few_to_give_is_empty_and_few_are_flagged():
    """Each pair has 50 non-members: of four pairs three are left, which allow one false alarm at 1 / 150."""
    rng = np.random.default_rng(9)
    is_member = coins(8, 50, rng)
    scored = {
        "scores": (rng.standard_normal((8, 50)) + 5 * is_member)[:, None],
        **{"thresholds": np.full((8, 1), 2.5), "queries": np.ones((8, 1)), "settings": np.array([""])},
        "is_canary": np.zeros(50, bool),
    }
    found = {row["metric"]: row for row in pooled.pool_rows(scored, is_member, [1 / 151, 1 / 150, 0.06, 0.07], 10)}
    of = {
        rate: [
            row for name, row in found.items() if f"transferred_tpr_at_{rate:g}_" in name or f"ppv_at_{rate:g}_" in name
        ]
        for rate in (1 / 151, 1 / 150, 0.06, 0.07)
    }
    assert all(len(rows) == 5 for rows in of.values())
    assert np.isnan([[row["value"], row["ci_low"], row["ci_high"]] for row in of[1 / 151]]).all()
    flags = [{row["flags"] for row in rows} for rows in of.values()]
    assert flags == [{""}, {"1 false alarms allowed"}, {"9 false alarms allowed"}, {""}]
    assert all(found[f"tpr_at_{rate:g}_fpr"]["value"] > 0.9 for rate in of)
    one_pair = pooled.measure(np.zeros((2, 50)), is_member[:2], [0.1], 1, thresholds=np.zeros(2))
    assert np.isnan(one_pair["transferred_tpr_at_0.1_fpr"].value)


def test_worths_that_were_worked_out_elsewhere():
    assert [round(pooled._ppv(0.135, 0.001, prior), 3) for prior in pooled.PRIORS] == [0.993, 0.938, 0.577, 0.119]
    assert np.isnan(pooled._ppv(0.0, 0.0, 0.5))


def test_several_are_measured_as_each_alone():
    rng = np.random.default_rng(7)
    is_member, ways = coins(6, 30, rng), [(rng.standard_normal((6, 30)), rng.standard_normal(6)) for _ in range(2)]
    together = pooled.measure_alike(ways, is_member, [0.1], 20, seed=3)
    for (scores, thresholds), found in zip(ways, together, strict=True):
        alone = pooled.measure(scores, is_member, [0.1], 20, 3, thresholds)
        assert alone.keys() == found.keys()
        for name in alone:
            np.testing.assert_array_equal(alone[name].draws, found[name].draws)


def test_rows_of_a_pool_are_its_metrics_in_each_setting():
    rng = np.random.default_rng(8)
    is_member = coins(6, 60, rng)
    scored = {
        "scores": np.stack([rng.standard_normal((6, 60)) + is_member, np.zeros((6, 60))], axis=1),
        "thresholds": np.zeros((6, 2)),
        "queries": np.tile([30.0, 10.0], (6, 1)) + np.arange(6)[:, None],
        "settings": np.array(["", "budget=10"]),
        "is_canary": NO_CANARY,
    }
    rows = list(pooled.pool_rows(scored, is_member, [0.1, 0.01], 50))
    assert {row["seed"] for row in rows} == {"all"} and {row["queries"] for row in rows} == {32.5, 12.5}
    found = {(row["setting"], row["metric"]): row for row in rows}
    alone = pooled.measure(scored["scores"][:, 0], is_member, [0.1, 0.01], 50, thresholds=np.zeros(6))
    assert len(found) == len(rows) == 2 * len(alone)
    for name, measured in alone.items():
        row = found["", name]
        value, low, high = measured.interval()
        np.testing.assert_array_equal([row["value"], row["ci_low"]], [value, max(low, 0)])
        assert row["ci_high"] == min(high, 1) or np.isnan(high)
    assert found["budget=10", "tpr_at_0.1_fpr"]["flags"] == "360 tied at the top" and not found["", "auc"]["flags"]


def test_canaries_are_measured_apart():
    """The rows of each group are those of a pool that has no other examples."""
    rng = np.random.default_rng(8)
    is_member, is_canary = coins(6, 60, rng), rng.random(60) < 0.4
    scored = {
        "scores": rng.standard_normal((6, 1, 60)) + is_member[:, None],
        "thresholds": np.zeros((6, 1)),
        "queries": np.ones((6, 1)),
        "settings": np.array([""]),
    }

    def told(group, prefix=""):
        alone = scored | {"scores": scored["scores"][:, :, group], "is_canary": np.zeros(group.sum(), bool)}
        rows = pooled.pool_rows(alone, is_member[:, group], [0.1], 50)
        return {(prefix + row["metric"], *(str(row[name]) for name in ("value", "ci_low", "ci_high"))) for row in rows}

    rows = pooled.pool_rows(scored | {"is_canary": is_canary}, is_member, [0.1], 50)
    found = {(row["metric"], *(str(row[name]) for name in ("value", "ci_low", "ci_high"))) for row in rows}
    assert found == told(~is_canary) | told(is_canary, "canary_")
    attacks = {name: rng.standard_normal((6, 60)) for name in "ab"}
    apart = {row["metric"]: row for row in pooled.differences(attacks, is_member, [0.1], 50, is_canary)}
    of_canaries = {name: scores[:, is_canary] for name, scores in attacks.items()}
    (auc, _) = pooled.differences(of_canaries, is_member[:, is_canary], [0.1], 50, NO_CANARY[: is_canary.sum()])
    assert {**apart["canary_auc"], "metric": "auc"} == auc


def test_differences_are_of_every_pair_of_attacks():
    rng = np.random.default_rng(9)
    is_member = coins(6, 60, rng)
    scored = {name: rng.standard_normal((6, 60)) + sure * is_member for name, sure in (("a", 0), ("b", 1), ("c", 3))}
    rows = list(pooled.differences(scored, is_member, [0.1], 50, NO_CANARY))
    assert [(row["attack"], row["against"], row["metric"]) for row in rows] == [
        (one, other, metric) for one, other in ("ab", "ac", "bc") for metric in ("auc", "tpr_at_0.1_fpr")
    ]
    found = [pooled.measure(scored[name], is_member, [0.1], 50)["auc"] for name in "ac"]
    value, low, high = pooled.difference(*found)
    assert (rows[2]["value"], rows[2]["ci_low"], rows[2]["ci_high"]) == (value, low, high) and value < -0.3
    tied = pooled.differences({"d": np.zeros((6, 60)), "a": scored["a"]}, is_member, [0.1], 5, NO_CANARY)
    assert [row["flags"] for row in tied] == ["", "360 tied at the top"]
