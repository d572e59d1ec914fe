"""Difficulty calibration: the closed form, and members that only their own model knows."""

import numpy as np
import pytest

from lmia.attacks.difficulty import Attack
from lmia.attacks.observations import Compared
from lmia.evaluation.metrics import auc


def test_the_score_is_right_less_the_share_of_references_without_the_example():
    asked = Compared(
        labels=np.array([1, 1, 0, 2]),
        reference_labels=np.array([[1, 1, 1], [0, 0, 1], [1, 1, 1], [2, 2, 0]]),
        is_in=np.array([[0, 0, 0], [0, 0, 1], [0, 0, 0], [1, 1, 1]], bool),
        classes=np.array([1, 1, 1, 2]),
    )
    without = [1, 1, 1, 0, 0, 1, 1, 1]  # right or not, of all that had not seen the example
    expected = [1 - 1, 1 - 0, 0 - 1, 1 - np.mean(without)]  # no reference was without the last one
    assert Attack().fit(asked, np.zeros(4, bool)).score(asked).tolist() == expected
    assert asked.take(np.array([1])).features().tolist() == [[1, 0]] and asked.queries().tolist() == [1] * 4
    both = Compared.concatenate([asked.take(np.array([0, 1])), asked.take(np.array([2]))])
    assert both.features().tolist() == asked.features()[:3].tolist()


def test_it_finds_members_that_the_gap_attack_hides_among_easy_records():
    draw, n = np.random.default_rng(0), 2000
    is_member, ease = np.arange(n) % 2 == 0, draw.beta(4, 1, n)
    right = is_member | (draw.random(n) < ease)  # the model knows all its members
    others = (draw.random((n, 20)) < ease[:, None]).astype(int)
    asked = Compared(right.astype(int), others, np.zeros((n, 20), bool), np.ones(n, int))
    score = Attack().score(asked)
    assert auc(score, is_member) > auc(right.astype(float), is_member) + 0.02
    assert is_member[score > 0.8].mean() > 0.8


def test_other_shapes_are_refused():
    arrays = {"labels": np.zeros(3), "reference_labels": np.zeros((3, 2)), "is_in": np.zeros((3, 2), bool)}
    for name, wrong in (("labels", np.zeros(2)), ("reference_labels", np.zeros(3)), ("is_in", np.zeros((3, 1), bool))):
        with pytest.raises(ValueError, match="^labels, reference_labels, is_in: expected shapes"):
            Compared(**arrays | {name: wrong}, classes=np.zeros(3))
