"""Decisions on four points of two targets, in two settings."""

import numpy as np

from lmia.evaluation.claim_decisions import decisions

SCORED = {
    "settings": np.array(["", "budget=5"]),
    "scores": np.array([[[1, 1, 0, 0], [3, 1, 2, 0]], [[0, 1, 0, 1], [2, 3, 0, 1]]], float),
    "thresholds": np.array([[0.5, 2.0], [0.5, 1.5]]),
    "queries": np.array([[9.0, 5.0], [8.0, 4.0]]),
    "example_ids": np.array([[2, 4, 6, 8], [1, 3, 5, 7]]),
}
MEMBERS = np.array([[2, 4, 99], [3, 5, 99]])  # 99 was not asked about


def test_an_attack_is_correct_where_its_guess_is_the_membership():
    one, other = decisions(SCORED, MEMBERS, "budget=5")
    assert one.is_member.tolist() == [True, True, False, False]
    assert one.correct.tolist() == [True, False, False, True]  # guesses: members are 2 and 6, whose score is at 2
    assert other.is_member.tolist() == [False, True, True, False]
    assert other.correct.tolist() == [False, True, False, True]
    assert [one.queries, other.queries] == [5, 4]
    assert one.example_ids.tolist() == [2, 4, 6, 8] and other.example_ids.tolist() == [1, 3, 5, 7]


def test_settings_are_found_by_their_names():
    one, other = decisions(SCORED, MEMBERS, "")
    assert one.correct.all() and one.queries == 9
    assert other.correct.tolist() == [True, True, False, False] and other.queries == 8


def test_the_model_is_judged_on_non_members_whatever_the_threshold():
    constant = SCORED | {"thresholds": np.full((2, 2), -1.0)}
    for scored in (SCORED, constant):
        one, other = decisions(scored, MEMBERS, "", of_model=True)
        assert one.correct.tolist() == [False, False] and one.example_ids.tolist() == [6, 8]
        assert other.correct.tolist() == [False, True] and other.example_ids.tolist() == [1, 7]
        assert not one.is_member.any() and one.queries == other.queries == 1
        assert other.accuracy() == 0.5
