"""Targets of a block of seeds, each scored by its own shadows."""

import numpy as np

from lmia.attacks import distance, vote
from lmia.attacks.observation_files import ObservedModels
from lmia.attacks.observations import Answers, Distances
from lmia.attacks.scoring import run_attack, score_block

IDS = np.array([[0, 1, 2, 3], [4, 5, 6, 7]])


def answers(seed):
    """Of four points of class 0 to an input and two copies of each of two magnitudes."""
    labels = (np.random.default_rng(seed).random((4, 5)) < 0.4).astype(int)
    return Answers(labels, np.zeros(4, int), np.array([0.0, 1, 1, 2, 2]))


def observed(*per_seed, unit="pixels"):
    return ObservedModels(list(per_seed), IDS, unit, [])


def test_each_target_has_its_own_shadows_and_their_members():
    targets, shadows = (
        observed(answers(0), answers(1)),
        [observed(answers(2), answers(3)), observed(answers(4), answers(5))],
    )
    is_member = [np.array([[1, 1, 0, 0], [0, 1, 0, 1]], bool), np.array([[0, 1, 1, 0], [1, 0, 0, 1]], bool)]
    arrays = score_block(vote.Attack, targets, shadows, is_member, None, [3])
    assert arrays["settings"].tolist() == ["", "budget=3", "pixels=1", "pixels=2"]
    for s in range(2):
        of_shadows, known = [of.per_seed[s] for of in shadows], [of[s] for of in is_member]
        ways = run_attack(vote.Attack, targets.per_seed[s], of_shadows, known, "pixels", None, [3])
        np.testing.assert_array_equal(arrays["scores"][s], [way.scores for way in ways])
        for name, field in {"thresholds": "threshold", "queries": "queries", "chosen": "chosen"}.items():
            np.testing.assert_array_equal(arrays[name][s], [getattr(way, field) for way in ways])
    assert arrays["searches"].shape == (2, 4, 2) and arrays["can_rank"].tolist() == [True, True]
    np.testing.assert_array_equal(arrays["example_ids"], IDS)


def test_a_target_whose_searches_stopped_cannot_rank():
    def searched(stopped):
        return Distances(
            np.array([[[2.0]], [[1]], [[0.5]], [[np.inf]]]), np.full((4, 1, 1), 9), np.zeros(4, int), stopped
        )

    none, some = searched(np.zeros(4, bool)), searched(np.array([False, True, False, False]))
    known = [np.array([[True, True, False, False]] * 2)]
    arrays = score_block(distance.Attack, observed(none, some, unit=""), [observed(none, none)], known, None, [])
    assert arrays["can_rank"].tolist() == [True, False] and arrays["searches"].tolist() == [[[1, 4]]] * 2
