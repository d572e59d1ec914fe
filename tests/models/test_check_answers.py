"""A model that is trained already is asked only if it answers the same to the same, with finite numbers."""

import re

import pytest
import torch
from torch import nn

from lmia.models.usability import batch_of, check_answers, labels_of
from lmia.queries.oracle import LabelOracle
from tests.second_device import second_device

POINTS = torch.rand(2000, 3, generator=torch.Generator().manual_seed(0))


class Answering(nn.Module):
    """Linear logits, and then whatever a function makes of them and of the inputs."""

    def __init__(self, change=lambda logits, inputs: logits):
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.change = nn.Linear(3, 4), change

    def forward(self, inputs):
        return self.change(self.layer(inputs), inputs)


def test_a_sound_model_passes_and_probabilities_are_flagged():
    assert check_answers(Answering().eval(), POINTS, 4) == []
    softmax = Answering(lambda logits, _: logits.softmax(1)).eval()
    assert check_answers(softmax, POINTS, 4) == ["gives probabilities"]


@pytest.mark.parametrize("size", [1, 64, 3072, 150528, 1 << 30])
def test_as_many_are_asked_about_at_once_as_queries_send(size):
    """A CPU that runs out of memory ends a job without a word, where a GPU's batch is halved."""
    assert batch_of(size) == LabelOracle.chunk(size, torch.device("cpu"))


def test_few_large_inputs_are_asked_about_at_once():
    sizes, model = [], nn.Flatten()
    model.register_forward_pre_hook(lambda layer, inputs: sizes.append(len(inputs[0])))
    labels_of(model, torch.rand(100, 8192))
    assert sizes == [64, 36]


def test_where_memory_runs_out_a_model_is_asked_in_parts():
    def hungry(logits, _):
        sizes.append(len(logits))
        if len(logits) > 30:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return logits

    sizes, model = [], Answering(hungry).eval()
    assert check_answers(model, POINTS, 4) == []
    assert sizes[:3] == [1024, 512, 256]
    assert torch.equal(labels_of(model, POINTS), Answering().eval()(POINTS).argmax(1))


def test_inputs_may_lie_elsewhere_than_the_model():
    with second_device() as device:
        model = Answering().eval().to(device)
        assert check_answers(model, POINTS, 4) == [] and labels_of(model, POINTS).device.type == "cpu"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda logits, _: logits + torch.rand(()), "answers otherwise when asked again; let nothing be random"),
        (lambda logits, _: nn.functional.dropout(logits, 0.5, True), "answers otherwise when asked again"),
        (lambda logits, _: logits - logits.mean(0), "answers otherwise when asked alone; let no example see its batch"),
        (
            lambda logits, inputs: torch.where((inputs == POINTS[1500]).all(1)[:, None], torch.nan, logits),
            "expected finite logits, got nan, first for example 1500",
        ),
        (lambda logits, _: logits[:, :3], "expected logits of shape (1024, 4) for 1024 inputs of 4 classes, got"),
        (lambda logits, _: logits.argmax(1), "expected logits as a tensor of floats, got torch.int64"),
        (lambda logits, _: {"logits": logits}, "expected logits as a tensor of floats, got dict"),
    ],
)
def test_answers_that_cannot_be_relied_on_are_refused(change, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        check_answers(Answering(change).eval(), POINTS, 4)
