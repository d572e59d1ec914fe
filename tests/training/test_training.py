"""Training: the algorithm, its bytes, its end, and the options."""

import re
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from lmia.data import digits
from lmia.defenses import l2, none
from lmia.models import cnn, mlp
from lmia.queries.confidences import query_confidences
from lmia.training.loop import BatchOfOne, accuracy, model_flag, predict, train
from lmia.training.options import TrainingOptions


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


class Penalty(none.Defense):
    """Adds what a function of the model says."""

    def __init__(self, penalty):
        self.penalty = penalty


def draw(shape, n=50):
    """A random task of three classes."""
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.random((n, *shape), dtype=np.float32)), torch.from_numpy(rng.integers(3, size=n))


def fit(name, seed=0, **options):
    """(weights as bytes, losses) of one model."""
    build, shape = SHAPES[name]
    model, losses = train(build, *draw(shape), 3, seed, none.Defense(), TrainingOptions(**OPTIONS | options))
    return [value.numpy().tobytes() for value in model.state_dict().values()], losses.tolist()


@pytest.mark.parametrize("name", SHAPES)
def test_the_algorithm_is_adam_on_cross_entropy(name):
    """The loop that a textbook has, with PyTorch's own Adam and channels first."""
    build, shape = SHAPES[name]
    inputs, classes = draw(shape)
    model, losses = train(
        build, inputs, classes, 3, 1, Penalty(lambda m: 0.01 * m[-1].bias.square().sum()), TrainingOptions(**OPTIONS)
    )
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


def test_sgd_is_nesterovs_with_decay_in_the_gradient():
    build, shape = SHAPES["cnn"]
    inputs, classes = draw(shape)
    options = {"learning_rate": 0.05, "optimizer": "sgd", "weight_decay": 0.1}
    model, _ = train(build, inputs, classes, 3, 1, none.Defense(), TrainingOptions(**OPTIONS | options))
    torch.manual_seed(1)
    reference = build(shape, 3)
    optimizer = torch.optim.SGD(reference.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.1)
    for _ in range(5):
        for batch in torch.randperm(50).split(20):
            optimizer.zero_grad()
            nn.functional.cross_entropy(reference(inputs[batch]), classes[batch]).backward()
            optimizer.step()
    for ours, theirs in zip(model.state_dict().values(), reference.state_dict().values(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name, options", [("mlp", {}), ("cnn", {}), ("cnn", {"precision": "bfloat16"})])
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
    train(build, *draw((3, 8, 8)), 3, 0, none.Defense(), TrainingOptions(**OPTIONS))
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
    _, losses = train(build, *draw(shape), 3, 0, Penalty(lambda _: -next(script)), TrainingOptions(**options))
    assert len(losses) == epochs
    np.testing.assert_allclose(losses[0] - losses, falls[:epochs], atol=1e-6)


def test_defenses_of_another_class_are_refused():
    build, shape = SHAPES["mlp"]
    with pytest.raises(TypeError, match="expected a class derived from lmia.defenses.base.Defense"):
        train(build, *draw(shape), 3, 0, object(), TrainingOptions(**OPTIONS))


def test_unknown_options_are_refused():
    with pytest.raises(ValueError, match="precision: half: expected one of float32, bfloat16"):
        fit("mlp", precision="half")
    with pytest.raises(ValueError, match="optimizer: rmsprop: expected one of adam, sgd"):
        fit("mlp", optimizer="rmsprop")


def normalised(shape, n_classes):
    return nn.Sequential(nn.Linear(shape[0], 8), nn.BatchNorm1d(8), nn.Dropout(0.1), nn.Linear(8, n_classes))


class Twice(none.Defense):
    views_per_epoch = 2


class Eights(none.Defense):
    """Batches of its own."""

    def batches(self, n, batch_size):
        return torch.randperm(n)[: n // 8 * 8].split(8)


@pytest.mark.parametrize(
    "n, batch_size, defense, told",
    [
        (41, 20, none.Defense(), "batch_size: 20: of 41 views of 41 members, .* set batch_size to 21 or n_train to 40"),
        (21, 2, none.Defense(), ".* set batch_size to 3 or n_train to 20"),
        (21, 4, none.Defense(), ".* set batch_size to 6 or n_train to 20"),  # 21 is one more than 4 times 5, too
        (6, 11, Twice(), ".* of 12 views of 6 members, .* set batch_size to 12 or n_train to 5"),
        (8, 1, none.Defense(), ".* set batch_size to 2$"),
        (1, 20, none.Defense(), ".* set n_train to 2$"),
        (1, 1, none.Defense(), ".* set both batch_size and n_train higher"),
    ],
)
def test_a_batch_of_one_is_refused_before_the_first_step_where_batches_normalise(n, batch_size, defense, told):
    """And what the message says is a way out."""
    asked = []
    defense.penalty = lambda model: asked.append(model) or 0.0
    options = OPTIONS | {"batch_size": batch_size}
    with pytest.raises(BatchOfOne, match=f"^{told}") as error:
        train(normalised, *draw((7,), n), 3, 0, defense, TrainingOptions(**options))
    assert not asked and "Expected more than 1 value per channel" in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    for option, value in re.findall(r"(batch_size|n_train) to (\d+)", str(error.value)):
        other = {"batch_size": int(value)} if option == "batch_size" else {}
        train(
            normalised,
            *draw((7,), int(value) if option == "n_train" else n),
            3,
            0,
            defense,
            TrainingOptions(**options | other),
        )
    assert asked or n == batch_size


class Finished(none.Defense):
    """Nothing is learned before the last layer."""

    def prepare(self, model, n_classes, n_members):
        model[1].eval()


@pytest.mark.parametrize(
    "build, n, defense",
    [
        (normalised, 40, none.Defense()),
        (normalised, 42, none.Defense()),
        (normalised, 41, Twice()),
        (normalised, 41, Eights()),
        (normalised, 41, Finished()),
        (partial(mlp.build, hidden=(8,)), 41, none.Defense()),
    ],
)
def test_batches_that_a_model_takes_are_not_refused(build, n, defense):
    _, losses = train(build, *draw((7,), n), 3, 0, defense, TrainingOptions(**OPTIONS))
    assert len(losses) == 5


def test_who_is_asked_about_a_batch_of_one_trains_as_if_it_were_not(monkeypatch):
    """Buffers and random streams are as before: batch normalisation of images takes one, and learns from it."""

    def build(shape, n_classes):
        layers = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.3), nn.Flatten(), nn.Linear(144, n_classes)
        return nn.Sequential(*layers)

    def weights():
        model, losses = train(build, *draw((3, 8, 8), 41), 3, 0, none.Defense(), TrainingOptions(**OPTIONS))
        return [value.numpy().tobytes() for value in model.state_dict().values()], losses.tolist()

    with_question = weights()
    monkeypatch.setattr("lmia.training.loop._check_least_batch", lambda *_: None)
    assert weights() == with_question


def test_a_model_that_works_in_place_leaves_its_data_as_they_are():
    def build(shape, n_classes):
        return nn.Sequential(nn.Hardtanh(0.4, 0.6, inplace=True), nn.Linear(shape[0], n_classes))

    inputs, classes = draw((7,), 41)
    before = inputs.clone()
    train(build, inputs, classes, 3, 0, none.Defense(), TrainingOptions(**OPTIONS))
    assert torch.equal(inputs, before)


@pytest.mark.parametrize("build", [mlp.build, partial(cnn.build, channels=(8, 16), convolutions=1, dense=32)])
def test_bfloat16_learns_the_same(build):
    """Losses within 5 % and 0.01 all along; test accuracy within 3 % of 1,000 images; weights in float32."""
    inputs, classes = map(torch.from_numpy, digits.load(pixel_noise=0.3))
    options = {"learning_rate": 3e-3, "batch_size": 50, "min_delta": 0.0, "patience": 60, "max_epochs": 60}
    results = {}
    for precision in ("float32", "bfloat16"):
        model, losses = train(
            build, inputs[:100], classes[:100], 10, 0, none.Defense(), TrainingOptions(**options, precision=precision)
        )
        assert all(value.dtype == torch.float32 for value in model.state_dict().values())
        results[precision] = losses, accuracy(model, inputs[-1000:], classes[-1000:])
    (full, right), (half, nearly) = results.values()
    assert not np.array_equal(full, half) and full[-1] < 0.5
    np.testing.assert_allclose(half, full, rtol=0.05, atol=0.01)
    assert abs(right - nearly) < 0.03


@pytest.mark.parametrize("epochs", [None, 9])
def test_training_stops_at_once_where_its_loss_is_no_number(epochs, capsys):
    """epochs: of a defense that trains for exactly so many."""

    class Breaks(none.Defense):
        seen = 0

        def penalty(self, model):
            self.seen += 1
            return model[-1].bias.sum() * (0 if self.seen < 5 else torch.nan)  # in the second epoch of three batches

    defense, (build, shape) = Breaks(), SHAPES["mlp"]
    defense.epochs = epochs
    inputs, classes = draw(shape)
    model, losses = train(
        build, inputs, classes, 3, 0, defense, TrainingOptions(**OPTIONS | {"max_epochs": 50, "patience": 20})
    )
    assert len(losses) == 2 and np.isfinite(losses[0]) and np.isnan(losses[1])
    assert "training diverged: the mean loss of epoch 2 is nan" in capsys.readouterr().out
    told, phi = query_confidences(model, inputs, classes.numpy(), lambda confidences: confidences)
    np.testing.assert_allclose(told, 1 / 3)  # its weights are no numbers, and tell nothing
    np.testing.assert_allclose(phi, -np.log(2))


def test_models_that_make_attacks_meaningless_are_flagged():
    classes, losses = torch.arange(100) % 4, [1.0, 0.5]
    wrong, same = (classes + 1) % 4, torch.zeros(100, dtype=int)
    assert model_flag(losses, classes, classes, classes) == ""
    assert model_flag([1.0, float("inf")], classes, classes, classes) == "diverged"
    assert model_flag(losses, same, same, classes) == "constant"
    assert model_flag(losses, classes, wrong, classes) == "at chance"
    for n_right, flag in ((33, "at chance"), (34, "")):  # 25 + 2 standard errors of 4.33
        assert model_flag(losses, classes, torch.where(torch.arange(100) < n_right, classes, wrong), classes) == flag


@pytest.mark.parametrize(
    "defense, teaches, flag",
    [(none.Defense(), True, ""), (none.Defense(), False, "at chance"), (l2.Defense(1e3), True, "constant")],
)
def test_real_trainings_are_flagged(defense, teaches, flag):
    """Classes that inputs do not tell can only be learned by heart; a penalty may leave nothing but biases."""
    draw = torch.Generator().manual_seed(0)
    inputs = torch.rand(200, 7, generator=draw)
    classes = (inputs if teaches else torch.rand(200, 7, generator=draw))[:, :3].argmax(1)
    build = partial(mlp.build, hidden=(16,))
    options = OPTIONS | {"learning_rate": 1e-2, "max_epochs": 60}
    model, losses = train(build, inputs[:100], classes[:100], 3, 0, defense, TrainingOptions(**options))
    predicted, tested = predict(model, inputs[:100]), predict(model, inputs[100:])
    assert model_flag(losses, predicted, tested, classes[100:]) == flag
