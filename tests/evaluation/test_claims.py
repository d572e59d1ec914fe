"""Decisions on four points of two targets in two settings, and margins of a few decisions by hand."""

import numpy as np
import pandas as pd
import pytest

from lmia import artifacts
from lmia.evaluation.claims import Decisions, decisions, judge_claim, judge_claims, load_decisions, margin
from lmia.evaluation.metrics_table import COLUMNS

SCORED = {
    "settings": np.array(["", "budget=5"]),
    "scores": np.array([[[1, 1, 0, 0], [3, 1, 2, 0]], [[0, 1, 0, 1], [2, 3, 0, 1]]], float),
    "thresholds": np.array([[0.5, 2.0], [0.5, 1.5]]),
    "queries": np.array([[9.0, 5.0], [8.0, 4.0]]),
    "example_ids": np.array([[2, 4, 6, 8], [1, 3, 5, 7]]),
}
IS_MEMBER = np.array([[1, 1, 0, 0], [0, 1, 1, 0]], bool)


def test_an_attack_is_correct_where_its_guess_is_the_membership():
    one, other = decisions(SCORED, IS_MEMBER, "budget=5")
    assert one.is_member.tolist() == [True, True, False, False]
    assert one.correct.tolist() == [True, False, False, True]  # guesses: members are 2 and 6, whose score is at 2
    assert other.is_member.tolist() == [False, True, True, False]
    assert other.correct.tolist() == [False, True, False, True]
    assert [one.queries, other.queries] == [5, 4]
    assert one.example_ids.tolist() == [2, 4, 6, 8] and other.example_ids.tolist() == [1, 3, 5, 7]


def test_settings_are_found_by_their_names():
    one, other = decisions(SCORED, IS_MEMBER, "")
    assert one.correct.all() and one.queries == 9
    assert other.correct.tolist() == [True, True, False, False] and other.queries == 8


def test_the_model_is_judged_on_non_members_whatever_the_threshold():
    constant = SCORED | {"thresholds": np.full((2, 2), -1.0)}
    for scored in (SCORED, constant):
        one, other = decisions(scored, IS_MEMBER, "", of_model=True)
        assert one.correct.tolist() == [False, False] and one.example_ids.tolist() == [6, 8]
        assert other.correct.tolist() == [False, True] and other.example_ids.tolist() == [1, 7]
        assert not one.is_member.any() and one.queries == other.queries == 1
        assert other.accuracy() == 0.5


@pytest.fixture
def side(tmp_path):
    """A function that gives a side of a claim: two blocks of one attack, of which the second has a flag."""
    same = dict.fromkeys(COLUMNS, "") | {"study": "s", "attack": "noise", "value": 0.5, "ci_low": 0.4, "ci_high": 0.6}

    def write(name, rows):
        pd.DataFrame([same | row for row in rows]).to_csv(tmp_path / name, index=False)
        return str(tmp_path / name)

    def make(setting, of_model=False):
        split = {"members": np.array([[2, 4, 99], [3, 5, 99]])}  # 99 was not asked about
        artifacts.save(tmp_path / "scores.npz", "scores", SCORED, {})
        artifacts.save(tmp_path / "split.npz", "split", split, {})
        flagged = [{"seed": seed, "metric": "accuracy", "flags": "constant guess" if seed else ""} for seed in (0, 1)]
        model = {"metric": "test_accuracy", "attack": ""}
        return {
            "scores": [str(tmp_path / "scores.npz")] * 2,
            "splits": [str(tmp_path / "split.npz")] * 2,
            "measures": [write("measures.csv", flagged)],
            "model_measures": [write("models.csv", [model | {"seed": s, "flags": "target diverged"} for s in (0, 1)])],
            "setting": setting,
            "of_model": of_model,
        }

    return make


CHANCE = {"scores": [], "splits": [], "measures": [], "model_measures": [], "setting": "", "of_model": False}


def test_decisions_are_of_all_blocks(side):
    found = load_decisions(side("budget=5"))
    expected = list(decisions(SCORED, IS_MEMBER, "budget=5")) * 2
    assert [one.correct.tolist() for one in found] == [one.correct.tolist() for one in expected]
    assert load_decisions(CHANCE) == []


def test_a_claim_over_chance_has_its_margin_verdict_and_flags(side):
    over = {"claim": "is better", "at_least": 10, "within": None, "sides": [side(""), CHANCE]}
    near = {"claim": "is no better", "at_least": 0, "within": 1, "sides": [side(""), side("")]}
    judged = judge_claims([over, near], "figure_1", 50)
    assert judged["artifact"].tolist() == ["figure_1"] * 2 and judged["claim"].tolist() == ["is better", "is no better"]
    # balanced accuracies of the two seeds are 1 and 1/2: 25 points over chance
    assert judged["margin"].tolist() == [25, 0] and judged["seeds"].tolist() == [4, 4]
    assert judged["verdict"].tolist() == ["not resolvable", "holds"]
    assert judged["queries"].tolist() == [8.5, 8.5] and judged["against_queries"].tolist()[1] == 8.5
    assert all("constant guess" in flags and "diverged" in flags for flags in judged["flags"])


def test_flags_of_a_model_are_its_own(side):
    claim = {"claim": "tests well", "at_least": 0, "within": None, "sides": [side("", of_model=True), CHANCE]}
    judged = judge_claims([claim], "table_1", 50).iloc[0]
    assert "diverged" in judged["flags"] and "constant" not in judged["flags"]
    assert judged["margin"] == -25  # right on none and on half of the non-members of the two seeds


def decided(*correct, ids=0):
    """Members first, non-members second, as many of each; 10 queries."""
    is_member = np.arange(len(correct)) < len(correct) // 2
    return Decisions(np.array(correct, bool), is_member, ids + np.arange(len(correct)), 10.0)


def test_margins_are_paired_where_both_saw_the_same_points():
    left, right = decided(1, 1, 1, 0), decided(1, 0, 1, 0)
    assert margin([left], [right], 200) == (0.25, 0, 0.5)
    assert margin([left], [left], 200) == (0, 0, 0)
    value, low, high = margin([left], [decided(1, 1, 1, 0, ids=9)], 200)  # the same answers about other points
    assert value == 0 and low < 0 < high


def test_accuracy_is_balanced():
    uneven = Decisions(np.array([1, 1, 1, 0], bool), np.array([1, 1, 1, 0], bool), np.arange(4), 1.0)
    assert uneven.accuracy() == 0.5


def test_margins_over_seeds_are_means_of_paired_differences():
    left = [decided(1, 1, 1, 1), decided(1, 1, 1, 0)]
    right = [decided(1, 1, 1, 0), decided(1, 0, 0, 0)]
    value, low, high = margin(left, right, 100)
    assert value == 0.375 and low == pytest.approx(0.375 - 12.7062 * 0.125, abs=1e-4) and high > 1


def test_margins_over_chance():
    assert margin([decided(1, 1, 1, 0)], [], 200) == (0.25, 0, 0.5)
    assert margin([decided(1, 1, 0, 0)] * 2, [], 200) == (0, 0, 0)


CERTAIN, HALF = decided(1, 1, 1, 1), decided(1, 1, 0, 0)  # 50 points apart, whatever is drawn


@pytest.mark.parametrize(
    "left, right, bounds, verdict",
    [
        (CERTAIN, HALF, {}, "holds"),
        (CERTAIN, HALF, {"at_least": 49}, "holds"),
        (CERTAIN, HALF, {"at_least": 51}, "fails"),
        (HALF, HALF, {}, "not resolvable"),  # no larger: an attack that is another one is not above it
        (HALF, HALF, {"at_least": -1}, "holds"),
        (decided(1, 1, 1, 0), decided(1, 0, 1, 0), {"at_least": 25}, "not resolvable"),
        (HALF, HALF, {"within": 0}, "holds"),
        (CERTAIN, HALF, {"within": 49}, "fails"),
        (HALF, CERTAIN, {"within": 49}, "fails"),
        (HALF, CERTAIN, {"within": 50}, "holds"),
        (decided(1, 1, 1, 0), decided(1, 0, 1, 0), {"within": 25}, "not resolvable"),
    ],
)
def test_a_claim_holds_or_fails_only_where_the_whole_interval_says_so(left, right, bounds, verdict):
    row = judge_claim([left], [right], 200, **bounds)
    assert row["verdict"] == verdict and row["seeds"] == 1 and row["queries"] == row["against_queries"] == 10
