"""Confidences and phi as a model tells them, with and without a mask."""

import numpy as np
import torch

from lmia.defenses import none, rounding
from lmia.queries.confidences import query_confidences

LOGITS = torch.tensor([[2.0, 0, 0], [0, 2, 0], [200, 0, 0]])
CLASSES = np.array([0, 0, 0])


class Told(torch.nn.Module):
    """Answers with its inputs."""

    weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return x


def test_phi_comes_from_the_logits_where_nothing_is_masked():
    probabilities, phi = query_confidences(Told(), LOGITS, CLASSES, none.Defense().mask)
    assert probabilities.dtype == np.float32 and phi.dtype == np.float64
    expected = np.exp([[2, 0, 0], [0, 2, 0]]) / (np.exp(2) + 2)
    np.testing.assert_allclose(probabilities, [*expected, [1, 0, 0]], rtol=1e-6)
    np.testing.assert_allclose(phi, [2 - np.log(2), -np.log(np.exp(2) + 1), 200 - np.log(2)], rtol=1e-15)


def test_a_mask_hides_what_logits_would_tell():
    """Also of rows that it leaves as they are, alone or among others: 1, 0 and 0 round to themselves."""
    mask = rounding.Defense(decimals=1).mask
    probabilities, phi = query_confidences(Told(), LOGITS, CLASSES, mask)
    np.testing.assert_allclose(probabilities, [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [1, 0, 0]], atol=1e-7)
    limit = -np.log(float(np.finfo(np.float32).tiny))
    np.testing.assert_allclose(phi, [np.log(4), np.log(1 / 9), limit], rtol=1e-6)
    np.testing.assert_array_equal(query_confidences(Told(), LOGITS[2:], CLASSES[2:], mask)[1], phi[2:])
    flatter = LOGITS * torch.tensor([[1], [1], [0.6]])  # other logits under the same told confidences
    twins = query_confidences(Told(), flatter, CLASSES, mask)
    np.testing.assert_array_equal(twins[0], probabilities)
    np.testing.assert_array_equal(twins[1], phi)
