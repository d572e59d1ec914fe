"""What is shown of a perturbation: one query of each magnitude."""

import torch

from lmia.perturbations.gaussian import Perturbation as Gaussian
from lmia.perturbations.rotation import Perturbation as Rotation
from lmia.queries.examples import last_of_each_magnitude
from lmia.streams import streams

IMAGES = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_of_each_magnitude_the_last_query_is_shown():
    perturbation = Gaussian(sigmas=[0.1, 0.4], samples=3)
    shown, magnitudes = last_of_each_magnitude(IMAGES, perturbation, "noise")
    sent = torch.cat(list(perturbation.blocks(IMAGES, streams(0, "noise", range(3)))), dim=1)
    assert magnitudes == [0.1, 0.4] and sent.shape == (3, 6, 1, 8, 8)
    assert torch.equal(torch.from_numpy(shown), sent[:, [2, 5]])


def test_turns_to_both_sides_are_of_one_magnitude():
    shown, magnitudes = last_of_each_magnitude(IMAGES, Rotation(degrees=[5, 10]), "turned")
    assert magnitudes == [5, 10] and shown.shape == (3, 2, 1, 8, 8)
