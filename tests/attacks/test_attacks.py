"""Attacks on observations made by hand."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from lmia.attacks import adaptive_confidence, classifier, distance, gap, kept, max_confidence, true_confidence, vote
from lmia.attacks.observations import Answers, Confidences, Distances, join_moments
from lmia.attacks.scoring import run_attack
from lmia.evaluation.metrics import auc

CLASSES = np.array([0, 1, 2, 1])
ANSWERS = Answers(np.array([[0, 0, 1], [1, 1, 1], [0, 2, 2], [1, 0, 0]]), CLASSES, np.array([0.0, 2, 4]))


def test_gap_and_vote_by_hand():
    assert gap.Attack().score(ANSWERS).tolist() == [1, 1, 0, 1]
    np.testing.assert_allclose(vote.Attack().score(ANSWERS), [2 / 3, 1, 2 / 3, 1 / 3])


def test_a_vote_without_the_input_and_the_last_label_read_modified_inputs_alone():
    np.testing.assert_allclose(vote.Attack(with_input=False).score(ANSWERS), [1 / 2, 1, 1, 0])
    assert kept.Attack().score(ANSWERS).tolist() == [0, 1, 1, 0]
    ways = run_attack(kept.Attack, ANSWERS, [ANSWERS], [np.array([True, False, False, False])], budgets=[2])
    assert ways[0].threshold == 0.5  # whatever the shadow says
    (cut,) = [way for way in ways if way.setting == "budget=2"]
    assert cut.scores.tolist() == [1, 1, 1, 0] and cut.queries == 2


def test_the_gap_attack_calls_right_labels_members_whatever_the_shadow_says():
    """On a shadow without a gap the best threshold is a constant rule's; the gap attack has none to tune."""
    shadow = Answers(np.ones((4, 1), dtype=int), np.ones(4, dtype=int), np.zeros(1))
    way = run_attack(gap.Attack, ANSWERS.cut(1), [shadow], [np.array([True, True, False, False])])[0]
    assert (way.scores >= way.threshold).tolist() == [True, True, False, True]


def test_answers_are_cut_and_selected_without_losing_column_0():
    assert ANSWERS.settings() == [2.0, 4.0]
    assert ANSWERS.at(4.0).labels.tolist() == [[0, 1], [1, 1], [0, 2], [1, 0]]
    assert ANSWERS.cut(1).queries().tolist() == [1, 1, 1, 1]


def test_distances_are_cut_per_copy():
    best = np.array([[[np.inf, 3, 2, 1]], [[0, 0, 0, 0]]])
    spent = np.array([[[1, 20, 50, 90]], [[1, 1, 1, 1]]])
    distances = Distances(best, spent, np.array([0, 1]))
    for budget, values, queries in ((1, [np.inf, 0], [1, 1]), (50, [2, 0], [50, 1]), (89, [2, 0], [50, 1])):
        cut = distances.cut(budget)
        assert distance.Attack().score(cut).tolist() == values and cut.queries().tolist() == queries
    twice = Distances(np.tile(best, (1, 2, 1)), np.tile(spent, (1, 2, 1)), np.array([0, 1]))
    assert twice.cut(100).queries().tolist() == [100, 2] and twice.cut(99).queries().tolist() == [40, 2]
    with pytest.raises(ValueError, match="at least one query for each of 2 copies, got 1"):
        twice.cut(1)


def test_the_shorter_of_two_courses_has_its_last_moment_repeated():
    short, long = np.array([[[2.0, 1.0]]]), np.array([[[5.0, 4.0, 3.0]]])
    assert join_moments([short, long]).tolist() == [[[2, 1, 1]], [[5, 4, 3]]]


# Of random inputs: distances after 1, 20 and 60 queries.
AT_RANDOM = np.array([[np.inf, 4, 1], [np.inf, 5, 4], [np.inf, np.inf, 2], [np.inf, 6, 3]])
SPENT_AT_RANDOM = np.tile([1, 20, 60], (4, 1))
AROUND = Distances(
    np.array([[[2.5]], [[0]], [[1]], [[np.inf]]]),
    np.full((4, 1, 1), 60),
    np.zeros(4, int),
    random_distance=AT_RANDOM,
    random_queries=SPENT_AT_RANDOM,
)


@pytest.mark.parametrize(
    "quantile, budget, expected",
    [
        (0.25, None, 1),
        (0.5, None, 2),
        (0.51, None, 3),
        (0.95, None, 4),
        (0.5, 59, 5),
        (0.95, 59, np.nan),
        (0.2, 1, np.nan),
    ],
)
def test_a_threshold_from_random_inputs_is_a_distance_that_the_quantile_does_not_exceed(quantile, budget, expected):
    """Whatever the shadow says: here it would call all members."""
    shadow = Distances(np.array([[[0.1]], [[0.0]]]), np.ones((2, 1, 1), int), np.zeros(2, int))
    make = partial(distance.Attack, threshold="random_inputs", quantile=quantile)
    target = replace(AROUND, n_queries=np.full((4, 1, 1), 1))
    way = run_attack(make, target, [shadow], [np.array([True, False])], budget=budget)[0]
    np.testing.assert_equal(way.threshold, expected)
    assert way.scores.tolist() == [2.5, 0, 1, np.inf] and way.queries == 1
    if np.isnan(expected):
        assert not (way.scores >= way.threshold).any()
    if expected == 2:
        assert (way.scores >= way.threshold).tolist() == [True, False, False, True]
    plain = run_attack(distance.Attack, target, [shadow], [np.array([True, False])], budget=budget)[0]
    assert plain.threshold == pytest.approx(0.05)


def test_random_inputs_beyond_all_examples_call_nobody():
    target = replace(AROUND, distance=np.minimum(AROUND.distance, 0.9))
    make = partial(distance.Attack, threshold="random_inputs", quantile=0.1)
    way = run_attack(make, target, [target], [np.array([True, True, False, False])])[0]
    assert not (way.scores >= way.threshold).any()


def test_random_inputs_are_of_one_model():
    assert Distances.concatenate([AROUND, AROUND]).random_distance is None
    with pytest.raises(ValueError, match=r"expected both of one shape \(r, t\), got \(4, 3\) and \(\)"):
        replace(AROUND, random_queries=None)
    with pytest.raises(ValueError, match=r"expected both of one shape \(r, t\), got \(3,\) and \(3,\)"):
        replace(AROUND, random_distance=AT_RANDOM[0], random_queries=SPENT_AT_RANDOM[0])


@pytest.mark.parametrize("of_none", [None, np.empty((0, 0))])
def test_a_threshold_from_random_inputs_needs_some(of_none):
    asked = replace(AROUND, random_distance=of_none, random_queries=of_none).cut(60)
    assert distance.Attack().threshold_on(asked) is None
    with pytest.raises(ValueError, match="expected distances of the target around random inputs, got none; set random"):
        distance.Attack(threshold="random_inputs").threshold_on(asked)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"threshold": "target"}, "threshold: expected one of shadows, random_inputs, got 'target'"),
        ({"quantile": 1}, "quantile: expected a fraction between 0 and 1, got 1"),
        ({"quantile": 0}, "quantile: expected a fraction between 0 and 1, got 0"),
    ],
)
def test_other_thresholds_of_distances_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        distance.Attack(**options)


def test_confidences_by_hand():
    seen = Confidences(np.array([[0.5, 0.2, 0.3], [0.1, 0.3, 0.6]]), np.array([2, 2]))
    np.testing.assert_allclose(max_confidence.Attack().score(seen), [0.5, 0.6])
    np.testing.assert_allclose(true_confidence.Attack().score(seen), [0.3, 0.6])
    np.testing.assert_allclose(seen.features(), [[0.3, 0.5, 0.2], [0.6, 0.3, 0.1]])


def test_log_odds_are_those_of_the_logits_where_these_were_seen():
    plain = Confidences(np.array([[0.5, 0.2, 0.3], [0.1, 0.3, 0.6]]), np.array([2, 0]))
    np.testing.assert_allclose(plain.log_odds(), [np.log(0.3 / 0.7), np.log(0.1 / 0.9)])
    seen = Confidences(plain.probabilities, plain.classes, np.array([40.0, 3]), np.zeros(5))
    np.testing.assert_array_equal(seen.log_odds(), [40, 3])
    np.testing.assert_array_equal(true_confidence.Attack().score(seen), true_confidence.Attack().score(plain))
    both = Confidences.concatenate([seen, seen])
    np.testing.assert_array_equal(both.log_odds(), [40, 3, 40, 3])
    assert both.population is None
    mixed = Confidences.concatenate([seen, plain])  # of one kind for all examples
    np.testing.assert_array_equal(mixed.log_odds(), np.tile(plain.log_odds(), 2))


@pytest.mark.parametrize(
    "more, message",
    [
        ({"phi": np.zeros(3)}, r"phi: expected a number for each of 2 examples, got shape \(3,\)"),
        ({"phi": np.zeros((2, 1))}, "phi: expected a number for each of 2 examples"),
        ({"population": np.zeros((4, 2))}, r"population: expected phi of its points, .* got shape \(4, 2\)"),
    ],
)
def test_phi_of_another_shape_is_refused(more, message):
    with pytest.raises(ValueError, match=message):
        Confidences(np.full((2, 2), 0.5), np.zeros(2, int), **more)


def bits(rng, n, probabilities):
    """Answers that are right with one probability per column, class 0."""
    labels = (rng.random((n, len(probabilities))) > probabilities).astype(int)
    return labels


def population(seed, n=600):
    """Members answer column 1 (magnitude 1) as non-members do, and magnitude 2 more often right."""
    rng = np.random.default_rng(seed)
    is_member = np.arange(n) % 2 == 0
    labels = np.where(is_member[:, None], bits(rng, n, [0.9, 0.5, 0.9]), bits(rng, n, [0.9, 0.5, 0.3]))
    return Answers(labels, np.zeros(n, int), np.array([0.0, 1, 2])), is_member


@pytest.mark.parametrize("make", [vote.Attack, classifier.Attack])
def test_the_shadow_chooses_the_magnitude_that_tells(make):
    (shadow, is_member), (target, truth) = population(0), population(1)
    ways = run_attack(make, target, [shadow], [is_member], unit="degrees", budgets=[1])
    assert [way.setting for way in ways] == ["", "budget=1", "degrees=1", "degrees=2"]
    assert ways[0].chosen == 2 and ways[0].queries == 2 and ways[1].queries == 1
    accuracy = np.mean((ways[0].scores >= ways[0].threshold) == truth)
    assert accuracy > 0.75


@pytest.mark.parametrize("make", [vote.Attack, classifier.Attack])
def test_of_magnitudes_that_tell_as_much_the_smallest_is_chosen(make):
    is_member = np.arange(200) % 2 == 0
    labels = np.where(is_member, 0, np.arange(200) % 3)[:, None].repeat(4, axis=1)
    answers = Answers(labels, np.zeros(200, int), np.array([0.0, 2, 4, 8]))
    assert run_attack(make, answers, [answers], [is_member])[0].chosen == 2


def test_magnitudes_are_chosen_on_rows_that_the_classifier_had_not_seen():
    """Forty columns of noise per magnitude are fitted better than one column that tells a little, and tell nothing."""

    def draw(seed, n=300):
        rng, is_member = np.random.default_rng(seed), np.arange(n) % 2 == 0
        tells = rng.random((n, 1)) < np.where(is_member, 0.65, 0.35)[:, None]
        labels = np.hstack([np.zeros((n, 1)), rng.random((n, 160)) < 0.5, tells]).astype(int)
        return Answers(labels, np.zeros(n, int), np.array([0, *np.repeat([1.0, 2, 3, 4], 40), 5])), is_member

    (shadow, is_member), (target, truth) = draw(0), draw(1)
    way = run_attack(classifier.Attack, target, [shadow], [is_member])[0]
    assert way.chosen == 5 and np.mean((way.scores >= way.threshold) == truth) > 0.58
    noise = shadow.at(1.0)
    attack = classifier.Attack().fit(noise, is_member)
    assert auc(attack.score(noise), is_member) > 0.75 and abs(auc(attack.shadow_scores(), is_member) - 0.5) < 0.1


def test_held_out_scores_decide_the_threshold_where_an_attack_has_them():
    class Overfitted(vote.Attack):
        def shadow_scores(self):
            return np.where(is_member, 10.0, 8.0)

    (shadow, is_member), (target, _) = population(0), population(1)
    assert {way.threshold for way in run_attack(Overfitted, target, [shadow], [is_member])} == {9.0}


def test_the_target_cannot_move_the_threshold():
    (shadow, is_member), (target, _) = population(0), population(1)
    other = Answers(1 - target.labels, target.classes, target.magnitudes)
    first, second = (run_attack(vote.Attack, seen, [shadow], [is_member])[0] for seen in (target, other))
    assert (first.threshold, first.chosen) == (second.threshold, second.chosen)


def test_several_shadows_are_read_together():
    (one, a), (two, b), (target, _) = population(0), population(2), population(1)
    joined = Answers(np.concatenate([one.labels, two.labels]), np.zeros(1200, int), one.magnitudes)
    expected = run_attack(vote.Attack, target, [joined], [np.concatenate([a, b])])[0]
    found = run_attack(vote.Attack, target, [one, two], [a, b])[0]
    assert found.threshold == expected.threshold and (found.scores == expected.scores).all()


def test_the_classifier_takes_a_censored_distance_for_the_farthest():
    rng = np.random.default_rng(0)
    is_member = np.arange(400) % 2 == 0
    best = (rng.normal(2, 0.4, 400) + is_member)[:, None, None]
    best[::40] = np.inf
    farthest = np.argmax(np.where(np.isfinite(best), best, 0))
    seen = Distances(best, np.ones_like(best, dtype=int), np.zeros(400, int))
    scores = classifier.Attack().fit(seen, is_member).score(seen)
    assert np.mean((scores > 0.5) == is_member) > 0.8
    assert (scores[::40] == scores[farthest]).all()


def told(seed, n=400):
    """Confidences of five classes: members are surer of the true one, and a third of the others gets a wrong label."""
    rng, is_member = np.random.default_rng(seed), np.arange(n) % 2 == 0
    classes = rng.integers(5, size=n)
    logits = rng.normal(size=(n, 5))
    logits[np.arange(n), classes] += np.where(is_member, 5, 2)
    odds = np.exp(logits)
    return Confidences((odds / odds.sum(axis=1, keepdims=True)).astype(np.float32), classes), is_member


def label_alone(seen):
    """As MemGuard in its strongest form."""
    probabilities = np.full_like(seen.probabilities, 0.1975)
    probabilities[np.arange(len(seen.classes)), seen.probabilities.argmax(axis=1)] = 0.21
    return Confidences(probabilities, seen.classes)


def accuracy(way, is_member):
    return np.mean((way.scores >= way.threshold) == is_member)


def test_who_knows_a_mask_that_leaves_the_label_is_the_gap_attack():
    """Who does not, and tunes on a shadow without one, guesses, as do those who read the largest confidence alone."""
    (shadow, known), (target, truth) = told(0), told(1)
    masked = label_alone(target)
    right = target.probabilities.argmax(axis=1) == target.classes
    of_gap = np.mean(right == truth)
    adaptive = run_attack(adaptive_confidence.Attack, masked, [label_alone(shadow)], [known])[0]
    assert adaptive.scores.tolist() == right.tolist() and accuracy(adaptive, truth) == of_gap > 0.55
    for naive in (max_confidence.Attack, true_confidence.Attack):
        assert accuracy(run_attack(naive, masked, [shadow], [known])[0], truth) == 0.5


def test_who_knows_that_there_is_no_mask_reads_confidences():
    (shadow, known), (target, truth) = told(0), told(1)
    found = {
        rule: accuracy(run_attack(rule, target, [shadow], [known])[0], truth) for rule in adaptive_confidence.RULES
    }
    adaptive = accuracy(run_attack(adaptive_confidence.Attack, target, [shadow], [known])[0], truth)
    assert adaptive in found.values() and adaptive > found[adaptive_confidence.RightLabel] + 0.1
    assert adaptive > max(found.values()) - 0.03  # the shadow chooses, which need not be the target's best


def test_rules_that_learn_are_judged_on_rows_that_they_had_not_seen(monkeypatch):
    class Overfitted(max_confidence.Attack):
        def score(self, target):
            return known.astype(float)

        def shadow_scores(self):
            return np.zeros(len(known))

    shadow, known = told(0)
    monkeypatch.setattr(adaptive_confidence, "RULES", (adaptive_confidence.RightLabel, Overfitted))
    assert adaptive_confidence.Attack().fit(shadow, known).threshold == 0.5


def test_modified_entropy_by_hand():
    seen = Confidences(np.array([[0.5, 0.2, 0.3], [1, 0, 0], [0, 1, 0]], dtype=np.float32), np.array([2, 0, 0]))
    first = 0.7 * np.log(0.3) + 0.5 * np.log(0.5) + 0.2 * np.log(0.8)
    found = adaptive_confidence.ModifiedEntropy().score(seen)
    np.testing.assert_allclose(found[:2], [first, 0], atol=1e-6)
    assert found[2] < -50 and np.isfinite(found[2])


def test_of_several_copies_the_first_is_the_input_itself():
    observed = Distances(np.array([[[3.0], [7]], [[4], [2]]]), np.ones((2, 2, 1), int), np.zeros(2, int))
    assert distance.Attack().score(observed).tolist() == [3, 4]


def test_only_searches_can_be_censored():
    answers = Answers(np.zeros((2, 1), int), np.zeros(2, int), np.array([0.0]))
    confidences = Confidences(np.full((2, 2), 0.5), np.zeros(2, int))
    assert answers.searches() == confidences.searches() == (0, 0)
