"""A function in the place of a network gives its labels, and whatever else it gives is refused."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from lmia.label_function import LabelFunction, as_network
from lmia.models.checkpoints import restore, to_arrays
from lmia.queries.oracle import LabelOracle

POINTS = torch.linspace(0, 1, 12).reshape(4, 3)


def by_mean(given):
    labels = (3 * given.mean(axis=1)).astype(np.int32).clip(0, 2)
    given[:] = 0  # what the function does to its inputs is its own affair
    return labels


def test_its_labels_are_what_an_oracle_hears():
    network, before = as_network(by_mean, 3), POINTS.clone()
    expected = (3 * POINTS.mean(1)).long().clip(0, 2)
    assert LabelOracle(network, 4, 1)(POINTS, np.arange(4)).tolist() == expected.tolist()
    assert (before == POINTS).all() and network(POINTS).dtype == torch.float32
    assert restore(as_network(by_mean, 3), to_arrays(network, 5), 5)(POINTS).argmax(1).tolist() == expected.tolist()


def test_a_network_stays_as_it_is():
    network = nn.Linear(3, 2)
    assert as_network(network, 2) is network


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda given: given, "mine: expected integer labels of shape (4,), got float32 of shape (4, 3); return one"),
        (lambda given: np.array(["a"] * 4), "mine: expected integer labels of shape (4,), got <U1 of shape (4,)"),
        (lambda given: np.zeros(3, int), "mine: expected integer labels of shape (4,), got int64 of shape (3,)"),
        (lambda given: np.full(4, 3), "mine: expected classes from 0 to 2, got 3 to 3; number them from 0"),
        (lambda given: np.full(4, -1), "mine: expected classes from 0 to 2, got -1 to -1"),
    ],
)
def test_what_are_no_labels_is_refused(answer, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        LabelFunction(answer, 3, "mine")(POINTS)


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(ValueError, match="^expected a torch.nn.Module or a function from inputs to labels, got str$"):
        as_network("model.pt", 3)
