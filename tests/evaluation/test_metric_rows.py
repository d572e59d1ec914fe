"""Rows of metrics.csv, of four points whose metrics can be counted."""

import numpy as np
import pytest

from lmia.evaluation.intervals import proportion
from lmia.evaluation.metric_rows import attack_rows, guarantee_rows, model_rows, on_outliers

MEMBER = np.array([True, True, False, False])
# Two seeds; with all queries the attack of seed 0 is right on all four points, with five on two of them.
SCORED = {
    "settings": np.array(["", "budget=5"]),
    "scores": np.array([[[4, 3, 2, 1], [4, 1, 3, 2]], [[4, 3, 2, 1], [1, 1, 1, 1]]], float),
    "thresholds": np.array([[2.5, 2.5], [1.5, 0.5]]),
    "queries": np.array([[9.0, 5.0], [8.0, 4.0]]),
    "searches": np.array([[[0, 4], [0, 4]], [[1, 10], [2, 10]]]),
    "can_rank": np.array([True, False]),
    "example_ids": np.array([[0, 1, 2, 3]] * 2),
}


def rows_of(s, is_outlier=None):
    """(setting, metric) -> row of one seed."""
    is_member = np.array([MEMBER, MEMBER])
    rows = list(attack_rows(SCORED, is_member, is_outlier, seeds=[7, 8], fprs=[0.5], resamples=20))
    assert [row["seed"] for row in rows] == sorted(row["seed"] for row in rows)
    return {(row["setting"], row["metric"]): row for row in rows if row["seed"] == 7 + s}


def test_precision_and_recall_on_outliers_by_hand():
    guess, is_member = np.array([1, 1, 1, 0, 0], bool), np.array([1, 0, 0, 1, 0], bool)
    found = on_outliers(guess, is_member)
    assert (
        list(found) == ["outlier_precision", "outlier_recall", "outliers_called"] and found["outliers_called"][0] == 3
    )
    # one hit of n: the exact interval begins where none is hit with a chance of 0.975
    assert found["outlier_precision"][:2] == pytest.approx((1 / 3, 1 - 0.975 ** (1 / 3)))
    assert found["outlier_recall"] == pytest.approx((1 / 2, 1 - 0.975**0.5, 0.975**0.5))


def test_no_guess_has_no_precision_and_no_member_no_recall():
    none, some = np.zeros(3, bool), np.ones(3, bool)
    assert np.isnan(on_outliers(none, some)["outlier_precision"]).all()
    assert on_outliers(none, some)["outlier_recall"][0] == 0
    assert np.isnan(on_outliers(some, none)["outlier_recall"]).all()


def test_each_setting_has_its_scores_threshold_and_queries():
    rows = rows_of(0)
    assert {key: row["value"] for key, row in rows.items() if key[1] in ("accuracy", "auc", "tpr_at_0.5_fpr")} == {
        ("", "accuracy"): 1,
        ("", "auc"): 1,
        ("", "tpr_at_0.5_fpr"): 1,
        ("budget=5", "accuracy"): 0.5,
        ("budget=5", "auc"): 0.5,  # of four pairs, the member with score 4 is above two non-members
        ("budget=5", "tpr_at_0.5_fpr"): 0.5,
    }
    assert {(setting, row["queries"]) for (setting, _), row in rows.items()} == {("", 9), ("budget=5", 5)}
    assert {row["flags"] for (_, metric), row in rows.items() if metric != "tpr_at_0.5_fpr"} == {""}
    assert all(row["ci_low"] <= row["value"] <= row["ci_high"] for row in rows.values())


def test_scores_that_only_decide_have_no_ranks():
    rows = rows_of(1)
    for setting in SCORED["settings"]:
        for metric in ("auc", "tpr_at_0.5_fpr"):
            assert np.isnan([rows[setting, metric][name] for name in ("value", "ci_low", "ci_high")]).all()
    assert rows["", "accuracy"]["value"] == 0.75 and rows["budget=5", "recall"]["value"] == 1


def test_queries_and_flags_are_of_one_seed_and_setting():
    rows = rows_of(1)
    assert [rows[setting, "accuracy"]["queries"] for setting in SCORED["settings"]] == [8, 4]
    assert rows["", "accuracy"]["flags"] == ""  # 1 of 10 is not more than a tenth
    assert rows["budget=5", "accuracy"]["flags"] == "2 of 10 searches censored; constant guess"


def test_outliers_are_measured_on_their_points_alone():
    rows = rows_of(1, np.array([[True] * 4, [False, True, True, True]]))  # of which two are called members
    assert rows["", "outlier_precision"]["value"] == 0.5 and rows["", "outlier_recall"]["value"] == 1
    assert ("", "outlier_recall") not in rows_of(1)


def of_equal_scores(is_member, is_outlier=None):
    """(seed, metric) -> row, of two seeds with the same scores."""
    same = SCORED | {name: SCORED[name][[0, 0], :1] for name in ("scores", "thresholds", "queries", "searches")}
    same |= {"settings": np.array([""]), "scores": np.array([[[0.1, 0.4, 0.3, 0.6]]] * 2)}
    same |= {"thresholds": np.full((2, 1), 0.35), "can_rank": np.array([True, True])}
    rows = attack_rows(same, np.array(is_member), is_outlier, seeds=[7, 8], fprs=[0.5], resamples=5)
    return {(row["seed"], row["metric"]): row for row in rows}


def test_each_seed_has_its_own_bootstrap():
    rows = of_equal_scores([MEMBER, MEMBER])
    assert rows[7, "auc"]["value"] == rows[8, "auc"]["value"]
    intervals = [
        [rows[seed, name][end] for name in ("auc", "accuracy") for end in ("ci_low", "ci_high")] for seed in (7, 8)
    ]
    assert intervals[0] != intervals[1]


def test_each_seed_has_its_own_outliers_and_their_membership():
    rows = of_equal_scores([MEMBER, ~MEMBER], np.array([[True, False, False, True]] * 2))
    # the last point has the highest score: no member of the first target, a member of the second
    assert [rows[seed, "outlier_precision"]["value"] for seed in (7, 8)] == [0, 1]
    rows = of_equal_scores([MEMBER, MEMBER], np.array([[True, False, False, False], [False, True, False, False]]))
    assert [rows[seed, "outlier_recall"]["value"] for seed in (7, 8)] == [0, 1]  # of the first two points


def test_each_seed_has_its_own_membership():
    rows = attack_rows(SCORED, np.array([MEMBER, ~MEMBER]), None, seeds=[7, 8], fprs=[0.5], resamples=20)
    found = {row["seed"]: row["value"] for row in rows if (row["setting"], row["metric"]) == ("", "accuracy")}
    assert found == {7: 1, 8: 0.25}


GAP = SCORED | {
    "settings": np.array(["", "budget=5"]),
    "scores": np.array([[[1, 1, 1, 0]] * 2, [[1, 0, 1, 0]] * 2], float),
    "thresholds": np.full((2, 2), 0.5),
}


def test_accuracies_are_compared_with_the_gap_attack_on_the_same_points():
    """Which is right on three of four points of seed 7, and on two of seed 8."""
    known = np.array([MEMBER, MEMBER])
    rows = list(attack_rows(SCORED, known, None, seeds=[7, 8], fprs=[0.5], resamples=100, gap=GAP))
    over = {(row["seed"], row["setting"]): row for row in rows if row["metric"] == "accuracy_over_gap"}
    assert {key: row["value"] for key, row in over.items()} == {
        (7, ""): 0.25,
        (7, "budget=5"): -0.25,
        (8, ""): 0.25,
        (8, "budget=5"): 0,
    }
    assert [over[7, ""][end] for end in ("ci_low", "ci_high")] == [0, 0.5]
    assert not any(row["metric"] == "accuracy_over_gap" for row in rows_of(0).values())


def test_rates_of_few_false_alarms_are_flagged():
    """A rate of one half of 20 non-members allows ten, and one of 40 % eight."""
    n = 40
    scored = SCORED | {"scores": np.arange(4 * n, dtype=float).reshape(2, 2, n), "thresholds": np.full((2, 2), 9.0)}
    scored |= {"can_rank": np.array([True, False]), "example_ids": np.zeros((2, n), int)}
    known = np.array([np.arange(n) % 2 == 0] * 2)
    rows = attack_rows(scored, known, None, seeds=[7, 8], fprs=[0.5, 0.4, 0.01], resamples=5)
    flagged = {(row["seed"], row["setting"], row["metric"]): row["flags"] for row in rows}
    assert flagged[7, "", "tpr_at_0.4_fpr"] == "8 false alarms allowed"
    assert not any("allowed" in flagged[key] for key in flagged if key[2] != "tpr_at_0.4_fpr" or key[0] == 8)
    assert flagged[7, "budget=5", "tpr_at_0.4_fpr"] == "constant guess; 8 false alarms allowed"


SHADOWS = [
    {"train_accuracy": np.array([1.0, 0.8]), "test_accuracy": np.array([0.55, 0.5]), "flags": np.array(["", "b"])},
    {"train_accuracy": np.array([0.5, 0.6]), "test_accuracy": np.array([0.35, 0.5]), "flags": np.array(["a", "b"])},
]


def test_shadows_of_a_seed_are_counted_together():
    rows = {(row["seed"], row["metric"]): row for row in model_rows(SHADOWS, [3, 4], [(10, 20)] * 2, "shadow_")}
    hits = {(3, "train"): (15, 20), (4, "train"): (14, 20), (3, "test"): (18, 40), (4, "test"): (20, 40)}
    assert len(rows) == len(hits)
    for (seed, metric), counted in hits.items():
        row = rows[seed, f"shadow_{metric}_accuracy"]
        assert (row["value"], row["ci_low"], row["ci_high"]) == proportion(*counted)
        assert row["flags"] == {3: "shadow a", 4: "shadow b"}[seed]


@pytest.mark.parametrize(
    ("train", "flag"), [(1.0, "target memorized its members"), (0.5, "target at chance"), (0.1, "target at chance")]
)
def test_a_model_at_chance_elsewhere_may_know_its_members(train, flag):
    """Of 100 points of either kind, as a network that learned 100 images of ten classes by heart."""
    model = {"train_accuracy": np.array([train]), "test_accuracy": np.array([0.2]), "flags": np.array(["at chance"])}
    sizes = {1.0: 100, 0.5: 4, 0.1: 100}[train]  # of four points each, half and a fifth are alike
    assert {row["flags"] for row in model_rows([model], [0], [(sizes, sizes)], "")} == {flag}
    failed = {"train_accuracy": np.array([0.1]), "test_accuracy": np.array([0.1]), "flags": np.array(["at chance"])}
    beside = {row["flags"] for row in model_rows([model, failed, model], [0], [(sizes, sizes)], "")}
    assert beside == {"; ".join(dict.fromkeys([flag, "target at chance"]))}  # each by its own accuracies
    other = model | {"flags": np.array(["constant"])}
    assert {row["flags"] for row in model_rows([other], [0], [(sizes, sizes)], "")} == {"target constant"}


def test_a_targets_rows_have_no_prefix_and_flags_of_their_own():
    rows = list(model_rows([SHADOWS[0]], [3, 4], [(10, 20)] * 2, ""))
    assert [(row["seed"], row["metric"], row["value"], row["flags"]) for row in rows] == [
        (3, "train_accuracy", 1.0, ""),
        (3, "test_accuracy", 0.55, ""),
        (4, "train_accuracy", 0.8, "target b"),
        (4, "test_accuracy", 0.5, "target b"),
    ]
    old = {name: SHADOWS[0][name] for name in ("train_accuracy", "test_accuracy")}
    assert {row["flags"] for row in model_rows([old], [3, 4], [(10, 20)] * 2, "")} == {""}


def test_guarantees_are_rows_where_training_gives_them():
    target = SHADOWS[0] | {"epsilon": np.array([1.5, 2.5]), "delta": np.array([1e-5, 1e-6])}
    rows = list(guarantee_rows(target, [3, 4]))
    expected = [("epsilon", 3, 1.5), ("epsilon", 4, 2.5), ("delta", 3, 1e-5), ("delta", 4, 1e-6)]
    assert [(row["metric"], row["seed"], row["value"]) for row in rows] == expected
    assert all(row["ci_low"] == row["value"] == row["ci_high"] for row in rows)
    assert not list(guarantee_rows(SHADOWS[0], [3, 4]))
