"""Training from another study's weights."""

import importlib
from functools import partial

import numpy as np
import pytest
import torch

from lmia.models import cnn, wide_resnet
from tests.defenses.small_task import SHAPE, defend, fit, fresh, source


@pytest.mark.parametrize("tune", ["last", "all"])
def test_transfer_starts_from_the_source(tune):
    model, _ = fit(defend("transfer", source="elsewhere", tune=tune))
    own, given = model.state_dict(), source()
    last = [name for name in own if name.startswith("3.")]
    assert last == ["3.weight", "3.bias"] and own["3.weight"].shape == (3, 16)
    same = {name: np.array_equal(own[name].numpy(), given[name]) for name in own if name not in last}
    assert all(same.values()) if tune == "last" else not any(same.values())
    for name in same:  # five epochs of fifteen steps of up to 0.001
        np.testing.assert_allclose(own[name].numpy(), given[name], atol=0.02)
    assert not np.array_equal(own["3.weight"].numpy(), fresh().state_dict()["3.weight"].numpy())


def test_transfer_between_other_models_is_refused():
    with pytest.raises(
        ValueError, match=r"source: elsewhere: expected weights 0.0.weight of shape \(8, 3, 3, 3\), got"
    ):
        fit(defend("transfer", source="elsewhere"), partial(cnn.build, channels=(8, 8), convolutions=1, dense=16))
    with pytest.raises(ValueError, match="tune: first: expected one of last, all"):
        defend("transfer", source="elsewhere", tune="first")


def test_batch_norm_of_frozen_layers_stays():
    build = partial(wide_resnet.build, depth=10, width=1)
    torch.manual_seed(9)
    weights = {name: value.numpy().copy() for name, value in build(SHAPE, 5).state_dict().items()}
    defense = importlib.import_module("lmia.defenses.transfer").Defense("elsewhere")
    defense.supply(reference=None, source=lambda: weights)
    model, _ = fit(defense, build, max_epochs=1)
    for name, value in model.state_dict().items():
        assert np.array_equal(value.numpy(), weights[name]) != (name.split(".")[0] == "7")
