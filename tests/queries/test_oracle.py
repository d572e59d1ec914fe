"""The oracle: meters, refuses, batches, and says what reduced precision does."""

import numpy as np
import pytest
import torch

from lmia.queries.oracle import BudgetExceeded, LabelOracle


class Recorder(torch.nn.Module):
    """Class 0 whatever comes; keeps the sizes of the batches."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def forward(self, x):
        self.asked.append(len(x))
        return torch.tensor([1.0, 0.0]).expand(len(x), 2)


def test_the_oracle_refuses_before_it_asks():
    model = Recorder()
    oracle = LabelOracle(model, 2, budget=3)
    oracle(torch.zeros(4, 5), np.array([0, 0, 1, 1]))
    with pytest.raises(BudgetExceeded, match="example 1: 2 queries asked, 1 left of a budget of 3"):
        oracle(torch.zeros(3, 5), np.array([0, 1, 1]))
    assert model.asked == [4] and oracle.n_queries.tolist() == [2, 2]


def test_the_oracle_puts_models_in_evaluation_mode():
    model = torch.nn.Sequential(torch.nn.Dropout(0.9), torch.nn.Linear(4, 2)).train()
    oracle = LabelOracle(model, 1, budget=100)
    labels = oracle(torch.ones(100, 4), np.zeros(100, int))
    assert len(labels.unique()) == 1 and not model.training


def test_large_calls_are_cut_into_equal_chunks():
    model = Recorder()
    oracle = LabelOracle(model, 1, budget=10_000)
    oracle(torch.zeros(3000, 5), np.zeros(3000, int))
    assert model.asked == [1000, 1000, 1000]
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert oracle.chunk(3072, cpu) == 85 and oracle.chunk(10**6, cpu) == 64
    assert oracle.chunk(3072, gpu) == 64 * (1 << 18) // 3072 and oracle.chunk(10**6, gpu) == 64


def test_labels_are_those_of_the_model_in_the_order_of_the_inputs():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(144, 5))
    x = torch.rand(5000, 3, 8, 8)
    labels = LabelOracle(model, 1, budget=5000)(x, np.zeros(5000, int))
    assert (labels != model(x).argmax(1)).float().mean() < 1e-3 and len(labels.unique()) > 1


def test_bfloat16_is_audited_against_float32():
    torch.manual_seed(0)
    model = torch.nn.Linear(6, 3)
    with torch.no_grad():
        model.bias.copy_(-model.weight.sum(dim=1) / 2)  # all classes meet in the middle of the cube
    near, far = 0.5 + 1e-3 * torch.randn(5000, 6), torch.rand(5000, 6)
    rates = {}
    for name, x in (("near", near), ("far", far)):
        oracle = LabelOracle(model, 1, budget=5000, precision="bfloat16")
        labels = oracle(x, np.zeros(5000, int))
        differing = labels != model(x).argmax(1)
        audited = torch.cat([differing[:3000], differing[4000:]])  # passes 0, 1, 2 and 4 of five
        assert oracle.disagreement == pytest.approx(float(audited.float().mean()))
        rates[name] = oracle.disagreement
    assert rates["near"] > 0.1 and rates["far"] < 0.02
    assert LabelOracle(model, 1, budget=1).disagreement is None and next(model.parameters()).dtype == torch.float32
