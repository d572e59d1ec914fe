"""Captured training steps, with a recorder that stands in for the GPU's graphs; tests/test_gpu.py has the real ones."""

import random

import numpy as np
import pytest
import torch

from lmia.defenses import base
from lmia.training.cuda_graphs import WARM_UP, GraphedStep
from lmia.training.loop import _build_step
from lmia.training.options import TrainingOptions


class Recorder:
    """Captures by keeping the step itself, and counts what was captured and how often it was replayed."""

    def __init__(self, error=None):
        self.sizes, self.replays, self._error = [], 0, error

    def __call__(self, step, inputs, classes):
        if self._error:
            raise self._error
        self.sizes.append(len(inputs))

        def replay(new_inputs, new_classes):
            self.replays += 1
            return step(new_inputs, new_classes)

        return replay


class Mean:
    """A model of one number that moves to the mean of what it sees."""

    def __init__(self, beside=lambda: None):
        self.weight, self.steps, self._beside = torch.zeros(()), 0, beside

    def tensors(self):
        return {"weight": self.weight}

    def __call__(self, inputs, classes):
        self.steps += 1
        self._beside()
        self.weight += 0.5 * (inputs.mean() - self.weight)
        return self.weight.clone()


def batches(*sizes):
    return [
        (torch.full((size,), float(number)), torch.zeros(size, dtype=torch.int64)) for number, size in enumerate(sizes)
    ]


def run(model, sizes, recorder):
    step = GraphedStep(model, model.tensors, recorder)
    return [step(*batch).item() for batch in batches(*sizes)]


def test_each_size_is_captured_once_after_its_first_steps():
    recorder, plain = Recorder(), Mean()
    sizes = [4, 4, 2] * 5
    assert run(Mean(), sizes, recorder) == [plain(*batch).item() for batch in batches(*sizes)]
    assert recorder.sizes == [4, 2]
    assert recorder.replays == 10 - WARM_UP + 5 - WARM_UP


@pytest.mark.parametrize("draw", [lambda: torch.rand(1), random.random, np.random.random])
def test_a_step_that_draws_on_the_cpu_is_never_captured(draw):
    recorder = Recorder()
    run(Mean(draw), [4] * 10, recorder)
    assert not recorder.sizes


def test_a_step_that_replaces_a_tensor_is_never_captured():
    recorder, model = Recorder(), Mean()

    def replace():
        model.weight = model.weight.clone()

    model._beside = replace
    run(model, [4] * 10, recorder)
    assert not recorder.sizes


def draws(model):
    torch.rand(())


def replaces(model):
    model.weight = model.weight.clone()


def waits(model):
    """Nothing; the recorder fails."""


@pytest.mark.parametrize("beside", [draws, replaces, waits])
def test_what_was_captured_is_dropped_once_one_of_another_size_cannot_be(beside):
    class Odd(Mean):
        def __call__(self, inputs, classes):
            if len(inputs) == 2:
                beside(self)
            return super().__call__(inputs, classes)

    class Recording(Recorder):
        def __call__(self, step, inputs, classes):
            if len(inputs) == 2:
                raise RuntimeError("it waits")
            return super().__call__(step, inputs, classes)

    recorder, plain, sizes = Recording(), Mean(), [4] * 6 + [2] * (WARM_UP + 1) + [4] * 6
    assert run(Odd(), sizes, recorder) == [plain(*batch).item() for batch in batches(*sizes)]
    assert recorder.sizes == [4] and recorder.replays == 6 - WARM_UP


def test_a_step_that_cannot_be_captured_is_done_itself(capsys):
    model, plain, sizes = Mean(), Mean(), [4] * 10
    expected = [plain(*batch).item() for batch in batches(*sizes)]
    assert run(model, sizes, Recorder(RuntimeError("it waits"))) == expected and model.steps == 10
    assert capsys.readouterr().out.count("cannot be captured as CUDA graphs, and run kernel by kernel: it waits") == 1


@pytest.mark.parametrize("graphable", [False, True])
def test_steps_are_captured_on_a_gpu_where_the_defense_says_so(monkeypatch, graphable):
    monkeypatch.setattr(torch.nn.Parameter, "is_cuda", True, raising=False)
    defense = base.Defense()
    assert not defense.graphable
    defense.graphable = graphable
    options = TrainingOptions(learning_rate=1e-3, batch_size=2, min_delta=0.0, patience=1, max_epochs=1)
    step, _ = _build_step(torch.nn.Linear(2, 2), defense, options)
    assert isinstance(step, GraphedStep) == graphable
