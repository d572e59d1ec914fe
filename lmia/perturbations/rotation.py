"""Rotations by +r and -r degrees (section 4.1 of the paper: N = 3 with the image itself)."""

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
        """Yields (n, 2 * magnitudes, channels, height, width): by +r and by -r, for each r in turn."""
        signs = torch.tensor([1.0, -1.0]).repeat(len(self.magnitudes) // 2)
        yield _rotate(inputs, torch.tensor(self.magnitudes) * signs)


def _rotate(images, degrees):
    """Images (n, channels, height, width) rotated by each of k angles: (n, k, channels, height, width)."""
    height, width = image_size(images)
    cos, sin, zero = degrees.deg2rad().cos(), degrees.deg2rad().sin(), torch.zeros(len(degrees))
    # In normalised coordinates the axes have different units where the image is not square.
    matrices = [torch.stack([cos, -sin * height / width, zero]), torch.stack([sin * width / height, cos, zero])]
    matrices = torch.stack(matrices).permute(2, 0, 1).to(images)
    grid = functional.affine_grid(matrices, [len(degrees), 1, height, width], align_corners=False)
    # The channels of all images become channels of one: every pixel's place is worked out once per angle.
    stacked = images.reshape(1, -1, height, width).expand(len(degrees), -1, -1, -1)
    turned = functional.grid_sample(stacked, grid, padding_mode="border", align_corners=False).clamp_(0, 1)
    return turned.view(len(degrees), len(images), -1, height, width).transpose(0, 1)
