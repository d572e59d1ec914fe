"""Which decisions are flagged, by hand."""

import numpy as np
import pytest

from lmia.attacks.observations import Distances
from lmia.attacks.scoring import run_attack
from lmia.evaluation.flag_texts import join
from lmia.evaluation.flags import attack_flags, over_seeds


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
    assert over_seeds(["a"]) == "a" and over_seeds(["", ""]) == ""
