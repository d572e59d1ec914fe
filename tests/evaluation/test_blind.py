"""Two sets of one population are not told apart without a model, and two populations are."""

import numpy as np
import pandas as pd
import pytest

from lmia.evaluation.blind import blind_auc, permutation_test
from lmia.evaluation.metrics import auc
from lmia.table import Table


def population(seed, n=400, shape=(6,)):
    draw = np.random.default_rng(seed)
    return draw, draw.random((n, *shape)).astype(np.float32), draw.integers(0, 3, n), draw.permutation(n) < n // 2


def test_members_and_others_of_one_population_are_alike():
    """Two or three of a hundred intervals lie above one half, and as many below."""
    found = [blind_auc(*population(seed)[1:], seed=seed) for seed in range(40)]
    assert sum(low > 0.5 for _, low, _ in found) <= 4 and sum(high < 0.5 for *_, high in found) <= 4
    assert np.mean([auc for auc, _, _ in found]) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("n, n_others, decimals", [(5, 10, 9), (5, 100, 9), (5, 100, 0), (50, 50, 9)])
def test_a_permutation_test_is_right_of_few_too(n, n_others, decimals):
    """Of p-values of one population 2.5 % are as small, or fewer where scores are tied."""
    draw, found = np.random.default_rng(1), []
    for seed in range(500):
        found.append(
            permutation_test(draw.normal(size=n + n_others).round(decimals), np.arange(n + n_others) < n, seed)
        )
    share = np.mean([p_value <= 0.025 for _, p_value in found])
    assert (0.01 if decimals else 0.002) <= share <= 0.04


def test_a_permutation_test_has_the_auc_and_counts_ties_for_it():
    scores, is_member = np.array([2.0, 1, 1, 0]), np.array([True, True, False, False])
    found, p_value = permutation_test(scores, is_member)
    assert found == auc(scores, is_member) == 0.875
    assert p_value == pytest.approx(2 / 6, abs=0.05)  # of six pairs, this one and its like score so high
    assert permutation_test(np.zeros(4), is_member) == (0.5, 1.0)


@pytest.mark.parametrize("n_classes", [3, 300])
def test_a_shift_of_one_feature_is_seen(n_classes):
    _, inputs, classes, is_member = population(0)
    classes[0] = n_classes - 1
    inputs[is_member, 2] += 0.5
    auc, low, high = blind_auc(inputs, classes, is_member)
    assert 0.5 < low < auc < high <= 1 and auc > 0.7


def test_a_difference_that_no_line_tells_is_seen():
    _, inputs, classes, is_member = population(1)
    inputs[:, 0] = np.where(is_member, inputs[:, 0] / 3 + 1 / 3, np.where(inputs[:, 0] < 0.5, 0.1, 0.9))
    assert blind_auc(inputs, classes, is_member)[1] > 0.9


def test_other_shares_of_the_classes_are_seen():
    draw, inputs, classes, is_member = population(2, n=800)
    classes = np.where(draw.random(800) < np.where(is_member, 0.9, 0.4), 0, 1)
    assert blind_auc(inputs, classes, is_member)[1] > 0.6


def test_images_are_looked_at_by_their_components():
    _, inputs, classes, is_member = population(3, shape=(1, 20, 20))
    assert blind_auc(inputs, classes, is_member)[1] < 0.5
    inputs[is_member] *= 0.8
    assert blind_auc(inputs, classes, is_member)[1] > 0.6


@pytest.mark.parametrize("n_texts, n_columns", [(2, 0), (1, 60)])
def test_a_column_beside_counts_of_many_words_is_seen(n_texts, n_columns):
    draw, _, classes, is_member = population(5, n=600)
    words = np.array([f"word{number}" for number in range(300)])
    texts = {f"text {i}": [" ".join(draw.choice(words, 40)) for _ in classes] for i in range(n_texts)}
    numbers = {f"number {i}": draw.integers(0, 5, 600) for i in range(n_columns)}
    ages = np.where(is_member, draw.integers(20, 50, 600), draw.integers(40, 70, 600))
    frame = pd.DataFrame({"age": ages, **numbers, **texts})
    table = Table.of(frame, classes, texts=list(texts))
    assert blind_auc(table.features(table.encode(frame)), classes, is_member)[1] > 0.8


def test_what_all_features_of_rows_say_together_is_seen():
    _, inputs, classes, is_member = population(6, shape=(400,))
    inputs[is_member] *= 0.9
    assert blind_auc(inputs, classes, is_member)[1] > 0.6


def test_the_seed_decides_and_nothing_else():
    given = population(4)[1:]
    assert blind_auc(*given, seed=1) == blind_auc(*given, seed=1) != blind_auc(*given, seed=2)
