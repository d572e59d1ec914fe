"""The game against an attack network."""

from functools import partial

import torch
from torch import nn

from lmia.defenses import adversarial_regularization
from lmia.models import wide_resnet
from lmia.training.loop import train
from lmia.training.options import TrainingOptions
from tests.defenses.small_task import BUILD, OPTIONS, N, defend, draw, fresh


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
