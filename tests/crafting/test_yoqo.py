"""YOQO's queries against losses and steps that are computed here, and what holds of any of them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmia.crafting.yoqo import Crafting
from lmia.queries.oracle import LabelOracle
from tests.crafting.broken_off import Fragile, Killed
from tests.crafting.linear_models import Curved, halfspace
from tests.pool_coins import coins

DIM = 5


def craft(models, knows, inputs, classes, journal=None, **options):
    found = Crafting(**options).craft(models, knows, torch.as_tensor(inputs), np.asarray(classes), journal=journal)
    assert found[0].shape == (len(inputs), 1, *np.shape(inputs)[1:]) and found[1].shape == (len(inputs), 1)
    return found[0][:, 0], found[1][:, 0]


def pool(n=30, pairs=3, seed=0):
    """(models, who knows which input, inputs, classes)."""
    numbers = np.random.default_rng(seed)
    knows = coins(2 * pairs, n, numbers)
    models = [Curved(seed + number, DIM) for number in range(2 * pairs)]
    return models, knows, numbers.uniform(0.3, 0.7, (n, DIM)), numbers.integers(0, 3, n)


def cross_entropy(model, points, classes):
    return torch.nn.functional.cross_entropy(model(points), torch.as_tensor(classes), reduction="none")


def loss_by_hand(models, knows, inputs, classes, points, online, alpha):
    """One input after the other, by the formula of the released code, for as many models as the authors'."""
    losses = []
    for row in range(len(inputs)):
        x, total = points[row : row + 1], 0.0
        for model, known in zip(models, knows[:, row], strict=True):
            logits = model(torch.as_tensor(inputs[row : row + 1]))[0].detach().numpy().copy()
            logits[classes[row]] = -np.inf  # its label, or the second one where that is right
            if known and online:
                total = total + cross_entropy(model, x, classes[row : row + 1])
            elif not known:
                total = total + (alpha if online else 1) * cross_entropy(model, x, [logits.argmax()])
                if not online:
                    total = total + alpha * (x - torch.as_tensor(inputs[row : row + 1])).square().mean()
        losses.append((total * (3 if online else 6) / (1 + alpha) * 16 / (len(models) // 2)).sum())
    return torch.stack(losses)


@pytest.mark.parametrize("online", [True, False])
@pytest.mark.parametrize("clip", [True, False])
def test_steps_are_those_of_plain_gradient_descent(online, clip):
    models, knows, inputs, classes = pool()
    alpha, rate, points = 1.5, 0.02, torch.as_tensor(inputs)
    for _ in range(3):
        points = points.detach().requires_grad_()
        loss = loss_by_hand(models, knows, inputs, classes, points, online, alpha)
        points = points.detach() - rate * torch.autograd.grad(loss.sum(), points)[0]
        points = points.clamp(0, 1) if clip else points
    options = {"online": online, "alpha": alpha, "rate": rate, "steps": 3, "clip": clip, "end": 1e-9}
    crafted, reached = craft(models, knows, inputs, classes, **options)
    np.testing.assert_allclose(crafted, points, atol=1e-12)
    assert not reached.any() and (clip or np.abs(crafted - 0.5).max() > 0.5)


@pytest.mark.parametrize("online, alpha, end", [(True, 2.0, 4.0), (False, 5.0, 8.0)])
def test_a_search_ends_where_the_loss_gets_to_its_end_and_not_before(online, alpha, end):
    """With the authors' constants, which are the defaults."""
    models, knows, inputs, classes = pool(60, 2)
    crafted, reached = craft(models, knows, inputs, classes, online=online, steps=200)
    loss = loss_by_hand(models, knows, inputs, classes, torch.as_tensor(crafted), online, alpha).detach().numpy()
    np.testing.assert_array_equal(loss <= end, reached)
    assert 0 < reached.mean() < 1
    shorter, _ = craft(models, knows, inputs, classes, online=online, steps=100)
    early = craft(models, knows, inputs, classes, online=online, steps=100)[1]
    np.testing.assert_array_equal(shorter[early], crafted[early])
    first = loss_by_hand(models, knows, inputs, classes, torch.as_tensor(inputs), online, alpha).detach().numpy()
    np.testing.assert_array_equal(crafted[first <= end], inputs[first <= end])


def test_the_loss_after_the_last_step_counts_too():
    models, knows, inputs, classes = pool(60, 2)
    options = {"rate": 0.002, "end": 60.0}
    for steps in range(1, 4):
        crafted, reached = craft(models, knows, inputs, classes, steps=steps, **options)
        loss = loss_by_hand(models, knows, inputs, classes, torch.as_tensor(crafted), True, 2.0).detach().numpy()
        np.testing.assert_array_equal(loss <= 60, reached)
    fewer = craft(models, knows, inputs, classes, steps=2, **options)[1]
    assert (reached & ~fewer).any()


def test_between_two_known_halfspaces_the_query_lies_where_they_disagree():
    """The model that knows the input says 1 right of 0.3 in the first feature, the other one right of 0.7."""
    models = [halfspace([200.0, 0.0], 60.0), halfspace([200.0, 0.0], 140.0)]
    inputs = np.random.default_rng(0).uniform(0, 1, (50, 2))
    knows = np.stack([np.ones(50, bool), np.zeros(50, bool)])
    for options in ({"steps": 2000, "rate": 1e-5}, {"steps": 2000, "rate": 1e-5, "alpha": 1.0}):
        crafted, reached = craft(models, knows, inputs, np.ones(50, int), **options)
        assert reached.all()
        assert ((crafted[:, 0] > 0.3) & (crafted[:, 0] < 0.7)).all()
        np.testing.assert_array_equal(crafted[:, 1], inputs[:, 1])


def test_offline_nothing_depends_on_models_that_know_the_input():
    models, knows, inputs, classes = pool()
    expected = craft(models, knows, inputs, classes, online=False)
    for row in (0, 7):
        others = [Curved(99, DIM) if knows[number, row] else model for number, model in enumerate(models)]
        found = craft(others, knows, inputs, classes, online=False)
        np.testing.assert_array_equal(found[0][row], expected[0][row])
        assert not np.array_equal(craft(others, knows, inputs, classes)[0], craft(models, knows, inputs, classes)[0])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), online=st.booleans(), rate=st.floats(1e-3, 10), pairs=st.integers(1, 3))
def test_no_clipped_query_leaves_the_box(seed, online, rate, pairs):
    crafted, _ = craft(*pool(8, pairs, seed), online=online, rate=rate, steps=4, clip=True)
    assert crafted.min() >= 0 and crafted.max() <= 1


@pytest.mark.parametrize("parts", [1, 7])
def test_no_byte_depends_on_the_batch(parts, monkeypatch):
    models, knows, inputs, classes = pool(40)
    whole = craft(models, knows, inputs, classes, steps=20)
    monkeypatch.setattr(LabelOracle, "chunk", staticmethod(lambda size, device: parts))
    for one, other in zip(whole, craft(models, knows, inputs, classes, steps=20), strict=True):
        np.testing.assert_array_equal(one, other)
    order = np.random.default_rng(0).permutation(40)[:20]
    for one, other in zip(whole, craft(models, knows[:, order], inputs[order], classes[order], steps=20), strict=True):
        np.testing.assert_array_equal(one[order], other)


@pytest.mark.parametrize("saves", [1, 9, 23])
def test_a_search_that_is_broken_off_goes_on_to_the_same_bytes(saves, monkeypatch):
    monkeypatch.setattr(LabelOracle, "chunk", staticmethod(lambda size, device: 15))
    given, journal = pool(40), Fragile(saves)
    with pytest.raises(Killed):
        craft(*given, journal=journal, steps=12)
    for one, other in zip(craft(*given, steps=12), craft(*given, journal=journal, steps=12), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("change", [lambda knows: knows[:3], lambda knows: knows | True, lambda knows: knows[:0]])
def test_models_that_are_no_pairs_are_refused(change):
    models, knows, inputs, classes = pool()
    with pytest.raises(ValueError, match="models: expected pairs, one of which knows each input, got"):
        craft(models[: len(change(knows))], change(knows), inputs, classes)


@pytest.mark.parametrize("options", [{"steps": 0}, {"rate": 0.0}, {"alpha": -1.0}, {"end": 0.0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        Crafting(**options)
