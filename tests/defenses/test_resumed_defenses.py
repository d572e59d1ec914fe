"""Training under a defense that dies and resumes."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from tests.defenses.small_task import BUILD, DEFENSES, defend, fit
from workflow.harness.journal_file import KeptJournal


class Killed(BaseException):
    """As abrupt as a signal: nothing of the package catches it."""


def mortal(calls, shape, n_classes, lifetime=np.inf):
    """A model that notes its forward passes in `calls`, and dies instead of exceeding `lifetime`."""

    def note(model, inputs):
        if len(calls) >= lifetime:
            raise Killed
        calls.append(len(inputs[0]))

    model = BUILD(shape, n_classes)
    model.register_forward_pre_hook(note)
    return model


AVERAGED = {"epochs": 4, "noise": 0.5, "batch_size": 20, "average": 0.9}


@pytest.mark.parametrize(
    "name, options, optimizer",
    [
        ("none", {}, "adam"),
        ("none", {}, "sgd"),
        ("dp_sgd", AVERAGED, "adam"),
        *[(*d, "adam") for d in DEFENSES.items()],
    ],
)
def test_training_that_dies_resumes_to_the_same_bytes(tmp_path, name, options, optimizer):
    options = options | ({"epochs": 4} if "epochs" in options else {})
    whole = []
    model, losses = fit(defend(name, **options), partial(mortal, whole), optimizer=optimizer)
    path, first, second, third = tmp_path / "journal.npz", [], [], []
    with pytest.raises(Killed):
        dying = partial(mortal, first, lifetime=0.62 * len(whole))  # within an epoch
        fit(defend(name, **options), dying, optimizer=optimizer, journal=KeptJournal(path, every=0))
    again, found = fit(
        defend(name, **options), partial(mortal, second), optimizer=optimizer, journal=KeptJournal(path, every=0)
    )
    assert found.tobytes() == losses.tobytes()
    for left, right in zip(again.state_dict().values(), model.state_dict().values(), strict=True):
        assert left.numpy().tobytes() == right.numpy().tobytes()
    assert len(first) + len(second) - len(whole) < len(whole) / len(losses)  # of the epoch that it died in
    done, found = fit(defend(name, **options), partial(mortal, third), optimizer=optimizer, journal=KeptJournal(path))
    assert not third and found.tobytes() == losses.tobytes()
    for left, right in zip(done.state_dict().values(), model.state_dict().values(), strict=True):
        assert left.numpy().tobytes() == right.numpy().tobytes()


class Averaging(nn.Module):
    """Shifts its inputs by the mean that it has seen in training, which is a new tensor for each batch; then dies."""

    def __init__(self, size, n_classes, lifetime):
        super().__init__()
        self.layer, self.left = nn.Linear(size, n_classes), lifetime
        self.register_buffer("mean", torch.zeros(size))

    def forward(self, x):
        if self.training:
            if self.left == 0:
                raise Killed
            self.left -= 1
            self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        return self.layer(x - self.mean)


@pytest.mark.parametrize("lifetime", range(6))  # batches of two epochs
def test_training_resumes_at_an_epoch_with_the_buffers_that_a_model_has_by_then(tmp_path, lifetime):
    def run(lifetime, journal=None):
        def build(shape, n_classes):
            return Averaging(shape[0], n_classes, lifetime)

        model, losses = fit(defend("none"), build, (7,), max_epochs=2, journal=journal)
        return [losses.tobytes(), *(value.numpy().tobytes() for value in model.state_dict().values())]

    path = tmp_path / "journal.npz"
    with pytest.raises(Killed):
        run(lifetime, KeptJournal(path, every=0))
    rest = 6 - lifetime // 3 * 3
    assert run(rest, KeptJournal(path, every=0)) == run(6)
