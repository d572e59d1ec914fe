"""Fixed query sets: counts, ranges, values that a hand can check, and independence of the batch."""

import numpy as np
import pytest
import torch

from lmia.fixed_queries import ask_fixed
from lmia.perturbations import bernoulli, gaussian, original, rotation, translation
from lmia.streams import streams

IMAGES = torch.rand(5, 2, 6, 8, generator=torch.Generator().manual_seed(0))
KINDS = {
    "original": original.Perturbation(),
    "rotation": rotation.Perturbation(degrees=[1, 30, 90]),
    "translation": translation.Perturbation(pixels=[1, 2]),
    "gaussian": gaussian.Perturbation(sigmas=[0.1, 0.5], samples=20),
    "bernoulli": bernoulli.Perturbation(flips=[1, 5], samples=20),
}


def ask(perturbation, images, ids):
    blocks = list(perturbation.blocks(images, streams(0, "test", ids)))
    return torch.cat(blocks, dim=1) if blocks else images[:, None][:, :0]


@pytest.mark.parametrize("kind", KINDS)
def test_counts_and_ranges(kind):
    queries = ask(KINDS[kind], IMAGES, range(5))
    assert queries.shape == (5, len(KINDS[kind].magnitudes), *IMAGES.shape[1:])
    assert queries.numel() == 0 or (queries.min() >= 0 and queries.max() <= 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_query_depends_on_its_example_alone(kind):
    whole = ask(KINDS[kind], IMAGES, range(5))
    order = [3, 0]
    torch.testing.assert_close(ask(KINDS[kind], IMAGES[order], order), whole[order], rtol=0, atol=0)


@pytest.mark.parametrize("kind", ["gaussian", "bernoulli"])
def test_not_even_blocks_depend_on_the_batch(kind):
    """Large inputs need several blocks for all samples: an example's are the same alone and among others."""
    images = torch.rand(17, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    assert len(list(KINDS[kind].blocks(images, streams(0, "test", range(17))))) > 2 * len(set(KINDS[kind].magnitudes))
    whole = ask(KINDS[kind], images, range(17))
    for few in ([4], [16, 4, 0]):
        torch.testing.assert_close(ask(KINDS[kind], images[few], few), whole[few], rtol=0, atol=0)


def test_every_feature_flips_as_often_as_it_should():
    for flips in (0.5, 8, 16):
        flipped = ask(bernoulli.Perturbation(flips=[flips], samples=500), torch.zeros(20, 16), range(20))
        rate, n = flips / 16, 500 * 20
        assert (abs(flipped.mean(dim=(0, 1)) - rate) <= 5 * (rate * (1 - rate) / n) ** 0.5).all()
        pairs = (flipped[..., 1:] * flipped[..., :-1]).mean()  # neighbours flip independently
        assert abs(pairs - rate**2) <= 5 * (rate**2 * (1 - rate**2) / (15 * n)) ** 0.5 * 2


def test_translations_repeat_the_edge():
    image = torch.arange(9.0).reshape(1, 1, 3, 3) / 8
    assert sorted(translation.shifts(1)) == [(-1, 0), (0, -1), (0, 1), (1, 0)]
    assert len(set(translation.shifts(3))) == 12
    down = translation.shift(image, 1, 0)[0, 0] * 8
    assert down.tolist() == [[0, 1, 2], [0, 1, 2], [3, 4, 5]]
    left = translation.shift(image, 0, -2)[0, 0] * 8
    assert left.tolist() == [[2, 2, 2], [5, 5, 5], [8, 8, 8]]


@pytest.mark.parametrize("kind", ["rotation", "translation"])
def test_tabular_data_is_refused_by_what_moves_images(kind):
    with pytest.raises(ValueError, match="expected images .* got inputs of shape .5, 30.; ask gaussian"):
        ask(KINDS[kind], torch.rand(5, 30), range(5))


def test_quarter_turns_are_exact_on_squares():
    square = torch.rand(2, 1, 5, 5)
    turned = ask(rotation.Perturbation(degrees=[90]), square, range(2))
    either = [torch.rot90(square, k, (2, 3)) for k in (1, -1)]
    same = [torch.allclose(turned[:, i], expected, atol=1e-5) for i in (0, 1) for expected in either]
    assert same.count(True) == 2 and not torch.allclose(turned[:, 0], turned[:, 1], atol=1e-3)


def test_small_rotations_change_the_image():
    assert (ask(rotation.Perturbation(degrees=[1]), IMAGES, range(5)) != IMAGES[:, None]).any(dim=(2, 3, 4)).all()


def test_noise_has_the_strength_it_says():
    grey = torch.full((4, 1, 40, 40), 0.5)
    spread = (ask(gaussian.Perturbation(sigmas=[0.05], samples=30), grey, range(4)) - 0.5).std()
    assert spread == pytest.approx(0.05, rel=0.02)
    flips = ask(bernoulli.Perturbation(flips=[8], samples=50), torch.zeros(4, 1, 40, 40), range(4)).sum(dim=(2, 3, 4))
    assert flips.mean() == pytest.approx(8, rel=0.1)


def test_answers_have_the_unmodified_input_in_column_0():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96, 7))
    labels, _ = ask_fixed(model, IMAGES, KINDS["gaussian"], lambda: streams(0, "test", range(5)))
    assert labels.shape == (5, 41)
    np.testing.assert_array_equal(labels[:, 0], model(IMAGES).argmax(1))


def test_a_perturbation_that_miscounts_is_caught():
    class Short(gaussian.Perturbation):
        def blocks(self, inputs, streams):
            return list(super().blocks(inputs, streams))[:-1]

    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96, 7))
    with pytest.raises(RuntimeError, match="announced 40 queries"):
        ask_fixed(model, IMAGES, Short(sigmas=[0.1, 0.5], samples=20), lambda: streams(0, "test", range(5)))


@pytest.mark.parametrize("limit, precision", [(1.0, "bfloat16"), (0.0, "float32")])
def test_noise_is_asked_again_in_float32_where_bfloat16_changes_too_much(limit, precision):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96, 7))
    noise = gaussian.Perturbation(sigmas=[0.5], samples=600)
    options = {"precision": "bfloat16", "most_disagreement": limit}
    labels, asked = ask_fixed(model, IMAGES, noise, lambda: streams(0, "test", range(5)), **options)
    assert asked["precision"] == precision and 0 < asked["disagreement"] < 0.1
    full, _ = ask_fixed(model, IMAGES, noise, lambda: streams(0, "test", range(5)))
    assert (labels == full).all() == (precision == "float32") and (labels == full).mean() > 0.9
