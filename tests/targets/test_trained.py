"""What a user's own training is given, and what it may give."""

import contextlib
import random

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from lmia.table import Table
from lmia.targets.trained import as_asked, train

INPUTS, CLASSES = np.random.default_rng(0).random((6, 3)).astype(np.float32), np.array([0, 1, 0, 1, 1, 0])
FRAME = pd.DataFrame({"age": [20, 30, 40], "town": ["Ayr", "Bath", "Ayr"]})
TABLE = Table.of(FRAME, pd.Series(["high", "low", "high"]))
CPU = torch.device("cpu")


def test_arrays_come_as_they_are_and_records_as_the_data_set_has_them():
    given = train(lambda *arguments: arguments, INPUTS, CLASSES, 5)
    assert given[0] is INPUTS and given[1] is CLASSES and given[2] == 5
    records, labels, _ = train(lambda *arguments: arguments, TABLE.encode(FRAME), np.array([0, 1, 0]), 5, TABLE)
    pd.testing.assert_frame_equal(records, FRAME)
    assert labels.tolist() == ["high", "low", "high"]


def test_global_random_numbers_follow_the_seed_and_stay_as_they_were_outside():
    def fit(inputs, classes, seed):
        return [random.random(), *np.random.random(2).tolist(), *torch.rand(2).tolist()]  # noqa: NPY002

    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    before = np.random.get_state()[1].tolist(), torch.get_rng_state()  # noqa: NPY002
    own = random.getstate()
    first, again, other = (train(fit, INPUTS, CLASSES, seed) for seed in (3, 3, 4))
    assert random.getstate() == own
    assert first == again and not set(first) & set(other)
    assert np.random.get_state()[1].tolist() == before[0] and torch.equal(torch.get_rng_state(), before[1])  # noqa: NPY002


@pytest.mark.parametrize("name, looked_at", [("cpu", []), ("mps", []), ("cuda:1", [torch.device("cuda:1")])])
def test_no_gpu_but_the_jobs_own_is_looked_at(monkeypatch, name, looked_at):
    """Each one takes hundreds of megabytes of its memory, and may be another job's."""
    found = []
    monkeypatch.setattr(torch.random, "fork_rng", lambda devices: found.extend(devices) or contextlib.nullcontext())
    train(lambda *arguments: None, INPUTS, CLASSES, 5, device=torch.device(name))
    assert found == looked_at


class Fitted:
    def predict(self, records):
        return np.where(records["town"] == "Ayr", "high", "low")


def test_estimators_functions_and_networks_are_asked():
    inputs = torch.from_numpy(TABLE.encode(FRAME))
    for trained in (Fitted(), Fitted().predict):
        assert as_asked(trained, 2, TABLE, CPU)(inputs).argmax(1).tolist() == [0, 1, 0]
    network = nn.Sequential(nn.Linear(3, 2), nn.Dropout()).train()
    assert as_asked(network, 2, None, CPU) is network and not network.training


def test_what_can_not_be_asked_is_refused():
    with pytest.raises(ValueError, match="expected a torch.nn.Module or a function from inputs to labels, got NoneTyp"):
        as_asked(None, 2, None, CPU)
