"""Fixed query sets: counts, ranges, values that a hand can check, and independence of the batch."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lmia.perturbations import augmentation_grid, augmented, bernoulli, gaussian, mixed, original, rotation, translation
from lmia.queries import fixed_queries, noise_table
from lmia.queries.fixed_queries import BadQueries, ask_fixed
from lmia.streams import streams

IMAGES = torch.rand(5, 2, 6, 8, generator=torch.Generator().manual_seed(0))
KINDS = {
    "original": original.Perturbation(),
    "rotation": rotation.Perturbation(degrees=[1, 30, 90]),
    "translation": translation.Perturbation(pixels=[1, 2]),
    "augmented": augmented.Perturbation(pixels=[0, 2], samples=20, cutout=3),
    "augmentation_grid": augmentation_grid.Perturbation(shifts=[0, -1, 2]),
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


@pytest.mark.parametrize(
    "n_queries, n_values, device, examples",
    [
        (41, 64, "cpu", 4096 // 41),  # 4,096 queries together
        (301, 64, "cpu", 16),  # but those of 16 examples at least
        (41, 3072, "cpu", 2**22 // 3072 // 41),  # or 2^22 values of them
        (1, 10**6, "cpu", 4 * 64),  # but four forward passes of 64 inputs
        (41, 64, "cuda", 4 * 64 * 1024 // 41),  # whose passes are wider
    ],
)
def test_blocks_fill_forward_passes_and_fit_into_memory(n_queries, n_values, device, examples):
    assert fixed_queries._block_size(n_queries, n_values, torch.device(device)) == examples


@pytest.mark.parametrize("kind", ["augmented", "gaussian", "bernoulli"])
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


def test_augmented_copies_are_those_of_training():
    """Each is a shift of the image or of its mirror image, all of them about as often."""
    image, samples = IMAGES[:1], 2000
    queries = ask(augmented.Perturbation(pixels=[1], samples=samples), image, [7])[0]
    views = [
        translation.shift(turned, i, j)[0].numpy().tobytes()
        for turned in (image, image.flip(3))
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
    ]
    # The mirror comes after the shift, so a right shift of the mirror image is a left shift's mirror image.
    counts = np.bincount([views.index(query.contiguous().numpy().tobytes()) for query in queries], minlength=18)
    assert abs(counts - samples / 18).max() < 5 * (samples / 18) ** 0.5
    plain = ask(augmented.Perturbation(pixels=[0], samples=30, flips=False, cutout=4), torch.ones(1, 2, 6, 8), [7])
    grey = plain[0, :, 0] == 0.5
    assert set(plain.unique().tolist()) == {0.5, 1.0} and torch.equal(plain[:, :, 0], plain[:, :, 1])
    assert torch.equal(grey.sum((1, 2)), grey.any(2).sum(1) * grey.any(1).sum(1))  # rectangles
    assert grey.any(2).sum(1).max() == 4 and len({tuple(one.flatten().tolist()) for one in grey}) > 10


def test_translations_repeat_the_edge():
    image = torch.arange(9.0).reshape(1, 1, 3, 3) / 8
    assert sorted(translation.shifts(1)) == [(-1, 0), (0, -1), (0, 1), (1, 0)]
    assert len(set(translation.shifts(3))) == 12
    down = translation.shift(image, 1, 0)[0, 0] * 8
    assert down.tolist() == [[0, 1, 2], [0, 1, 2], [3, 4, 5]]
    left = translation.shift(image, 0, -2)[0, 0] * 8
    assert left.tolist() == [[2, 2, 2], [5, 5, 5], [8, 8, 8]]


def test_a_grid_has_all_views_in_their_order_and_black_edges():
    image = torch.arange(1.0, 10).reshape(1, 1, 3, 3) / 9
    grid = augmentation_grid.Perturbation(shifts=[0, -1, 2])
    views = (ask(grid, image, [7])[0, :, 0] * 9).round().int().tolist()
    assert len(views) == 17 and grid.magnitudes == [2.0] * 17
    assert views[0] == [[2, 3, 0], [5, 6, 0], [8, 9, 0]]  # to the left by 1
    assert views[1] == [[0, 0, 1], [0, 0, 4], [0, 0, 7]]  # to the right by 2
    assert views[2] == [[4, 5, 6], [7, 8, 9], [0, 0, 0]]  # up by 1
    assert views[6] == [[0, 0, 0], [0, 0, 0], [2, 3, 0]]  # down by 2, to the left by 1
    assert views[8] == [[3, 2, 1], [6, 5, 4], [9, 8, 7]]  # mirrored
    assert views[9] == [[0, 3, 2], [0, 6, 5], [0, 9, 8]]  # to the left by 1, then mirrored
    assert views[16] == [[0, 0, 0], [0, 0, 0], [1, 0, 0]]  # down and to the right by 2, then mirrored


def test_a_grid_may_repeat_the_edge_and_leave_out_mirror_images():
    grid = augmentation_grid.Perturbation(flips=False, shifts=[3, 0], border="repeat")
    shifted = [translation.shift(IMAGES, *offset) for offset in [(3, 3), (3, 0), (0, 3)]]
    assert torch.equal(ask(grid, IMAGES, range(5)), torch.stack(shifted, dim=1))


def test_the_published_grid_costs_18_queries_with_the_image_itself():
    assert len(augmentation_grid.Perturbation().magnitudes) == 17


@pytest.mark.parametrize(
    "options, message",
    [
        ({"shifts": [1, 2]}, r"shifts: expected 0 among them, .* got \[1, 2\]"),
        ({"shifts": [0], "flips": False}, "shifts: expected another one beside 0, or flips"),
        ({"border": "white"}, "border: expected one of black, repeat, got white"),
    ],
)
def test_a_grid_without_its_middle_or_without_copies_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        augmentation_grid.Perturbation(**options)


@pytest.mark.parametrize("kind", ["rotation", "translation", "augmentation_grid"])
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
    with pytest.raises(BadQueries, match="announced 40 queries"):
        ask_fixed(model, IMAGES, Short(sigmas=[0.1, 0.5], samples=20), lambda: streams(0, "test", range(5)))


@pytest.mark.parametrize(
    "factor, got", [(3, "0 to 3"), (-1, "-1 to -?0"), (1 + 1e-5, "0 to 1.00001"), (np.nan, "nan to nan")]
)
def test_a_perturbation_that_leaves_the_box_is_named_and_not_asked(factor, got):
    class Loud(gaussian.Perturbation):
        def blocks(self, inputs, streams):
            yield from (block * factor for block in super().blocks(inputs, streams))

    asked = []
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96, 7))
    model.register_forward_pre_hook(lambda _, given: asked.append(given[0]))
    expected = (
        f"^{__name__}: expected queries in the box of the inputs, 0 to 1, got {got}; clip what its `blocks` yields$"
    )
    with pytest.raises(BadQueries, match=expected):
        ask_fixed(model, IMAGES, Loud(sigmas=[5], samples=20), lambda: streams(0, "test", range(5)))
    assert torch.equal(torch.cat(asked), IMAGES)  # the unmodified inputs alone


@pytest.mark.parametrize(
    "change, got", [(lambda block: block[:, 0], r"\[\d+, 2, 6, 8\]"), (lambda block: block.numpy(), "ndarray")]
)
def test_queries_of_another_shape_are_told_as_such(change, got):
    class Misshapen(gaussian.Perturbation):
        def blocks(self, inputs, streams):
            yield from map(change, super().blocks(inputs, streams))

    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96, 7))
    expected = rf"^{__name__}: expected tensors of shape \[inputs, queries, 2, 6, 8\] of its `blocks`, got {got}$"
    with pytest.raises(BadQueries, match=expected):
        ask_fixed(model, IMAGES, Misshapen(sigmas=[5], samples=20), lambda: streams(0, "test", range(5)))


@pytest.mark.parametrize("kind", KINDS)
def test_what_rounding_explains_leaves_no_box(kind):
    class Rounded:
        magnitudes = KINDS[kind].magnitudes

        def blocks(self, inputs, streams):
            share = torch.tensor(1 + 5e-7, requires_grad=True)  # as a user's own may have
            yield from (block * share - 4e-7 for block in KINDS[kind].blocks(inputs, streams))

    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96, 7))
    for perturbation in (KINDS[kind], Rounded()):
        ask_fixed(model, IMAGES.round(), perturbation, lambda: streams(0, "test", range(5)))


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


def test_mixed_noise_moves_continuous_features_and_flips_the_others():
    table = torch.cat([torch.full((6, 3), 0.5), torch.tensor([0.0, 1.0]).repeat(6, 20)], dim=1)
    noise = mixed.Perturbation(continuous=3, sigmas=[0.1, 0.01], flips=[4, 8], samples=400)
    queries = ask(noise, table, range(6))
    assert queries.shape == (6, 800, 43) and noise.magnitudes == [0.1] * 400 + [0.01] * 400
    for part, sigma, flips in ((queries[:, :400], 0.1, 4), (queries[:, 400:], 0.01, 8)):
        assert (part[..., :3] - 0.5).std() == pytest.approx(sigma, rel=0.05)
        changed = part[..., 3:] != table[:, None, 3:]
        assert changed.sum(dim=2).float().mean() == pytest.approx(flips, rel=0.05)
        rates = changed.float().mean(dim=(0, 1)) * 40 / flips
        assert rates.min() > 0.7 and rates.max() < 1.3  # every one of the others flips
        assert set(part[..., 3:].unique().tolist()) == {0, 1}
    torch.testing.assert_close(ask(noise, table[[4, 1]], [4, 1]), queries[[4, 1]], rtol=0, atol=0)


def test_mixed_noise_refuses_what_has_no_others():
    with pytest.raises(ValueError, match="one for each of 2 sigmas, got 1"):
        mixed.Perturbation(continuous=3, sigmas=[0.1, 0.2], flips=[1], samples=1)
    with pytest.raises(ValueError, match="more than 3 features, got inputs of shape .2, 3."):
        ask(mixed.Perturbation(continuous=3, sigmas=[0.1], flips=[1], samples=1), torch.rand(2, 3), range(2))


def test_all_angles_are_those_of_every_smaller_rotation():
    every = rotation.Perturbation(degrees=[2, 3], angles="all")
    assert every.magnitudes == [2.0] * 4 + [3.0] * 6
    queries, ends = ask(every, IMAGES, range(5)), ask(rotation.Perturbation(degrees=[1, 2, 3]), IMAGES, range(5))
    torch.testing.assert_close(queries, torch.cat([ends[:, :4], ends], dim=1), rtol=0, atol=0)


def test_all_angles_are_those_of_the_released_code_but_for_one_degree():
    """There, one degree asks for the unrotated image alone; here it is one degree each way, as r is for all others."""
    for r in range(1, 16):
        released = np.linspace(-r, r, 2 * r + 1)
        asked = ask(rotation.Perturbation(degrees=[r], angles="all"), IMAGES, range(5))
        ends = [ask(rotation.Perturbation(degrees=[a]), IMAGES, range(5)) for a in released if a > 0]
        assert asked.shape[1] + 1 == len(released)  # with the image itself
        assert torch.equal(asked, torch.cat(ends, dim=1))


def test_rotations_may_take_the_nearest_pixel_and_another_border():
    image = torch.rand(1, 1, 7, 7)
    nearest = ask(rotation.Perturbation(degrees=[30], interpolation="nearest"), image, range(1))
    assert set(nearest.unique().tolist()) <= set(image.unique().tolist())
    white = torch.ones(1, 1, 7, 7)
    corners = [
        ask(rotation.Perturbation(degrees=[45], border=b), white, range(1))[0, 0, 0, 0, 0] for b in ("black", "repeat")
    ]
    assert corners[0] == 0 and corners[1] == 1


def test_noise_reaches_from_the_first_number_of_its_table_to_the_last(monkeypatch):
    """The table holds many windows, also where one input is larger than the table."""
    monkeypatch.setattr(noise_table, "TABLE", 1)
    ends = [SimpleNamespace(random=lambda k, draw=draw: np.full(k, draw)) for draw in (0.0, np.nextafter(1, 0))]
    first, last = noise_table.normals(ends, 1, 100)[:, 0]
    table = noise_table._table(1600)
    assert first.tolist() == table[:100].tolist() and last.tolist() == table[-100:].tolist()
