"""Private training: its steps, its noise, its samples and its account."""

import math
import runpy
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lmia.defenses import dp_sgd
from lmia.models import mlp, wide_resnet
from lmia.training.loop import train
from lmia.training.options import TrainingOptions
from tests.defenses.small_task import OPTIONS, N, draw, fit, fresh, source

ROOT = Path(__file__).parent.parent.parent
epsilon_by_integral = runpy.run_path(str(ROOT / "benchmarks/renyi_integral.py"))["epsilon_by_integral"]


def clipped_adam(clip, steps):
    """Full-batch Adam on the mean of clipped gradients, one example after another."""
    model, (inputs, classes) = fresh(), draw()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(steps):
        total = [torch.zeros_like(p) for p in model.parameters()]
        for x, y in zip(inputs, classes, strict=True):
            loss = nn.functional.cross_entropy(model(x[None]), y[None])
            gradient = torch.autograd.grad(loss, list(model.parameters()))
            norm = math.sqrt(sum(g.square().sum() for g in gradient))
            for sum_, g in zip(total, gradient, strict=True):
                sum_ += g * min(1, clip / norm)
        for p, sum_ in zip(model.parameters(), total, strict=True):
            p.grad = sum_ / N
        optimizer.step()
    return model


@pytest.mark.parametrize("views", [1, 3])
@pytest.mark.parametrize("chunk", [7, 128])
def test_private_steps_clip_each_example(views, chunk, monkeypatch):
    """Nearly without noise, and with everybody in every batch."""
    monkeypatch.setattr(dp_sgd, "CHUNK", chunk)
    options = {"clip": 0.5, "noise": 1e-12, "learning_rate": 1e-3, "batch_size": N, "views": views}
    model, losses = fit(dp_sgd.Defense(epochs=6, **options))
    expected = clipped_adam(0.5, 6)
    assert len(losses) == 6
    for ours, theirs in zip(model.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-4)
    free = clipped_adam(1e9, 6)  # so the bound did clip
    difference = max((a - b).abs().max() for a, b in zip(free.parameters(), expected.parameters(), strict=True))
    assert difference > 2e-3


@pytest.mark.parametrize("views, chunk", [(1, 128), (2, 128), (1, 7), (2, 7)])
def test_private_gradients_carry_the_noise_once(views, chunk, monkeypatch):
    """On inputs of 0 the weights of the first layer have no gradient but the noise: noise x clip / batch size."""
    seen, step = [], torch.optim.Adam.step

    def watched(self, *args):
        seen.append(self.param_groups[0]["params"][0].grad.flatten().clone())
        return step(self, *args)

    monkeypatch.setattr(torch.optim.Adam, "step", watched)
    monkeypatch.setattr(dp_sgd, "CHUNK", chunk)
    defense = dp_sgd.Defense(epochs=3, clip=0.8, noise=1.5, batch_size=20, views=views)
    train(partial(mlp.build, hidden=(50,)), torch.zeros(N, 30), draw()[1], 3, 0, defense, TrainingOptions(**OPTIONS))
    assert len(seen) == 3 * 2  # 50 / 20 batches an epoch, rounded
    noise = torch.cat(seen)
    assert abs(noise.std().item() / (1.5 * 0.8 / 20) - 1) < 0.03 and abs(noise.mean().item()) < 0.003


def test_batches_are_poisson_samples_with_all_views_of_an_example():
    defense = dp_sgd.Defense(epochs=1, noise=1.0, batch_size=5, views=2)
    defense.prepare(fresh(), 3, N)
    torch.manual_seed(0)
    batches = [batch for _ in range(100) for batch in defense.batches(N, 20)]
    assert len(batches) == 1000 and all(torch.equal(batch[::2], batch[1::2]) for batch in batches)
    sizes = np.array([len(batch) // 2 for batch in batches])
    assert abs(sizes.mean() - 5) < 0.3 and abs(sizes.var() / (N * 0.1 * 0.9) - 1) < 0.2  # binomial
    counts = np.bincount(torch.cat(batches).numpy(), minlength=N) / 2
    assert abs(counts - 100).max() < 4.5 * 9.5


def test_empty_samples_are_steps_too():
    model, losses = fit(dp_sgd.Defense(epochs=2, noise=1.0, batch_size=1))
    assert len(losses) == 2 and all(torch.isfinite(p).all() for p in model.parameters())


@pytest.mark.parametrize(
    "noise, size, epochs, delta",
    [
        (1.1, 5, 20, 1e-5),
        (2.0, 20, 10, 1e-3),
        (4.0, 10, 50, 1e-6),
        (5.0, 5, 1, 1e-2),
        (0.5, 10, 60, 1e-3),
        (2.0, N, 9, 0.02),
    ],
)
def test_epsilon_is_what_an_independent_computation_gives(noise, size, epochs, delta):
    defense = dp_sgd.Defense(epochs=epochs, noise=noise, batch_size=size, delta=delta)
    defense.prepare(fresh(), 3, N)
    report = defense.report()
    assert report["delta"] == delta and report["noise"] == noise
    expected = epsilon_by_integral(noise, size / N, epochs * round(N / size), delta)
    np.testing.assert_allclose(report["epsilon"], expected, rtol=0.01)


def test_noise_is_chosen_for_an_epsilon():
    defense = dp_sgd.Defense(epochs=10, epsilon=3.0, batch_size=10)
    defense.prepare(fresh(), 3, N)
    report = defense.report()
    assert report["delta"] == 1 / N and 2.98 < report["epsilon"] <= 3.0
    for given in ({}, {"noise": 1.0, "epsilon": 1.0}):
        with pytest.raises(ValueError, match="expected either noise or epsilon"):
            dp_sgd.Defense(epochs=1, **given)


def test_the_mean_of_the_weights_is_the_private_model():
    options = {"epochs": 4, "noise": 1e-12, "batch_size": N, "learning_rate": 1e-3, "clip": 50.0}
    course = [fresh(), *(clipped_adam(50.0, steps) for steps in (1, 2, 3, 4))]
    model, _ = fit(dp_sgd.Defense(**options, average=0.6))
    for index, found in enumerate(model.parameters()):
        mean = list(course[0].parameters())[index].detach()
        for later in course[1:]:
            mean = 0.6 * mean + 0.4 * list(later.parameters())[index].detach()
        torch.testing.assert_close(found, mean, rtol=0, atol=2e-4)


def test_private_transfer_moves_the_last_layer_alone():
    defense = dp_sgd.Defense(epochs=2, noise=1.0, source="elsewhere", tune="last")
    defense.supply(reference=None, source=source)
    model, _ = fit(defense)
    given = source()
    for name, value in model.state_dict().items():
        assert np.array_equal(value.numpy(), given[name]) != name.startswith("3.")


def test_models_that_mix_examples_are_not_private():
    build = partial(wide_resnet.build, depth=10, width=1)
    with pytest.raises(ValueError, match="dp_sgd: expected a model without batch norm"):
        fit(dp_sgd.Defense(epochs=1, noise=1.0), build)
    _, losses = fit(dp_sgd.Defense(epochs=1, noise=1.0), partial(build, norm="group"))
    assert np.isfinite(losses).all()
