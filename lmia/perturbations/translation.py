"""Whole-pixel shifts with |i| + |j| = d, edge pixels repeated (section 4.1 of the paper: N = 4d + 1)."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from lmia.image_augmentation import shifts
from lmia.perturbations.images import image_size


def shift(images: torch.Tensor, down: int, right: int) -> torch.Tensor:
    """Images (n, channels, height, width) moved by whole pixels, the nearest edge pixel filling the gap."""
    height, width = image_size(images)
    rows = (torch.arange(height, device=images.device) - down).clamp(0, height - 1)
    columns = (torch.arange(width, device=images.device) - right).clamp(0, width - 1)
    return images[..., rows, :][..., columns]


class Perturbation:
    """All shifts by d pixels.

    pixels: the magnitudes d, ints >= 1; each costs 4d queries.
    """

    unit = "pixels"

    def __init__(self, pixels: Sequence[int]):
        self._pixels = pixels
        self.magnitudes = [float(d) for d in pixels for _ in shifts(d)]

    def blocks(self, inputs: torch.Tensor, streams: Sequence[np.random.Generator]) -> Iterator[torch.Tensor]:
        """Yields (n, sum of 4d, channels, height, width), for each d in turn."""
        yield torch.stack([shift(inputs, *offset) for d in self._pixels for offset in shifts(d)], dim=1)
