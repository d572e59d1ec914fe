"""Queries that are in a file already: what they cost a target, and what is asked of it."""

import numpy as np
import torch

from lmia.queries import fixed_queries
from lmia.queries.fixed_queries import ask_crafted
from lmia.queries.oracle import LabelOracle
from tests.crafting.linear_models import Curved


class Watched(torch.nn.Module):
    """A target that notes what it is asked, and whether anybody could take a gradient."""

    def __init__(self):
        super().__init__()
        self.inner, self.asked, self.graded = Curved(0, 4), [], []

    def forward(self, x):
        self.asked.append(x.clone())
        self.graded.append(torch.is_grad_enabled() or not torch.is_inference_mode_enabled())
        return self.inner(x)


def test_each_query_is_asked_once_and_no_gradient_is_taken(monkeypatch):
    monkeypatch.setattr(fixed_queries, "MAX_QUERIES", 1)
    monkeypatch.setattr(LabelOracle, "chunk", staticmethod(lambda size, device: 8))  # so in two blocks
    numbers = np.random.default_rng(0)
    inputs, crafted = torch.from_numpy(numbers.random((30, 4))), torch.from_numpy(numbers.random((30, 3, 4)))
    target = Watched()
    labels, how = ask_crafted(target, inputs, crafted)
    assert labels.shape == (30, 4) and how["precision"] == "float32"
    asked = torch.cat(target.asked)
    assert len(asked) == 30 * 4 and not any(target.graded) and not target.training
    everything = torch.cat([inputs[:, None], crafted], dim=1)
    np.testing.assert_array_equal(labels, target.inner(everything.flatten(0, 1)).argmax(1).view(30, 4).numpy())
    assert sorted(map(tuple, asked.tolist())) == sorted(map(tuple, everything.flatten(0, 1).tolist()))
