"""A shadow without weights is trained again wherever it is opened, and is the same model there, or refused."""

import sys
from types import ModuleType

import numpy as np
import pytest
import torch

from lmia.label_function import Unanswered
from lmia.models.checkpoints import restore, to_arrays
from lmia.targets import shadow
from lmia.targets.trained import KEPT

CPU = torch.device("cpu")
INPUTS = np.random.default_rng(0).random((900, 4), dtype=np.float32)
CLASSES = np.arange(900) % 3


@pytest.fixture
def made(monkeypatch):
    """A function that makes an untrained shadow, with a trainer of a plug-in; `trained.calls` counts its trainings."""
    module = ModuleType("stand_in.training")

    def fit(inputs, classes, seed, drifts=False):
        made.calls += 1
        weights = np.random.default_rng([seed, made.calls * drifts]).standard_normal((4, 3))
        return lambda asked: (asked @ weights).argmax(1)

    def made(**options):
        return shadow.build((4,), 3, {"kind": "stand_in.training"} | options, CPU)

    made.calls, module.fit = 0, fit
    monkeypatch.setitem(sys.modules, "stand_in", ModuleType("stand_in"))
    monkeypatch.setitem(sys.modules, "stand_in.training", module)
    return made


def kept(network):
    network.retrain(INPUTS[:100], CLASSES[:100], 5, asked=INPUTS)
    return to_arrays(network, 1)


def test_a_shadow_comes_back_by_its_training_with_the_labels_that_it_gave(made):
    network = made()
    arrays = kept(network)
    assert len(arrays["1/asked"]) == len(arrays["1/labels"]) == KEPT
    again = restore(made(), arrays, 1)
    assert made.calls == 2 and torch.equal(again(torch.from_numpy(INPUTS)), network(torch.from_numpy(INPUTS)))
    assert {name: array.tobytes() for name, array in to_arrays(again, 1).items()} == {
        name: array.tobytes() for name, array in arrays.items()
    }


def test_a_shadow_that_becomes_another_model_is_refused_with_one_line(made):
    arrays = kept(made(drifts=True))
    message = rf"^trained again, of the same seed, the model labels \d+ of {KEPT} inputs otherwise"
    with pytest.raises(Unanswered, match=message) as error:
        restore(made(drifts=True), arrays, 1)
    assert "\n" not in str(error.value)
