"""Moved, mirrored and cut images."""

import math

import pytest
import torch
from torch import nn

from lmia.defenses import augmentation, dp_sgd
from lmia.image_augmentation import moved, shifts
from lmia.models import mlp
from lmia.perturbations.translation import shift
from lmia.training.loop import train
from lmia.training.options import TrainingOptions
from tests.defenses.small_task import OPTIONS, draw, fit


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
