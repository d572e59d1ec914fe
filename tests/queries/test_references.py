"""References: what they are trained on, whom they are asked about, and that a kill costs one of them."""

import numpy as np
import pytest
import torch

from lmia.journal import Journal
from lmia.queries.references import ask_references, told

N = 40
INPUTS = np.arange(N, dtype=np.float32)[:, None] / N
CLASSES = np.arange(N) % 2
SAME = np.arange(N)
ASKED = np.array([3, 7, 20, 39])


class ByHeart(torch.nn.Module):
    """Right on what it was trained on, and 0 on everything else."""

    def __init__(self, inputs, classes):
        super().__init__()
        self.known = dict(zip(inputs[:, 0].tolist(), classes.tolist(), strict=True))

    def forward(self, inputs):
        labels = [self.known.get(value, 0) for value in inputs[:, 0].tolist()]
        return torch.nn.functional.one_hot(torch.tensor(labels), 2).float()


def asked(calls, n_train=10, n_references=8, seed=0, ids=ASKED, journal=None, same=SAME):
    def train(inputs, classes, own_seed):
        calls.append((inputs[:, 0].tolist(), own_seed))
        return ByHeart(inputs, classes)

    return ask_references(train, INPUTS, CLASSES, same, ids, n_train, n_references, seed, journal)


def test_each_is_trained_on_a_part_of_its_own_and_asked_about_the_same_records():
    calls = []
    labels, is_in = asked(calls)
    assert labels.shape == is_in.shape == (4, 8) and is_in.dtype == bool
    assert [len(values) for values, _ in calls] == [10] * 8 and len({tuple(values) for values, _ in calls}) == 8
    assert len({own for _, own in calls}) == 8
    for number, (values, _) in enumerate(calls):
        assert is_in[:, number].tolist() == [INPUTS[row, 0].item() in values for row in ASKED]
    assert (labels == np.where(is_in, CLASSES[ASKED, None], 0)).all()
    assert told(labels, is_in, CLASSES[ASKED])[0] == 1


def test_half_of_all_records_is_the_most():
    calls = []
    asked(calls, n_train=1000)
    assert [len(values) for values, _ in calls] == [N // 2] * 8


def test_who_is_asked_about_changes_no_reference_and_fewer_are_the_first():
    calls, others, few = [], [], []
    labels, _ = asked(calls)
    asked(others, ids=np.arange(N))
    assert calls == others
    assert (asked(few, n_references=3)[0] == labels[:, :3]).all() and few == calls[:3]
    again = []
    asked(again, seed=1)
    assert again[0] != calls[0]


def test_a_journal_keeps_what_is_finished():
    journal, calls = Journal(), []
    labels, is_in = asked(calls, n_references=3, journal=journal)
    more = asked(calls, journal=journal)
    assert len(calls) == 8 and (more[0][:, :3] == labels).all() and (more[1][:, :3] == is_in).all()


def test_nothing_of_a_kind_is_not_a_number():
    none = np.zeros((2, 3), bool)
    assert told(np.zeros((2, 3)), none, np.zeros(2))[1] == 1 and np.isnan(told(np.zeros((2, 3)), none, np.zeros(2))[0])


@pytest.mark.parametrize("seed", range(3))
def test_parts_are_drawn_evenly(seed):
    counts = asked([], n_train=20, n_references=400, seed=seed, ids=np.arange(N))[1].mean(axis=1)
    assert abs(counts - 0.5).max() < 5 * 0.5 / 20  # standard deviations of a share of 400


def test_a_twin_of_what_was_trained_on_counts_as_that():
    same = np.arange(N)
    same[30] = 3  # which stands in the file twice
    calls = []
    _, by_id = asked(calls, ids=np.array([3, 30]))
    _, is_in = asked([], ids=np.array([3, 30]), same=same)
    assert (is_in == by_id.any(axis=0)).all() and (by_id[0] != by_id[1]).any()


def test_each_class_has_its_share():
    classes = np.r_[np.zeros(34, int), np.ones(4, int), [2, 2]]

    def train(inputs, own, seed):
        assert np.bincount(own, minlength=3).tolist() == [17, 2, 1]
        return ByHeart(inputs, np.minimum(own, 1))

    ask_references(train, INPUTS, classes, np.arange(N), ASKED, 20, 5, 0)
