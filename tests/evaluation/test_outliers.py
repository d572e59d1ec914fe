"""Outliers: features, distances and fractions that a hand can check."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmia import artifacts
from lmia.evaluation.outliers import find_outliers, load_outliers
from lmia.models import cnn, mlp
from lmia.models.features import distance_to_neighbour, penultimate


def by_hand(features, k):
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    distances = 1 - unit @ unit.T
    np.fill_diagonal(distances, np.inf)
    return np.sort(distances, axis=1)[:, k - 1]


@settings(deadline=None, max_examples=40)
@given(n=st.integers(2, 40), block=st.integers(1, 50), seed=st.integers(0, 1000), data=st.data())
def test_distances_are_exact_in_any_blocks(n, block, seed, data):
    k = data.draw(st.integers(1, n - 1))
    features = np.random.default_rng(seed).standard_normal((n, 3), dtype=np.float32)
    features[0] = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lmia.models.features.BLOCK", block)
        found = distance_to_neighbour(torch.from_numpy(features), k)
    np.testing.assert_allclose(found, by_hand(features, k), atol=1e-5)


@pytest.mark.parametrize("k", [0, 5])
def test_as_many_neighbours_as_there_are_points_are_refused(k):
    with pytest.raises(ValueError, match=f"neighbours: {k}: expected 1 to 4, as there are 5 points"):
        distance_to_neighbour(torch.rand(5, 2), k)


def test_the_outlier_is_who_stands_apart():
    features = torch.tensor([[1, 0], [1, 0.1], [1, 0.05], [0, 1.0], [1, -0.1]])
    is_outlier, delta = find_outliers(distance_to_neighbour(features, 2), 0.2)
    assert is_outlier.tolist() == [False, False, False, True, False]
    neighbours = (1 - torch.nn.functional.cosine_similarity(features[:, None], features[None], dim=2) <= delta).sum(
        1
    ) - 1
    assert ((neighbours < 2).numpy() == is_outlier).all()  # the paper's words: fewer than gamma within delta


def test_fractions():
    distances = np.arange(200) / 200
    for fraction, n in ((0.01, 2), (0.05, 10), (0.001, 1), (0.5, 100)):
        is_outlier, delta = find_outliers(distances, fraction)
        assert is_outlier.sum() == n and (distances[is_outlier] > delta).all()
    assert find_outliers(np.ones(9), 0.3)[0].sum() == 0  # nobody stands apart
    assert find_outliers(np.ones(1), 0.9)[0].sum() == 1


@pytest.mark.parametrize(
    "model, shape",
    [(mlp.build((7,), 3, hidden=(5, 4)), (7,)), (cnn.build((1, 8, 8), 3, (2, 3), 1, dense=4), (1, 8, 8))],
)
def test_features_are_what_the_last_layer_reads(model, shape):
    inputs = torch.rand(6, *shape)
    features = penultimate(model.eval(), inputs)
    assert features.shape == (6, 4)
    torch.testing.assert_close(model[-1](features), model(inputs))
    with pytest.raises(ValueError, match="expected a model with a fully connected layer"):
        penultimate(torch.nn.Flatten(), inputs)


def test_outliers_of_other_points_are_refused(tmp_path):
    ids = np.array([[0, 1, 2, 3]])
    found = {"is_outlier": np.array([[True, False, False, True]]), "example_ids": ids}
    artifacts.save(tmp_path / "outliers.npz", "outliers", found, {})
    assert load_outliers(tmp_path / "outliers.npz", ids).tolist() == [[True, False, False, True]]
    with pytest.raises(ValueError, match=r"outliers\.npz: is of other points than the scores; remove it and run again"):
        load_outliers(tmp_path / "outliers.npz", ids + 1)
