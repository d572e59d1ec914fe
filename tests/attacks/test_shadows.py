"""Thresholds that shadows of a given model teach: as good as those of two halves, and no better where nothing leaks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.tree import DecisionTreeClassifier

from lmia.attacks import classifier, vote
from lmia.attacks.known_records import halves, run_on_halves
from lmia.attacks.observations import Answers, Compared, Confidences, Distances
from lmia.attacks.scoring import run_attack
from lmia.evaluation.references import flag_of_shadows
from lmia.splits import draw_shadow

N, COPIES, SEEDS, SHADOWS = 100, 8, 30, 4
OTHERWISE = "references trained otherwise"


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 30), st.integers(1, 6), st.integers(0, 200), st.integers(1, 300), st.integers(0, 10**6))
def test_a_shadow_knows_half_of_the_judged_records_and_others_without_a_twin(n, n_classes, n_others, n_train, seed):
    draw = np.random.default_rng(seed)
    size = 2 * n + n_others
    classes, same = draw.integers(0, n_classes, size), draw.integers(0, size, size)
    judged = np.sort(draw.permutation(size)[: 2 * n])
    same[judged] = size + np.arange(2 * n)  # equal records are not judged twice, but their twins may lie elsewhere
    same[np.setdiff1d(np.arange(size), judged)[: n_others // 4]] = same[judged[0]]
    members, nonmembers, others = draw_shadow(judged, classes, same, n_train, seed, 0)
    assert len(members) == len(nonmembers) == n and sorted([*members, *nonmembers]) == judged.tolist()
    assert not np.isin(same[others], same[judged]).any() and len(np.unique(others)) == len(others)
    free = n_others - n_others // 4
    assert len(members) + len(others) == n + min(max(min(n_train, size // 2) - n, 0), free)
    for number in range(n_classes):  # within one of each other
        assert abs(int((classes[members] == number).sum()) - int((classes[nonmembers] == number).sum())) <= 1


def test_which_records_a_shadow_knows_is_a_coin_of_each_whoever_is_a_member():
    """Over many shadows each record is in half of them; another membership of the same judged records changes none."""
    classes, same, judged = np.arange(60) % 3, np.arange(60), np.arange(40)
    is_in = np.array([np.isin(judged, draw_shadow(judged, classes, same, 20, 5, number)[0]) for number in range(400)])
    assert np.abs(is_in.mean(axis=0) - 0.5).max() < 0.12 and len(np.unique(is_in, axis=0)) > 390
    assert not np.array_equal(is_in[0], np.isin(judged, draw_shadow(judged, classes, same, 20, 6, 0)[0]))


def digits():
    inputs, classes = load_digits(return_X_y=True)
    return inputs / 16 + 0.25 * np.random.default_rng(0).standard_normal(inputs.shape), classes


def audited(inputs, classes, seed, leaks, depth=None):
    """(answers of a tree, its members, answers of its shadows, theirs), of records that are drawn by the seed.

    Where nothing leaks, the tree and its shadows were trained on none of those that are judged.
    """
    draw = np.random.default_rng(seed)
    order = draw.permutation(len(inputs))
    ids, elsewhere = np.sort(order[: 2 * N]), order[2 * N : 3 * N]
    is_member = np.isin(ids, order[:N])
    noise = 0.25 * draw.standard_normal((2 * N, COPIES, inputs.shape[1]))

    def asked(rows, state):
        tree = DecisionTreeClassifier(max_depth=depth, random_state=state).fit(inputs[rows], classes[rows])
        copies = (inputs[ids][:, None] + noise).reshape(-1, inputs.shape[1])
        labels = np.column_stack([tree.predict(inputs[ids]), tree.predict(copies).reshape(2 * N, COPIES)])
        return Answers(labels, classes[ids], np.r_[0.0, np.ones(COPIES)])

    target = asked(order[:N] if leaks else elsewhere, seed)
    shadows, is_in = [], []
    for number in range(SHADOWS):
        members, *_ = draw_shadow(ids, classes, np.arange(len(inputs)), N, seed, number)
        other = draw.permutation(np.setdiff1d(np.arange(len(inputs)), ids))[:N]
        shadows.append(asked(members if leaks else other, number))
        is_in.append(np.isin(ids, members))
    return target, is_member, shadows, is_in


def accuracy(result, is_member):
    called = result.scores >= result.threshold
    return (called[is_member].mean() + 1 - called[~is_member].mean()) / 2


@pytest.fixture(scope="module")
def found():
    """(attack, leaks) -> accuracies by two halves and by shadows, floats (SEEDS, 2)."""
    rules = {"vote": vote.Attack, "classifier": lambda: classifier.Attack(weight_decays=[10.0], folds=2)}
    told, data = {}, digits()
    for leaks in (True, False):
        audits = [(seed, *audited(*data, seed, leaks)) for seed in range(SEEDS)]
        for name, make in rules.items():
            told[name, leaks] = np.array(
                [
                    [
                        accuracy(run_on_halves(make, target, is_member, halves(is_member, seed))[0], is_member),
                        accuracy(run_attack(make, target, shadows, is_in)[0], is_member),
                    ]
                    for seed, target, is_member, shadows, is_in in audits
                ]
            )
    return told


@pytest.mark.parametrize("attack", ["vote", "classifier"])
def test_thresholds_of_shadows_are_as_good_as_those_of_halves(found, attack):
    by_halves, by_shadows = found[attack, True].T
    assert by_halves.mean() > 0.65
    assert -0.01 < (by_shadows - by_halves).mean() < 0.03  # a classifier of halves learns from fewer records


@pytest.mark.parametrize("attack", ["vote", "classifier"])
def test_where_nothing_leaks_they_are_right_in_half_of_all_cases(found, attack):
    by_shadows = found[attack, False][:, 1]
    assert abs(by_shadows.mean() - 0.5) < 3 * by_shadows.std(ddof=1) / np.sqrt(SEEDS)
    assert by_shadows.std(ddof=1) < 0.05


def as_kind(kind, answers):
    """What another query set would show of the same labels."""
    right, n = answers.labels[:, 0] == answers.classes, len(answers.classes)
    if kind == "labels":
        return answers
    if kind == "distances":
        return Distances(np.where(right, 0.5, 0.0)[:, None, None], np.ones((n, 1, 1), int), answers.classes)
    if kind == "confidences":
        wrong = np.where(right, answers.classes, (answers.classes + 1) % 10)
        return Confidences(np.eye(10)[wrong] * 0.5 + 0.05, answers.classes)
    nobody = np.zeros((n, 2), int)
    return Compared(answers.labels[:, 0], nobody, nobody > 0, answers.classes)


@pytest.mark.parametrize("kind", ["labels", "distances", "confidences", "references"])
def test_shadows_of_another_training_are_flagged_whatever_was_asked(kind):
    inputs, classes = digits()
    target, is_member, shadows, is_in = audited(inputs, classes, 0, True)
    _, _, others, _ = audited(inputs, classes, 0, True, depth=1)
    alike, otherwise = ([as_kind(kind, of) for of in (target, *some)] for some in (shadows, others))
    assert flag_of_shadows(alike[0], alike[1:], is_in, is_member) == ""
    assert flag_of_shadows(otherwise[0], otherwise[1:], is_in, is_member).startswith(OTHERWISE)


def test_honest_shadows_are_hardly_ever_flagged():
    data = digits()
    flags = [
        flag_of_shadows(target, shadows, is_in, is_member)
        for seed in range(SEEDS)
        for target, is_member, shadows, is_in in [audited(*data, seed, True)]
    ]
    assert sum(map(bool, flags)) <= 1
