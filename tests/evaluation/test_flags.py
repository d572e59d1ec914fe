"""Which decisions are flagged, by hand."""

import numpy as np
import pytest

from lmia.attacks.observations import Distances
from lmia.attacks.scoring import run_attack
from lmia.evaluation.flag_texts import join
from lmia.evaluation.flags import attack_flags, few_false_alarms, over_seeds, references_flag


@pytest.mark.parametrize(
    "scores, threshold, flags",
    [
        ([0.1, 0.9], 0.5, ""),
        ([0.1, 0.2], 0.5, "constant guess"),
        ([0.1, 0.2], 0.1, "constant guess"),
        ([0.1, 0.2], -np.inf, "constant guess"),
        ([0, 0], 0.5, "constant guess"),  # all misclassified: none was searched
    ],
)
def test_attacks_that_have_nothing_to_say(scores, threshold, flags):
    assert attack_flags(scores, threshold) == flags


def distances(*points):
    """Observations of points, each a list of the final distances around its copies."""
    best = np.array(points, float)[:, :, None]
    return Distances(best, np.ones(best.shape, int), np.zeros(len(best), int))


class Constant:
    """An attack that is sure of everything, as a classifier may be whatever it has seen."""

    threshold = 0.5

    def fit(self, shadow, is_member):
        return self

    def score(self, target):
        return np.linspace(0, 1, len(target.classes))


@pytest.mark.parametrize(
    "target, flags",
    [
        (distances([np.inf], [np.inf]), "2 of 2 searches censored"),
        (distances([np.inf], [np.inf], [0]), "2 of 2 searches censored"),  # a misclassified point needs no search
        (distances([0], [0]), ""),
        (distances(*[[np.inf]] * 99, [0.1]), "99 of 100 searches censored"),
        (distances(*[[0.1]] * 90, *[[np.inf]] * 10), ""),  # no more than a tenth
        (distances(*[[0.1]] * 89, *[[np.inf]] * 11), "11 of 100 searches censored"),
        (distances([0.1, np.inf, 0], [0.2, np.inf, np.inf]), "3 of 5 searches censored"),  # shifted copies
    ],
)
def test_censored_searches_are_counted_whatever_the_scores_look_like(target, flags):
    way = run_attack(Constant, target, [target], [np.arange(len(target.classes)) % 2 == 0])[0]
    assert attack_flags(way.scores, way.threshold, *way.searches) == flags


def test_a_smaller_budget_has_censored_searches_of_its_own():
    best, spent = np.array([[[np.inf, 0.3]]] * 2), np.array([[[10, 100]]] * 2)
    target = Distances(best, spent, np.array([0, 0]))
    ways = run_attack(Constant, target, [target], [np.array([True, False])], budgets=[50])
    assert [way.searches for way in ways] == [(0, 2), (2, 2)]


def test_texts_are_joined_with_each_flag_once():
    assert join(["a; b", "", "b", "c"]) == "a; b; c" and join(["", ""]) == ""


def test_over_seeds_flags_are_counted():
    assert over_seeds(["b; a", "", "a"]) == "b (1 of 3); a (2 of 3)"
    assert over_seeds(["9 of 10 searches censored; a", "", "a; 5 of 20 searches censored"]) == (
        "14 of 30 searches censored (2 of 3); a (2 of 3)"
    )
    ties = ["90 tied at the top; 7 tied at the threshold; a", "", "120 tied at the top; 100 tied at the top; a"]
    assert over_seeds(ties) == "90 to 120 tied at the top (2 of 3); 7 tied at the threshold (1 of 3); a (2 of 3)"
    assert over_seeds(["a"]) == "a" and over_seeds(["", ""]) == ""


def compared(share_in, share_out, n=400, r=8, seed=0):
    """References that are right so often on records that they know, and on others; the model is in 95 and 80 %."""
    draw = np.random.default_rng(seed)
    is_member, is_in = np.arange(n) % 2 == 0, draw.random((n, r)) < 0.5
    right = draw.random(n) < np.where(is_member, 0.95, 0.8)
    return right, draw.random((n, r)) < np.where(is_in, share_in, share_out), is_in, is_member


def test_references_are_flagged_where_they_are_right_otherwise_than_the_model():
    assert references_flag(*compared(0.95, 0.8)) == ""
    own, others = "of their own records, the model on", "of others, the model on"
    flag = references_flag(*compared(0.6, 0.8))
    assert flag.startswith("references trained otherwise (right on ") and own in flag and others not in flag
    flag = references_flag(*compared(0.95, 0.4))
    assert own not in flag and others in flag


def test_references_like_the_model_are_seldom_flagged():
    """Three standard errors of two numbers: less than one time in a hundred."""
    assert sum(bool(references_flag(*compared(0.95, 0.8, seed=seed))) for seed in range(200)) <= 4


@pytest.mark.parametrize(("r", "spread"), [(4, 0.03), (4, 0.06), (12, 0.03)])
def test_that_holds_for_models_that_spread_and_for_few_references(r, spread):
    """The model is one draw more: models of one training are right more or less often, by chance."""
    flagged = 0
    for seed in range(400):
        draw, n = np.random.default_rng(seed), 600
        is_member, is_in = np.arange(n) % 2 == 0, draw.random((n, r)) < 0.5
        shifts = spread * draw.standard_normal(r + 1)
        share = np.where(np.column_stack([is_member, is_in]), 0.85, 0.7) + shifts
        found = draw.random((n, r + 1)) < share
        flagged += bool(references_flag(found[:, 0], found[:, 1:], is_in, is_member))
    assert flagged <= 9  # of 400, where two tests of 0.3 to 0.6 % each expect two to five


@pytest.mark.parametrize("r, says", [(3, False), (4, True)])
def test_fewer_than_four_references_say_nothing(r, says):
    assert bool(references_flag(*compared(0.6, 0.4, r=r))) == says
    right, are_right, is_in, is_member = compared(0.6, 0.4, r=4)
    is_in[:, 3] = True  # so that three are left that were not trained on others
    assert "of others" not in references_flag(right, are_right, is_in, is_member)


@pytest.mark.parametrize("is_right", [True, False])
def test_where_nothing_varies_any_difference_is_flagged(is_right):
    right, everywhere = np.full(50, is_right), np.ones((50, 6), bool)
    assert references_flag(right, everywhere & ~is_right, everywhere, np.ones(50, bool)).startswith(
        "references trained"
    )
    assert references_flag(right, everywhere & is_right, everywhere, np.ones(50, bool)) == ""


def test_references_of_which_none_knows_a_record_say_nothing_of_it():
    right, are_right, is_in, is_member = compared(0.5, 0.8)
    assert references_flag(right, are_right, np.zeros_like(is_in), is_member) == ""


@pytest.mark.parametrize("fpr, n, allowed", [(0.0003, 10_000, 3), (0.0012, 5000, 6), (0.29, 30, 8), (0.01, 999, 9)])
def test_so_many_false_alarms_are_allowed_as_the_rate_says(fpr, n, allowed):
    assert few_false_alarms(fpr, n) == f"{allowed} false alarms allowed"
    assert few_false_alarms(0.01, 1000) == ""
