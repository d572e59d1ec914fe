"""Rotations by +r and -r degrees (section 4.1 of the paper: N = 3 with the image itself)."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch.nn import functional

from lmia.perturbations.images import image_size

PADDINGS = {"repeat": "border", "reflect": "reflection", "black": "zeros"}


class Perturbation:
    """Rotated copies about the centre.

    degrees: the magnitudes r, each in (0, 180]; angles: "ends", two queries by +r and -r, as the paper's text has it,
    or "all", 2r queries by 1, 2, ... r degrees each way, as its released code (whole degrees only; there, r = 1 stands
    for the image alone); interpolation: "bilinear" or "nearest"; border: what comes in at the edges, "repeat",
    "reflect" or "black".
    """

    unit = "degrees"

    def __init__(
        self,
        degrees: Sequence[float],
        angles: str = "ends",
        interpolation: str = "bilinear",
        border: str = "repeat",
    ):
        steps = [(r, step) for r in degrees for step in ([r] if angles == "ends" else range(1, round(r) + 1))]
        self._angles = [float(sign * step) for _, step in steps for sign in (1, -1)]
        self._options = {"mode": interpolation, "padding_mode": PADDINGS[border]}
        self.magnitudes = [float(r) for r, _ in steps for _ in (1, -1)]

    def blocks(self, inputs: torch.Tensor, streams: Sequence[np.random.Generator]) -> Iterator[torch.Tensor]:
        """Yields (n, queries, channels, height, width): by + and by - each angle, for each r in turn."""
        yield _rotate(inputs, torch.tensor(self._angles), self._options)


def _rotate(images: torch.Tensor, degrees: torch.Tensor, options: dict[str, str]) -> torch.Tensor:
    """Images (n, channels, height, width) rotated by each of k angles: (n, k, channels, height, width)."""
    height, width = image_size(images)
    cos, sin, zero = degrees.deg2rad().cos(), degrees.deg2rad().sin(), torch.zeros(len(degrees))
    # In normalised coordinates the axes have different units where the image is not square.
    matrices = [torch.stack([cos, -sin * height / width, zero]), torch.stack([sin * width / height, cos, zero])]
    matrices = torch.stack(matrices).permute(2, 0, 1).to(images)
    grid = functional.affine_grid(matrices, [len(degrees), 1, height, width], align_corners=False)
    # The channels of all images become channels of one: every pixel's place is worked out once per angle.
    stacked = images.reshape(1, -1, height, width).expand(len(degrees), -1, -1, -1)
    turned = functional.grid_sample(stacked, grid, align_corners=False, **options).clamp_(0, 1)
    return turned.view(len(degrees), len(images), -1, height, width).transpose(0, 1)
