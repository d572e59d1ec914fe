"""How many gradients of other models metrics.csv states: as many as an attack takes where no search ends early."""

import numpy as np
import pytest
import torch
from torch import nn

from lmia.boundary.references import reference_crossings
from lmia.crafting import oslo, yoqo
from lmia.models.crafting_models import fold_of
from workflow.config.schema.crafted_queries import Oslo, Yoqo
from workflow.config.schema.searches import HopSkipJump

INPUTS, CLASSES = torch.rand(5, 6, generator=torch.Generator().manual_seed(0)), np.zeros(5, np.int64)


class Counting(nn.Module):
    """A network that counts the rows whose gradients are asked for."""

    def __init__(self, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.linear, self.taken = nn.Linear(6, 3), 0

    def forward(self, inputs):
        if inputs.requires_grad:
            self.taken += len(inputs)
        return self.linear(inputs)


def taken(models):
    """Gradients of all models together, for each input."""
    return sum(model.taken for model in models) / len(INPUTS)


@pytest.mark.parametrize("validators", [0, 2])
def test_those_of_oslo(validators):
    options = {"thresholds": [1e-9], "levels": 3, "steps": 2, "sources": 4, "validators": validators}
    models, knows = list(map(Counting, range(4 + validators))), np.zeros((4 + validators, 5), bool)
    oslo.Crafting(**options).craft(models, knows, INPUTS, CLASSES)
    assert taken(models) == Oslo(kind="oslo", **options).n_gradients(0)


@pytest.mark.parametrize("online", [True, False])
@pytest.mark.parametrize("pool", [4, 8, 10])
def test_those_of_yoqo(online, pool):
    """The larger of two folds: of 10 models that are five pairs, six."""
    options = {"online": online, "steps": 7, "end": 1e-9}
    models = [Counting(seed) for seed in range(pool) if fold_of(seed) == 0]
    knows = np.arange(len(models))[:, None] % 2 == np.zeros(5, int)
    yoqo.Crafting(**options).craft(models, knows, INPUTS, CLASSES)
    assert taken(models) == Yoqo(kind="yoqo", **options).n_gradients(pool)


@pytest.mark.parametrize("references", [1, 3])
def test_those_of_warm_searches(references):
    models = list(map(Counting, range(references)))
    classes = np.asarray(torch.stack([model(INPUTS) for model in models]).mean(dim=0).argmax(1))
    reference_crossings([(np.arange(5), models)], INPUTS, classes)
    search = HopSkipJump(kind="hopskipjump", budget=60, schedule="warm", references=references)
    assert taken(models) == search.n_gradients(0)
    assert HopSkipJump(kind="hopskipjump", budget=60).n_gradients(0) == 0
