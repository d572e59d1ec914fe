"""Rotations by +r and -r degrees (section 4.1 of the paper: N = 3 with the image itself)."""

import math

import torch
from torch.nn import functional

from lmia.perturbations.images import image_size


class Perturbation:
    """Rotated copies about the centre, bilinear, the border repeated outwards.

    degrees: the magnitudes r, each in (0, 180]; every one costs two queries.
    """

    unit = "degrees"

    def __init__(self, degrees):
        self.magnitudes = [float(r) for r in degrees for _ in (1, -1)]

    def blocks(self, inputs, streams):
        """Yields (n, 2, channels, height, width), the rotations by +r and by -r, for each r in turn."""
        for r in self.magnitudes[::2]:
            yield torch.stack([_rotate(inputs, r), _rotate(inputs, -r)], dim=1)


def _rotate(images, degrees):
    height, width = image_size(images)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    # In normalised coordinates the axes have different units where the image is not square.
    matrix = torch.tensor([[cos, -sin * height / width, 0], [sin * width / height, cos, 0]]).to(images)
    grid = functional.affine_grid(matrix[None], [1, 1, height, width], align_corners=False)
    grid = grid.expand(len(images), -1, -1, -1)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False).clamp_(0, 1)
