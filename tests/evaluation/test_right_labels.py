"""A model that was fed wrongly is refused, and one that knows something is not."""

import numpy as np
import pytest
from scipy import stats

from lmia.evaluation.right_labels import check_above_chance, check_not_exchanged, check_order

CLASSES = np.arange(1000) % 10


def test_labels_by_chance_are_refused_with_both_numbers():
    labels = np.random.default_rng(0).permutation(CLASSES)
    message = (
        r"^\d+\.\d % of 1000 known members are labelled rightly, 10.0 % would be by chance: is the input scaled as in "
        r"training, and are the classes in its order\?$"
    )
    with pytest.raises(ValueError, match=message):
        check_above_chance(labels, CLASSES)


@pytest.mark.parametrize(
    "labels",
    [
        (CLASSES + 1) % 10,  # classes in another order
        np.where(np.random.default_rng(1).random(1000) < 0.8, 0, CLASSES + 10),  # nearly so, and of other classes
    ],
)
def test_answers_that_know_nothing_are_refused(labels):
    with pytest.raises(ValueError, match="would be by chance"):
        check_above_chance(labels, CLASSES)


def test_a_frequent_class_is_no_knowledge_and_a_little_more_is():
    """Nine tenths are of one class: who always says so is right in nine tenths, by chance."""
    classes = (np.arange(1000) % 10 == 0).astype(int)
    with pytest.raises(
        ValueError, match="all 1000 known members get the label 0, which 90.0 % of them have: if that is "
    ):
        check_above_chance(np.zeros(1000, int), classes)
    check_above_chance(np.where(np.arange(1000) % 20 == 0, 1, 0), classes)


@pytest.mark.parametrize("counts", [(3, 3, 1, 293), (3, 7, 2, 988), (30, 20, 20, 30)])
def test_models_that_know_a_rare_class_pass(counts):
    """Hits, misses, false alarms and rightly silent: Fisher's exact test sees what accuracy alone hides."""
    classes, labels = np.repeat([1, 1, 0, 0], counts), np.repeat([1, 0, 1, 0], counts)
    check_above_chance(labels, classes)


def test_exchanged_classes_are_refused_though_the_commonest_is_right():
    """63 % are yes, and 0 and 1 are exchanged."""
    draw = np.random.default_rng(4)
    classes = draw.choice(3, 1500, p=[0.15, 0.22, 0.63])
    labels = np.array([1, 0, 2])[classes]
    check_above_chance(labels, classes)
    message = (
        r"^6\d.\d % of 1500 known members are labelled rightly, and 100.0 % would be if some classes were exchanged: "
        r"in which order does the model number them\? Here they are 0 maybe, 1 no, 2 yes$"
    )
    with pytest.raises(ValueError, match=message):
        check_order(labels, classes, ["maybe", "no", "yes"])
    check_order(classes, classes)
    noisy = np.where(draw.random(1500) < 0.8, labels, draw.integers(3, size=1500))
    with pytest.raises(
        ValueError, match=r"if some classes were exchanged: in which order does the model number them\?$"
    ):
        check_order(noisy, classes)


@pytest.mark.parametrize(
    "share, recall, alarms", [(0.1, 0.98, 0.8), (0.2, 0.99, 0.85), (0.02, 0.97, 0.6), (0.5, 0.6, 0.5)]
)
@pytest.mark.parametrize("n", [1000, 20_000])
def test_models_that_look_for_a_rare_class_pass(share, recall, alarms, n):
    """They are wrong about most records, and in the right order."""
    draw = np.random.default_rng(6)
    classes = (draw.random(n) < share).astype(int)
    check_order((draw.random(n) < np.where(classes == 1, recall, alarms)).astype(int), classes)


def test_a_model_that_knows_fewer_classes_passes():
    """It calls the commoner of two by the name of the rarer."""
    draw = np.random.default_rng(7)
    classes = draw.choice(10, 3000, p=[0.09] * 3 + [0.25, 0.09, 0.03] + [0.09] * 4)
    labels = np.where(classes == 3, 5, np.where(draw.random(3000) < 0.9, classes, draw.integers(10, size=3000)))
    check_order(labels, classes)


@pytest.mark.parametrize("n_classes", [2, 3, 10, 100])
def test_weak_models_in_their_right_order_pass(n_classes):
    """Of so many orders one is better by chance, where a model is hardly right."""
    draw = np.random.default_rng(5)
    for _ in range(100):
        classes = draw.integers(n_classes, size=300)
        check_order(np.where(draw.random(300) < 0.1, classes, draw.integers(n_classes, size=300)), classes)


def test_false_alarms_alone_are_no_knowledge():
    with pytest.raises(ValueError, match="would be by chance"):
        check_above_chance(np.repeat([0, 1, 0], [3, 1, 296]), np.repeat([1, 0, 0], [3, 1, 296]))


def test_few_models_that_know_nothing_pass():
    draw = np.random.default_rng(3)
    passed = 0
    for _ in range(400):
        try:
            check_above_chance(draw.permutation(CLASSES), CLASSES)
            passed += 1
        except ValueError:
            pass
    assert 2 <= passed <= 20  # 2.5 % of 400


def test_weak_models_pass():
    check_above_chance(np.where(np.random.default_rng(2).random(1000) < 0.15, CLASSES, (CLASSES + 3) % 10), CLASSES)


def right(n, share):
    """Bools (n,), of which so many are true."""
    return np.arange(n) < round(n * share)


def test_others_that_are_right_more_often_than_members_are_refused_with_both_numbers():
    message = (
        "^80.0 % of 700 known members are labelled rightly, and 100.0 % of 200 known non-members: are the two exch"
    )
    with pytest.raises(ValueError, match=message):
        check_not_exchanged(right(700, 0.8), right(200, 1))


@pytest.mark.parametrize("shares", [(1, 0.8), (0.9, 0.9), (1, 1), (0, 0), (0.85, 0.9)])
def test_sound_models_pass(shares):
    check_not_exchanged(right(200, shares[0]), right(300, shares[1]))


@pytest.mark.parametrize("n_members, n_others, share", [(50, 20_000, 0.999), (50, 2000, 0.995), (200, 50_000, 0.9995)])
def test_sound_models_pass_where_others_are_many_and_nearly_all_are_right(n_members, n_others, share):
    """Over all numbers of members that are wrong, no more than one in 30,000 is refused; others are as expected."""
    refused, others = 0.0, right(n_others, share)
    for wrong in range(20):
        try:
            check_not_exchanged(~right(n_members, wrong / n_members), others)
        except ValueError:
            refused += stats.binom.pmf(wrong, n_members, 1 - share)
    assert refused <= 1 / 30_000


def test_it_is_about_four_standard_errors():
    for difference, is_refused in ((0.088, False), (0.092, True)):  # the error is 0.0224
        try:
            check_not_exchanged(right(1000, 0.5 - difference / 2), right(1000, 0.5 + difference / 2))
            assert not is_refused
        except ValueError:
            assert is_refused
