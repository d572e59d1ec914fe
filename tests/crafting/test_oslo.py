"""OSLO's queries against searches whose end is known, and what holds of any of them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmia.crafting.oslo import Crafting
from lmia.queries.fixed_queries import ask_crafted
from lmia.queries.oracle import LabelOracle
from tests.crafting.broken_off import Fragile, Killed
from tests.crafting.linear_models import Curved, Linear, halfspace

DIM = 6
THRESHOLDS = (0.9, 0.7, 0.5, 0.3, 0.1)
NORMAL = np.array([1.0, -2.0, 3.0, -0.5, 0.7, 4.0])
OFFSET = NORMAL.sum() / 2  # through the middle of the points


def craft(models, inputs, classes, sources=None, validators=0, journal=None, **options):
    options = {"thresholds": THRESHOLDS, "levels": 10} | options
    crafting = Crafting(sources=sources or len(models), validators=validators, **options)
    knows = np.zeros((len(models), len(inputs)), bool)
    return crafting.craft(models, knows, torch.as_tensor(inputs), np.asarray(classes), journal=journal)


def points(n=40, dim=DIM, seed=0):
    return np.random.default_rng(seed).uniform(0.4, 0.6, size=(n, dim))


def confidences(model, inputs, classes):
    return model(torch.as_tensor(inputs)).softmax(1).detach().numpy()[np.arange(len(classes)), classes]


def test_of_linear_models_a_query_goes_all_the_way_against_the_margin_to_the_first_bound_that_is_enough():
    model, inputs, epsilon, levels = halfspace(NORMAL, OFFSET), points(), 0.3, 10
    margins = inputs @ NORMAL - OFFSET
    classes, margins = (margins > 0).astype(int), np.abs(margins)
    crafted, reached = craft([model, model], inputs, classes, epsilon=epsilon, levels=levels)
    bounds = epsilon * np.arange(1, levels + 1) / levels
    left = margins[:, None] - bounds * np.abs(NORMAL).sum()  # after each level
    for column, threshold in enumerate(THRESHOLDS):
        enough = 1 / (1 + np.exp(-left)) < threshold
        level = np.where(enough.any(axis=1), enough.argmax(axis=1), levels - 1)
        away = np.where(classes, -1, 1)[:, None] * np.sign(NORMAL)
        np.testing.assert_allclose(crafted[:, column], inputs + bounds[level][:, None] * away, atol=1e-12)
        np.testing.assert_array_equal(reached[:, column], enough.any(axis=1))


@pytest.mark.parametrize("scale, biases", [(1.0, 0.0), (1.0, 0.4), (0.5, -0.3)])
def test_a_linear_target_keeps_the_label_if_its_margin_is_more_than_the_bound_times_the_l1_norm(scale, biases):
    """As from one direction of all models: the margin of the target alone is another one."""
    inputs = points(200)
    classes = (inputs @ NORMAL > OFFSET).astype(int)
    crafted, _ = craft([halfspace(NORMAL, OFFSET)], inputs, classes, thresholds=[0.5], epsilon=0.3)
    target = halfspace(scale * NORMAL, scale * OFFSET - biases)
    margins = np.where(classes, 1, -1) * (scale * (inputs @ NORMAL - OFFSET) + biases)
    moved = np.abs(crafted[:, 0] - inputs).max(axis=1)
    labels, _ = ask_crafted(target, torch.as_tensor(inputs), torch.as_tensor(crafted))
    expected = margins > moved * np.abs(scale * NORMAL).sum()
    np.testing.assert_array_equal(labels[:, 1] == classes, expected)
    assert 0 < expected.mean() < 1 or biases == 0


def test_the_ensemble_that_stops_the_search_keeps_the_label_at_the_higher_thresholds_first():
    models = [Curved(seed, DIM) for seed in range(3)]
    inputs = points(60)
    classes = models[0](torch.as_tensor(inputs)).argmax(1).numpy()
    thresholds = [0.99, 0.9, 0.8, 0.7, 0.6, 0.5]
    crafted, reached = craft(models, inputs, classes, 1, 2, thresholds=thresholds, epsilon=0.5)

    class Ensemble(torch.nn.Module):
        def forward(self, x):
            return (models[1](x) + models[2](x)) / 2

    kept = np.stack([confidences(Ensemble(), crafted[:, column], classes) >= 0.5 for column in range(6)], axis=1)
    assert reached.any() and kept[reached].any() and not kept[reached].all()
    assert not (kept[:, 1:] & ~kept[:, :-1] & reached[:, 1:]).any()
    for column, threshold in enumerate(thresholds):
        below = confidences(Ensemble(), crafted[:, column], classes) < threshold
        np.testing.assert_array_equal(below, reached[:, column])


@settings(max_examples=25, deadline=None)
@given(
    epsilon=st.floats(0.01, 2.0),
    levels=st.integers(1, 6),
    steps=st.integers(1, 4),
    seed=st.integers(0, 10**6),
)
def test_no_query_leaves_the_box_or_the_bound(epsilon, levels, steps, seed):
    numbers = np.random.default_rng(seed)
    inputs, classes = numbers.uniform(size=(7, DIM)), numbers.integers(0, 3, 7)
    models = [Curved(seed + number, DIM) for number in range(2)]
    crafted, reached = craft(models, inputs, classes, 1, 1, epsilon=epsilon, levels=levels, steps=steps)
    assert crafted.shape == (7, len(THRESHOLDS), DIM) and reached.shape == (7, len(THRESHOLDS))
    assert crafted.min() >= 0 and crafted.max() <= 1
    assert np.abs(crafted - inputs[:, None]).max() <= epsilon + 1e-12
    assert (reached[:, :-1] >= reached[:, 1:]).all()  # a lower threshold is reached later


def test_of_images_gradients_are_smoothed_by_a_gaussian_of_five_pixels():
    numbers = np.random.default_rng(0)
    weights, shape = numbers.normal(size=(2, 7, 6)), (4, 2, 7, 6)
    inputs = numbers.uniform(0.4, 0.6, size=shape)
    model = Linear(np.stack([np.zeros(84), weights.ravel()], axis=1), [0.0, 100.0])
    crafted, reached = craft([model], inputs, np.ones(4, int), thresholds=[0.1], epsilon=0.1, levels=1)
    line = np.exp(-(np.array([-3.0, -1.5, 0.0, 1.5, 3.0]) ** 2) / 2)
    padded = np.pad(weights, [(0, 0), (2, 2), (2, 2)])
    smooth = sum(
        line[down] * line[right] * padded[:, down : down + 7, right : right + 6]
        for down in range(5)
        for right in range(5)
    )
    np.testing.assert_allclose(crafted[:, 0], inputs - 0.1 * np.sign(smooth), atol=1e-12)
    assert not reached.any() and (np.sign(smooth) != np.sign(weights)).any()


def test_within_a_level_gradients_add_up_each_by_its_mean_size():
    """Two steps along a loss with another gradient at the second: computed here by hand."""
    model, inputs = Curved(3, DIM), points(20, seed=5)
    classes = model(torch.as_tensor(inputs)).argmax(1)

    def gradient(x):
        x = torch.as_tensor(x).requires_grad_()
        loss = torch.nn.functional.cross_entropy(model(x), classes, reduction="sum")
        return torch.autograd.grad(loss, x)[0].numpy()

    def normed(values):
        return values / np.abs(values).mean(axis=1, keepdims=True)

    bound, x = 0.2, inputs
    memory = normed(gradient(x))
    delta = np.clip(1.25 * bound / 2 * np.sign(memory), -bound, bound)
    memory = memory + normed(gradient(np.clip(x + delta, 0, 1)))
    delta = np.clip(delta + 1.25 * bound / 2 * np.sign(memory), -bound, bound)
    crafted, _ = craft([model], inputs, classes.numpy(), epsilon=bound, levels=1, steps=2, thresholds=[1e-9])
    np.testing.assert_allclose(crafted[:, 0], x + delta, atol=1e-12)


@pytest.mark.parametrize("parts", [1, 7, 33])
def test_no_byte_depends_on_the_batch(parts, monkeypatch):
    models, inputs = [Curved(seed, DIM) for seed in range(3)], points(40)
    classes = np.arange(40) % 3
    whole = craft(models, inputs, classes, 2, 1)
    monkeypatch.setattr(LabelOracle, "chunk", staticmethod(lambda size, device: parts))
    for one, other in zip(whole, craft(models, inputs, classes, 2, 1), strict=True):
        np.testing.assert_array_equal(one, other)
    order = np.random.default_rng(0).permutation(40)[:20]
    for one, other in zip(whole, craft(models, inputs[order], classes[order], 2, 1), strict=True):
        np.testing.assert_array_equal(one[order], other)


@pytest.mark.parametrize("saves", [1, 5, 11, 12, 20])
def test_a_search_that_is_broken_off_goes_on_to_the_same_bytes(saves, monkeypatch):
    monkeypatch.setattr(LabelOracle, "chunk", staticmethod(lambda size, device: 15))
    models, inputs, classes = [Curved(seed, DIM) for seed in range(2)], points(40), np.arange(40) % 3
    asked = []
    models[0].register_forward_hook(lambda model, inputs, logits: asked.append(len(logits)))
    craft(models, inputs, classes, 1, 1)
    whole, journal = sum(asked), Fragile(saves)
    with pytest.raises(Killed):
        craft(models, inputs, classes, 1, 1, journal=journal)
    resumed = craft(models, inputs, classes, 1, 1, journal=journal)
    assert sum(asked) == 2 * whole  # nothing was searched twice
    for one, other in zip(craft(models, inputs, classes, 1, 1), resumed, strict=True):
        np.testing.assert_array_equal(one, other)
    done = craft(models, inputs * np.nan, classes, 1, 1, journal=journal)  # nothing is searched again
    np.testing.assert_array_equal(done[0], resumed[0])


def test_models_are_left_as_they_were_but_in_evaluation_mode():
    models = [Curved(seed, DIM).train() for seed in range(2)]
    craft(models, points(5), np.zeros(5, int), 1, 1)
    for model in models:
        assert not model.training
        assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())


def test_a_gradient_of_zero_moves_nothing_and_a_certain_model_is_still_searched():
    inputs, classes = points(4), np.ones(4, int)
    still, _ = craft([Linear(np.zeros((DIM, 2)), [0.0, 1.0])], inputs, classes)
    np.testing.assert_array_equal(still, np.repeat(inputs[:, None], len(THRESHOLDS), axis=1))
    certain, _ = craft([halfspace(1e5 * NORMAL, -1e6)], inputs, classes, epsilon=0.1)  # every confidence is 1
    np.testing.assert_allclose(certain[:, -1], inputs - 0.1 * np.sign(NORMAL), atol=1e-12)


def test_models_that_know_an_input_and_other_numbers_of_models_are_refused():
    crafting, inputs = Crafting(sources=1, validators=1), torch.as_tensor(points(3))
    models, knows = [halfspace(NORMAL, 0.0)] * 2, np.zeros((2, 3), bool)
    with pytest.raises(ValueError, match="expected 1 sources and 1 validators .*, got 1 models"):
        crafting.craft(models[:1], knows[:1], inputs, np.zeros(3, int))
    knows[1, 2] = True
    with pytest.raises(ValueError, match="1 of which know some"):
        crafting.craft(models, knows, inputs, np.zeros(3, int))


@pytest.mark.parametrize(
    "options",
    [{"thresholds": []}, {"thresholds": [1.0]}, {"epsilon": 0}, {"levels": 0}, {"sources": 0}, {"validators": -1}],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        Crafting(**options)
