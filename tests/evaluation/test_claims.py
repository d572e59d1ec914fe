"""Decisions on four points of two targets, in two settings."""

import numpy as np
import pandas as pd
import pytest

from lmia import artifacts
from lmia.evaluation.claims import decisions, judge_claims, load_decisions
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
