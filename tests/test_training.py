"""Training: the algorithm, its bytes, its end, and the options."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from lmia.augmentation import draw_moves, shifted
from lmia.data import digits
from lmia.models import cnn, mlp
from lmia.perturbations.translation import shift
from lmia.training import accuracy, train


class Transposed(nn.Module):
    """A layer whose gradient does not lie in memory as its weight does."""

    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.rand(n_inputs, n_outputs)), nn.Parameter(torch.rand(n_outputs))

    def forward(self, x):
        return nn.functional.linear(x, self.weight.t().contiguous(), self.bias)


OPTIONS = {"learning_rate": 1e-3, "batch_size": 20, "min_delta": 0.0, "patience": 5, "max_epochs": 5}
SMALL_CNN = partial(cnn.build, channels=(4, 8), convolutions=1, dense=16)
SHAPES = {
    "mlp": (partial(mlp.build, hidden=(16,)), (7,)),
    "cnn": (SMALL_CNN, (3, 8, 8)),
    "transposed": (lambda shape, n_classes: nn.Sequential(Transposed(shape[0], n_classes)), (7,)),
}


def no_penalty(model):
    return 0.0


def draw(shape, n=50):
    """A random task of three classes."""
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.random((n, *shape), dtype=np.float32)), torch.from_numpy(rng.integers(3, size=n))


def fit(name, seed=0, **options):
    """(weights as bytes, losses) of one model."""
    build, shape = SHAPES[name]
    model, losses = train(build, *draw(shape), 3, seed, no_penalty, **OPTIONS | options)
    return [value.numpy().tobytes() for value in model.state_dict().values()], losses.tolist()


@pytest.mark.parametrize("name", SHAPES)
def test_the_algorithm_is_adam_on_cross_entropy(name):
    """The loop that a textbook has, with PyTorch's own Adam and channels first."""
    build, shape = SHAPES[name]
    inputs, classes = draw(shape)
    model, losses = train(build, inputs, classes, 3, 1, lambda m: 0.01 * m[-1].bias.square().sum(), **OPTIONS)
    torch.manual_seed(1)
    reference, expected = build(shape, 3), []
    optimizer = torch.optim.Adam(reference.parameters(), lr=1e-3)
    for _ in range(5):
        total = 0
        for batch in torch.randperm(50).split(20):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(reference(inputs[batch]), classes[batch])
            loss = loss + 0.01 * reference[-1].bias.square().sum()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        expected.append(total / 50)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    for ours, theirs in zip(model.state_dict().values(), reference.state_dict().values(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)  # a step moves a weight by up to 1e-3
        assert ours.is_contiguous() and not model.training


@pytest.mark.parametrize("name, options", [("mlp", {}), ("cnn", {"shifts": 2}), ("cnn", {"precision": "bfloat16"})])
def test_equal_arguments_give_equal_bytes(name, options):
    """Alone or after other models, whatever the global state; and another seed gives another model."""
    torch.manual_seed(3)
    alone = fit(name, 1, **options)
    torch.manual_seed(4)
    others = [fit(name, seed, **options) for seed in (0, 1, 2)]
    assert others[1] == alone and others[0] != alone and others[0] != others[2]


def test_global_random_states_stay_as_they_were():
    def build(shape, n_classes):
        return nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(192, n_classes))

    before = torch.get_rng_state(), str(np.random.get_state())  # noqa: NPY002
    train(build, *draw((3, 8, 8)), 3, 0, no_penalty, **OPTIONS, shifts=1)
    assert torch.equal(torch.get_rng_state(), before[0]) and str(np.random.get_state()) == before[1]  # noqa: NPY002


@pytest.mark.parametrize(
    "falls, epochs",
    [
        ([0, 0, 0, 0, 0, 0, 0, 0], 4),  # the first epoch always counts, three more do not
        ([0, 1, 1, 1, 1, 1, 1, 1], 5),
        ([0, 0.05, 0.12, 0.2, 0.2, 0.2, 0.2], 6),  # small falls add up: 0.12 below the best that counted
        ([0, 0.09, 0.09, 0.09, 0.3, 0.3], 4),  # too late
        ([0, -1, -1, 0.2, 0.2, 0.2, 0.2, 0.2], 7),
        (list(range(8)), 8),  # max_epochs
    ],
)
def test_the_loss_stops_training(falls, epochs):
    """One batch an epoch, a step too small to matter: the penalty writes the trajectory of the loss."""
    script = iter(falls)
    options = {"learning_rate": 1e-30, "batch_size": 50, "min_delta": 0.1, "patience": 3, "max_epochs": 8}
    build, shape = SHAPES["mlp"]
    _, losses = train(build, *draw(shape), 3, 0, lambda _: -next(script), **options)
    assert len(losses) == epochs
    np.testing.assert_allclose(losses[0] - losses, falls[:epochs], atol=1e-6)


class Witness(nn.Module):
    """Keeps every batch that it sees."""

    def __init__(self, shape, n_classes):
        super().__init__()
        self.seen, self.layer = [], nn.Linear(shape[0] * shape[1] * shape[2], n_classes)

    def forward(self, x):
        self.seen.append(x.detach().clone())
        return self.layer(x.flatten(1))


def offsets_seen(shifts):
    """Per epoch, the shifts (down, right) of 12 images as they came, in batches of 5; known by comparing with all."""
    inputs, classes = draw((2, 5, 6), 12)
    options = OPTIONS | {"batch_size": 5, "max_epochs": 40, "patience": 40, "shifts": shifts}
    model, _ = train(Witness, inputs, classes, 3, 0, no_penalty, **options)
    moves = [(i, j) for i in range(-3, 4) for j in range(-3, 4)]
    known = {shift(inputs, *move)[row].numpy().tobytes(): (row, move) for move in moves for row in range(12)}
    images = [image.contiguous().numpy().tobytes() for batch in model.seen for image in batch]
    found = [known[image] for image in images]  # KeyError where an image is no shifted copy with repeated edges
    epochs = [found[start : start + 12] for start in range(0, len(found), 12)]
    assert all({row for row, _ in epoch} == set(range(12)) for epoch in epochs)  # each image once
    return [[move for _, move in epoch] for epoch in epochs]


def test_every_image_of_every_batch_gets_a_shift_of_its_own():
    epochs = offsets_seen(1)
    counts = {move: sum(epoch.count(move) for epoch in epochs) for epoch in epochs for move in epoch}
    assert set(counts) == {(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)}
    assert min(counts.values()) > 53 - 4 * 7 and max(counts.values()) < 53 + 4 * 7  # 480 draws: 53 +- 7 of each
    assert len(set(epochs[0])) > 3 and epochs[0] != epochs[1] and epochs[0][:5] != epochs[0][5:10]


def test_no_shift_draws_nothing_and_moves_nothing(monkeypatch):
    monkeypatch.setattr("lmia.training.draw_moves", None)
    assert {move for epoch in offsets_seen(0) for move in epoch} == {(0, 0)}


def test_a_gather_is_the_shift_of_the_query_sets():
    inputs, _ = draw((3, 8, 5), 9)
    rows, moves = torch.tensor([4, 4, 0, 8]), draw_moves(4, 6)
    expected = [shift(inputs[row : row + 1], *move.tolist())[0] for row, move in zip(rows, moves, strict=True)]
    for images in (inputs, inputs.contiguous(memory_format=torch.channels_last)):
        found = shifted(images, rows, moves)
        assert torch.equal(found, torch.stack(expected))
        assert found.is_contiguous(memory_format=torch.channels_last)


def test_shifts_of_tabular_data_are_refused():
    with pytest.raises(ValueError, match=r"shifts: 2: only images .* have shape \(7,\); set training.shifts to 0"):
        fit("mlp", shifts=2)


def test_unknown_precisions_are_refused():
    with pytest.raises(ValueError, match="precision: half: expected one of float32, bfloat16"):
        fit("mlp", precision="half")


@pytest.mark.parametrize("build", [mlp.build, partial(cnn.build, channels=(8, 16), convolutions=1, dense=32)])
def test_bfloat16_learns_the_same(build):
    """Losses within 5 % and 0.01 all along; test accuracy within 3 % of 1,000 images; weights in float32."""
    inputs, classes = map(torch.from_numpy, digits.load(pixel_noise=0.3))
    options = {"learning_rate": 3e-3, "batch_size": 50, "min_delta": 0.0, "patience": 60, "max_epochs": 60}
    results = {}
    for precision in ("float32", "bfloat16"):
        model, losses = train(build, inputs[:100], classes[:100], 10, 0, no_penalty, **options, precision=precision)
        assert all(value.dtype == torch.float32 for value in model.state_dict().values())
        results[precision] = losses, accuracy(model, inputs[-1000:], classes[-1000:])
    (full, right), (half, nearly) = results.values()
    assert not np.array_equal(full, half) and full[-1] < 0.5
    np.testing.assert_allclose(half, full, rtol=0.05, atol=0.01)
    assert abs(right - nearly) < 0.03
