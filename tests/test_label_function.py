"""A function in the place of a network gives its labels, and whatever else it gives is refused."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from lmia.label_function import LabelFunction, Unanswered, as_network
from lmia.models.checkpoints import restore, to_arrays
from lmia.queries.oracle import LabelOracle
from lmia.table import Table

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


def raising(error):
    def predict(inputs):
        raise error

    return predict


@pytest.mark.parametrize(
    "error, message",
    [
        (KeyError("sensor"), "KeyError: 'sensor'"),
        (RuntimeError("row out of range"), "RuntimeError: row out of range"),
        (SystemExit(3), "SystemExit: 3"),
        (ValueError("no such row"), "no such row"),
    ],
)
def test_whatever_a_function_raises_is_told_with_its_place(error, message):
    with pytest.raises(Unanswered, match=rf"^{re.escape(message)} \({re.escape(__file__)}:\d+\)$"):
        LabelFunction(raising(error), 3)(POINTS)


def test_too_little_memory_of_a_gpu_is_told_to_those_who_can_ask_about_less():
    with pytest.raises(torch.OutOfMemoryError):
        LabelFunction(raising(torch.OutOfMemoryError("CUDA out of memory")), 3)(POINTS)


def test_classes_that_no_record_of_a_table_has_are_told_as_such():
    table = Table.of(pd.DataFrame({"a": [1, 2]}), pd.Series(["no", "yes"], name="y"))
    with pytest.raises(ValueError, match="got 2 to 2; number them from 0, or has no record that label[?] Then add one"):
        as_network(lambda records: np.full(len(records), 2), 2, table)(torch.zeros(2, 1))


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(ValueError, match="^expected a torch.nn.Module or a function from inputs to labels, got str$"):
        as_network("model.pt", 3)
