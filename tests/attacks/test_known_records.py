"""No record is judged by anything that has seen whether it is a member, and two halves are scored as two models are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmia.attacks import classifier, distance, gap, true_confidence, vote
from lmia.attacks.known_records import halves, halves_in_question, judge_in_question, run_on_halves
from lmia.attacks.observations import Answers, Confidences, Distances
from lmia.attacks.scoring import run_attack

N = 40
CLASSES = np.arange(N) % 2


def observed(kind, seed):
    draw = np.random.default_rng(seed)
    if kind == "labels":
        return Answers(draw.integers(0, 2, (N, 5)), CLASSES, np.array([0.0, 1, 1, 2, 2]))
    if kind == "confidences":
        return Confidences(draw.dirichlet([1, 1], N), CLASSES, draw.standard_normal(N))
    course = np.sort(draw.random((N, 1, 3)), axis=2)[:, :, ::-1]
    stopped, random = draw.random(N) < 0.2, np.sort(draw.random((5, 3)))[:, ::-1]
    return Distances(course, np.arange(N * 3).reshape(N, 1, 3) + 1, CLASSES, stopped, random, np.ones((5, 3), int))


RULES = [
    (gap.Attack, "labels"),
    (vote.Attack, "labels"),
    (lambda: classifier.Attack(weight_decays=[1.0], folds=2), "labels"),
    (distance.Attack, "distances"),
    (lambda: distance.Attack(threshold="random_inputs"), "distances"),
    (true_confidence.Attack, "confidences"),
]


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.sampled_from(RULES), st.sampled_from([0, 1]))
def test_the_membership_of_a_half_changes_nothing_of_how_it_is_judged(seed, rule, half_number):
    make, kind = rule
    target, draw = observed(kind, seed), np.random.default_rng(seed + 1)
    is_member = draw.permutation(N) < N // 2
    half = halves(is_member, seed)
    own = half == half_number
    others = is_member.copy()
    others[own] = ~others[own]
    results = [run_on_halves(make, target, bits, half, "pixels", None, [3]) for bits in (is_member, others)]
    for one, other in zip(*results, strict=True):
        assert one.setting == other.setting
        np.testing.assert_array_equal(one.scores[own], other.scores[own])
        np.testing.assert_array_equal(one.threshold[own], other.threshold[own])


@pytest.mark.parametrize(("make", "kind"), RULES)
def test_each_half_is_scored_with_the_other_as_its_shadow(make, kind):
    target, is_member = observed(kind, 0), np.random.default_rng(5).permutation(N) < 15
    half = halves(is_member, 3)
    found = run_on_halves(make, target, is_member, half, "pixels", None, [3])
    parts = []
    for own in (0, 1):
        rows, others = half == own, half != own
        known = [target.take(np.flatnonzero(others))], [is_member[others]]
        parts.append(run_attack(make, target.take(np.flatnonzero(rows)), *known, "pixels", None, [3]))
        for whole, part in zip(found, parts[-1], strict=True):
            assert whole.setting == part.setting
            np.testing.assert_array_equal(whole.scores[rows], part.scores)
            np.testing.assert_array_equal(whole.threshold[rows], np.full(rows.sum(), part.threshold))
    for whole, one, other in zip(found, *parts, strict=True):
        sizes = [(half == 0).sum(), (half == 1).sum()]
        assert whole.queries == pytest.approx(np.average([one.queries, other.queries], weights=sizes))
        assert whole.searches == tuple(np.add(one.searches, other.searches))
        assert whole.chosen == one.chosen == other.chosen or (np.isnan(whole.chosen) and not one.chosen == other.chosen)


@given(st.integers(2, 60), st.integers(2, 60), st.integers(0, 10**6))
def test_halves_have_as_many_of_each_kind(n_members, n_others, seed):
    is_member = np.random.default_rng(seed).permutation(n_members + n_others) < n_members
    half = halves(is_member, seed)
    for kind in (True, False):
        sizes = np.bincount(half[is_member == kind], minlength=2)
        assert abs(int(sizes[0]) - int(sizes[1])) <= 1 and sizes.min() >= 1


def test_halves_are_drawn_by_the_seed():
    is_member = np.arange(N) < 20
    assert (halves(is_member, 1) == halves(is_member, 1)).all() and (halves(is_member, 1) != halves(is_member, 2)).any()


@pytest.mark.parametrize("kind", ["labels", "distances", "confidences"])
def test_some_of_the_examples(kind):
    """All that is of an example is of the taken ones, and what is of the model is as it was."""
    whole, rows = observed(kind, 1), np.array([5, 2, 30])
    part = whole.take(rows)
    of_model = {"magnitudes", "random_distance", "random_queries", "population"}
    for name, values in vars(whole).items():
        if values is not None:
            np.testing.assert_array_equal(getattr(part, name), values if name in of_model else values[rows])
    if kind == "distances":
        assert Distances(whole.distance, whole.n_queries, CLASSES).take(rows).stopped is None
    if kind == "confidences":
        assert Confidences(whole.probabilities, CLASSES).take(rows).phi is None


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.sampled_from(RULES), st.integers(1, N))
def test_records_in_question_are_judged_as_the_known_ones_of_their_half(seed, rule, n_asked):
    """Known ones that are put in question again, in the half that they were in, are scored as they were."""
    make, kind = rule
    target = observed(kind, seed)
    is_member = np.random.default_rng(seed + 1).permutation(N) < N // 2
    half = halves(is_member, seed)
    (main, *_) = run_on_halves(make, target, is_member, half, "pixels", 4, [])
    rows = np.random.default_rng(seed + 2).permutation(N)[:n_asked]
    asked = judge_in_question(make, target, is_member, half, target.take(rows), half[rows], "pixels", 4)
    np.testing.assert_allclose(asked.scores, main.scores[rows], rtol=1e-12)  # a classifier's sums depend on its batch
    np.testing.assert_allclose(np.broadcast_to(asked.threshold, n_asked), main.threshold[rows], rtol=1e-12)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.sampled_from(RULES), st.integers(1, N))
def test_what_is_said_of_a_record_does_not_depend_on_who_else_is_in_question(seed, rule, n_asked):
    make, kind = rule
    target, others = observed(kind, seed), observed(kind, seed + 1)
    is_member = np.random.default_rng(seed + 2).permutation(N) < N // 2
    known = (make, target, is_member, halves(is_member, seed))
    ids, rows = np.arange(N) + 7, np.random.default_rng(seed + 3).permutation(N)[:n_asked]
    own = halves_in_question(ids, seed)
    np.testing.assert_array_equal(halves_in_question(ids[rows], seed), own[rows])
    whole, part = (judge_in_question(*known, others.take(of), own[of]) for of in (np.arange(N), rows))
    np.testing.assert_allclose(part.scores, whole.scores[rows], rtol=1e-9)  # sums of other sizes round otherwise


def test_records_in_question_are_in_both_halves():
    assert 400 < halves_in_question(np.arange(1000), 0).sum() < 600
