"""Defenses that train otherwise: each against what its paper says, on models small enough to follow."""

import importlib
import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from torch import nn

from lmia.defenses import adversarial_regularization, augmentation, dp_sgd
from lmia.image_augmentation import moved, shifts
from lmia.models import cnn, mlp, wide_resnet
from lmia.perturbations.translation import shift
from lmia.training.loop import train
from lmia.training.options import TrainingOptions
from workflow.harness.journal_file import KeptJournal

OPTIONS = {"learning_rate": 1e-3, "batch_size": 20, "min_delta": 0.0, "patience": 5, "max_epochs": 5}
BUILD = partial(cnn.build, channels=(4, 8), convolutions=1, dense=16)
SHAPE = (3, 8, 8)
N = 50
DEFENSES = {
    "l1": {"strength": 0.01},
    "l2": {"strength": 0.01},
    "dropout": {"rate": 0.5},
    "weight_decay": {"strength": 0.1},
    "early_stopping": {"epochs": 2},
    "label_smoothing": {"amount": 0.1},
    "mixup": {"alpha": 0.5},
    "augmentation": {"pixels": 1, "views": "random", "flips": True, "cutout": 3},
    "adversarial_regularization": {"strength": 1.0, "epochs": 3},
    "transfer": {"source": "elsewhere"},
    "dp_sgd": {"epochs": 2, "noise": 0.5, "batch_size": 20},
}


def draw(shape=SHAPE, n=N, seed=0):
    """A random task of three classes."""
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.random((n, *shape), dtype=np.float32)), torch.from_numpy(rng.integers(3, size=n))


def defend(kind, **options):
    defense = importlib.import_module(f"lmia.defenses.{kind}").Defense(**options)
    defense.supply(reference=lambda: draw(n=N, seed=1), source=source)
    return defense


def source():
    """Weights of a model of five classes."""
    with torch.random.fork_rng():
        torch.manual_seed(9)
        return {name: value.numpy().copy() for name, value in BUILD(SHAPE, 5).state_dict().items()}


def fit(defense, build=BUILD, shape=SHAPE, seed=0, journal=None, **options):
    return train(build, *draw(shape), 3, seed, defense, TrainingOptions(**OPTIONS | options), journal)


def fresh(seed=0, build=BUILD, shape=SHAPE):
    """The model as training starts with it."""
    torch.manual_seed(seed)
    return build(shape, 3)


@pytest.mark.parametrize("kind", DEFENSES)
def test_equal_arguments_give_equal_bytes(kind):
    """Whatever the global state, which stays as it was; the model is built again without the defense."""
    runs = []
    for state in (3, 4):
        torch.manual_seed(state)
        before = torch.get_rng_state()
        model, losses = fit(defend(kind, **DEFENSES[kind]))
        assert torch.equal(torch.get_rng_state(), before)
        runs.append([losses.tobytes(), *(value.numpy().tobytes() for value in model.state_dict().values())])
        again = fresh(7)
        again.load_state_dict(model.state_dict())
        with torch.inference_mode():
            torch.testing.assert_close(again.eval()(draw()[0]), model(draw()[0]))
    assert runs[0] == runs[1]
    assert fit(defend(kind, **DEFENSES[kind]), seed=1)[1].tobytes() != runs[0][0]


@pytest.mark.parametrize("layers", ["dense", "all"])
@pytest.mark.parametrize("kind, norm", [("l1", torch.abs), ("l2", torch.square)])
def test_norms_join_the_loss(kind, norm, layers):
    """The first loss of a single batch is known before any step."""
    _, losses = fit(defend(kind, strength=0.3, layers=layers), batch_size=N, max_epochs=1)
    model, (inputs, classes) = fresh(), draw()
    taken = [m for m in model.modules() if isinstance(m, nn.Linear) or (layers == "all" and isinstance(m, nn.Conv2d))]
    expected = nn.functional.cross_entropy(model(inputs), classes) + 0.3 * sum(norm(m.weight).sum() for m in taken)
    np.testing.assert_allclose(losses[0], expected.item(), rtol=1e-5)
    with pytest.raises(ValueError, match="layers: some: expected one of dense, all"):
        fit(defend(kind, strength=1, layers="some"))


def test_dropout_drops_inputs_of_dense_layers_but_not_the_models_own():
    seen = []

    class Watched(nn.Linear):
        def forward(self, x):
            seen.append(x.detach())
            return super().forward(x)

    def build(shape, n_classes):
        return nn.Sequential(Watched(shape[0], 300), nn.Sigmoid(), Watched(300, n_classes))

    model, _ = train(build, *draw((7,)), 3, 0, defend("dropout", rate=0.3), TrainingOptions(**OPTIONS))
    assert all((x == 0).sum() == 0 for x in seen[::2])  # the inputs themselves are all above 0
    zeros = [(x == 0).float().mean().item() for x in seen[1::2]]
    assert abs(np.mean(zeros) - 0.3) < 0.01 and np.std(zeros) > 0
    seen.clear()
    model(draw((7,))[0])
    assert not (seen[1] == 0).any()


def test_weight_decay_is_adamw():
    model, _ = fit(defend("weight_decay", strength=5.0))
    torch.manual_seed(0)
    reference, (inputs, classes) = BUILD(SHAPE, 3), draw()
    optimizer = torch.optim.AdamW(reference.parameters(), lr=1e-3, weight_decay=5.0)
    for _ in range(5):
        for batch in torch.randperm(N).split(20):
            optimizer.zero_grad()
            nn.functional.cross_entropy(reference(inputs[batch]), classes[batch]).backward()
            optimizer.step()
    for ours, theirs in zip(model.state_dict().values(), reference.state_dict().values(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)


def test_early_stopping_asks_no_loss():
    assert len(fit(defend("early_stopping", epochs=9))[1]) == 9  # although max_epochs is 5
    assert len(fit(defend("early_stopping", epochs=3), patience=1, min_delta=10.0)[1]) == 3


def test_label_smoothing_by_hand():
    _, losses = fit(defend("label_smoothing", amount=0.3), batch_size=N, max_epochs=1)
    inputs, classes = draw()
    logs = fresh()(inputs).log_softmax(1)
    target = torch.full((N, 3), 0.1) + 0.7 * nn.functional.one_hot(classes, 3)
    np.testing.assert_allclose(losses[0], -(target * logs).sum(1).mean().item(), rtol=1e-5)


def test_mixup_mixes_pairs_in_one_share_of_a_batch():
    """Unit vectors tell who was mixed with whom, and how much."""
    seen, losses, shares = [], [], []

    class Linear(nn.Linear):
        def forward(self, x):
            seen.append(x.detach())
            return super().forward(x)

    inputs, classes = torch.eye(20), torch.arange(20) % 3
    defense, model = defend("mixup", alpha=0.5), Linear(20, 3)
    torch.manual_seed(0)
    for _ in range(400):
        losses.append(defense.loss(model, inputs, classes).item())
        mixed = seen[-1]
        row = (mixed.diagonal() < 1 - 1e-6).nonzero()[0, 0]  # one who was not mixed with itself
        share, partner = mixed[row, row].item(), (mixed - mixed.diagonal().diag()).argmax(1)
        alone = torch.isclose(mixed.diagonal(), torch.ones(20))
        partner[alone] = torch.arange(20)[alone]
        torch.testing.assert_close(mixed, share * inputs + (1 - share) * inputs[partner])
        logs = model(mixed).log_softmax(1)
        expected = share * logs[torch.arange(20), classes] + (1 - share) * logs[torch.arange(20), classes[partner]]
        np.testing.assert_allclose(losses[-1], -expected.mean().item(), rtol=1e-5)
        shares.append(share)
    # Beta(1/2, 1/2): mean 1/2, variance 1/8, a third below 1/4
    assert abs(np.mean(shares) - 0.5) < 0.07 and abs(np.var(shares) - 0.125) < 0.02
    assert abs(np.mean(np.array(shares) < 0.25) - 1 / 3) < 0.09


class Witness(nn.Module):
    """Keeps every batch that it sees."""

    def __init__(self, shape, n_classes):
        super().__init__()
        self.seen, self.layer = [], nn.Linear(math.prod(shape), n_classes)

    def forward(self, x):
        self.seen.append(x.detach().clone())
        return self.layer(x.flatten(1))


def views_seen(defense, epochs, candidates):
    """Per epoch, (image, name of its view) in the order that 12 images came in, in batches of 5.

    candidates: name -> all 12 images in that view. KeyError where an image is none of them.
    """
    options = OPTIONS | {"batch_size": 5, "max_epochs": epochs, "patience": epochs}
    model, _ = train(Witness, *draw((2, 5, 6), 12), 3, 0, defense, TrainingOptions(**options))
    known = {view[row].numpy().tobytes(): (row, name) for name, view in candidates.items() for row in range(12)}
    found = [known[image.contiguous().numpy().tobytes()] for batch in model.seen for image in batch]
    size = len(found) // epochs
    return [found[start : start + size] for start in range(0, len(found), size)]


def test_augmentation_shows_all_shifts_of_all_images_in_every_epoch():
    inputs, moves = draw((2, 5, 6), 12)[0], [(0, 0), *shifts(2)]
    epochs = views_seen(augmentation.Defense(2), 4, {move: shift(inputs, *move) for move in moves})
    for epoch in epochs:
        assert len(epoch) == 12 * 9 and set(epoch) == {(row, move) for row in range(12) for move in moves}
    assert len({tuple(epoch) for epoch in epochs}) == 4  # each time in another order
    assert len({row for row, _ in epochs[0][:12]}) > 4 and len({move for _, move in epochs[0][:12]}) > 4


def test_augmentation_at_random_moves_every_image_on_its_own():
    inputs, steps = draw((2, 5, 6), 12)[0], (-1, 0, 1)
    epochs = views_seen(
        augmentation.Defense(1, "random"), 40, {(i, j): shift(inputs, i, j) for i in steps for j in steps}
    )
    assert all({row for row, _ in epoch} == set(range(12)) for epoch in epochs)
    moves = [move for epoch in epochs for _, move in epoch]
    counts = [moves.count((i, j)) for i in steps for j in steps]
    assert min(counts) > 53 - 4 * 7 and max(counts) < 53 + 4 * 7  # 480 draws: 53 +- 7 of each
    assert len({move for _, move in epochs[0]}) > 3 and epochs[0] != epochs[1]


def test_flips_mirror_half_of_the_images():
    inputs = draw((2, 5, 6), 12)[0]
    defense = augmentation.Defense(0, "random", flips=True)
    epochs = views_seen(defense, 40, {"as it is": inputs, "mirrored": inputs.flip(3)})
    flipped = sum(name == "mirrored" for epoch in epochs for _, name in epoch)
    assert abs(flipped - 240) < 4 * 11  # 480 draws: 240 +- 11


def test_cutout_covers_one_square_around_any_pixel():
    inputs = torch.ones(400, 2, 5, 6)
    torch.manual_seed(0)
    images = augmentation.Defense(0, "random", cutout=3).view(inputs, torch.arange(400), torch.zeros(400))
    assert set(images.unique().tolist()) == {0.5, 1.0} and torch.equal(images[:, 0], images[:, 1])
    grey = images[:, 0] == 0.5
    heights, widths = grey.any(2).sum(1), grey.any(1).sum(1)
    assert torch.equal(grey.sum((1, 2)), heights * widths)  # a rectangle
    assert set(heights.tolist()) == {2, 3} and set(widths.tolist()) == {2, 3}  # a side around an edge pixel is cut
    assert grey.any(0).all()  # every pixel at times


def test_a_gather_is_the_shift_of_the_query_sets():
    inputs, _ = draw((3, 8, 5), 9)
    rows, moves = torch.tensor([4, 4, 0, 8]), torch.randint(-6, 7, (4, 2))
    expected = [shift(inputs[row : row + 1], *move.tolist())[0] for row, move in zip(rows, moves, strict=True)]
    for images in (inputs, inputs.contiguous(memory_format=torch.channels_last)):
        found = moved(images, rows, moves)
        assert torch.equal(found, torch.stack(expected))
        assert found.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("defense", [augmentation.Defense(1), dp_sgd.Defense(1, noise=1, views=2, pixels=1)])
def test_tables_are_not_moved(defense):
    with pytest.raises(ValueError, match=r"only images .* have shape \(7,\); choose another defense"):
        fit(defense, mlp.build, (7,))


def test_the_game_moves_one_player_at_a_time():
    """Algorithm 1: a step of the attack network, then the classifier against the attack network as it now is."""
    defense, model = defend("adversarial_regularization", strength=2.0, epochs=1, steps=3), fresh()
    defense.prepare(model, 3, N)
    attack, (inputs, classes) = defense._attack, draw()
    before = [p.detach().clone() for p in attack.parameters()]
    torch.manual_seed(5)
    loss = defense.loss(model, inputs, classes)
    assert all(p.grad is None for p in model.parameters())
    assert not any(torch.equal(p, old) for p, old in zip(attack.parameters(), before, strict=True))
    after = [p.detach().clone() for p in attack.parameters()]
    logits = model(inputs)
    gain = attack(logits.softmax(1), nn.functional.one_hot(classes, 3).float()).sigmoid().log().mean()
    torch.testing.assert_close(loss, nn.functional.cross_entropy(logits, classes) + 2.0 * gain)
    loss.backward()
    assert all(p.grad is None for p in attack.parameters()) and model[1].weight.grad is not None
    assert all(torch.equal(p, old) for p, old in zip(attack.parameters(), after, strict=True))


def test_reference_points_leave_no_trace_in_batch_norm():
    """They are no training data: only members move the running averages, which the finished model normalises with."""
    build = partial(wide_resnet.build, depth=10, width=1)
    defense, model, plain = (
        defend("adversarial_regularization", strength=1.0, epochs=1, steps=3),
        fresh(build=build),
        fresh(build=build),
    )
    defense.prepare(model, 3, N)
    inputs, classes = draw()
    defense.loss(model, inputs, classes)
    plain(inputs)
    averages = dict(plain.named_buffers())
    assert any(name.endswith("running_mean") for name in averages) and model.training
    for name, found in model.named_buffers():
        assert torch.equal(found, averages[name]), name


def test_the_game_hides_members():
    """With labels by chance, only confidences on members are high; the game takes most of that difference."""
    (inputs, classes), (others, labels) = draw(n=N), draw(n=N, seed=1)
    gaps = {}
    for strength in (1e-6, 3.0):
        defense = defend("adversarial_regularization", strength=strength, epochs=60, steps=2)
        model, _ = train(BUILD, inputs, classes, 3, 0, defense, TrainingOptions(**OPTIONS | {"learning_rate": 3e-3}))
        with torch.inference_mode():
            members, rest = model(inputs).softmax(1), model(others).softmax(1)
        gaps[strength] = (members.gather(1, classes[:, None]).mean() - rest.gather(1, labels[:, None]).mean()).item()
    assert gaps[1e-6] > 0.25 and gaps[3.0] < 0.6 * gaps[1e-6]


def test_the_attack_network_has_the_papers_shape():
    """Nasr et al. 2018: branches 1024-512-64 and 512-64, then 256-64."""
    shapes = [tuple(p.shape) for p in adversarial_regularization.AttackNetwork(10).parameters() if p.ndim == 2]
    branches = [(1024, 10), (512, 1024), (64, 512), (512, 10), (64, 512)]
    assert shapes == [*branches, (256, 128), (64, 256), (1, 64)]


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


def epsilon_by_integral(noise, rate, steps, delta):
    """The Renyi divergences of a Poisson-sampled Gaussian from their definition (Mironov, Talwar and Zhang 2019).

    Opacus sums series for them, of its own orders. The conversion is that of Balle et al. 2020.
    """
    order = 1 + np.geomspace(0.02, 300, 500)
    z = np.linspace(-12 * noise, order + 12 * noise, 4001)  # as far as any of the integrands reaches
    with np.errstate(divide="ignore"):
        ratio = np.logaddexp(np.log1p(-rate), np.log(rate) + (2 * z - 1) / (2 * noise**2))
    logs = order * ratio - z**2 / (2 * noise**2) + np.log((z[1] - z[0]) / (noise * math.sqrt(2 * math.pi)))
    renyi = steps * logsumexp(logs, axis=0) / (order - 1)
    return (renyi + np.log1p(-1 / order) - np.log(delta * order) / (order - 1)).min()


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
