"""Random directions in which a boundary is probed."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

from lmia.queries.noise_table import normals


class Directions:
    """Gaussian directions whose squared length is 1 on average.

    shape: of one input; grid: None for white noise, or g: noise on g x g points of every channel, enlarged
    bilinearly, so that it has low spatial frequencies only. Inputs that are no images, or no larger than the grid,
    get white noise.
    """

    def __init__(self, shape: Sequence[int], grid: int | None = None):
        self.shape, self.dim = tuple(shape), math.prod(shape)
        self.grid = grid if grid is not None and len(shape) == 3 and min(shape[1:]) > grid else None
        if self.grid is not None:
            spread = [self._enlarge(torch.eye(self.grid)[:, None, :, None], (size, 1)) for size in shape[1:]]
            self.scale = 1 / math.sqrt(shape[0] * math.prod(float(matrix.square().sum()) for matrix in spread))
        else:
            self.scale = 1 / math.sqrt(self.dim)

    @staticmethod
    def _enlarge(noise: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        return functional.interpolate(noise, size=size, mode="bilinear", align_corners=False)

    def draw(self, streams: Sequence[np.random.Generator], n: int, device: torch.device | str = "cpu") -> torch.Tensor:
        """(len(streams), n, dim), float32 on `device`; `scale` times these has the promised length."""
        if self.grid is None:
            return normals(streams, n, self.dim, device)
        channels, height, width = self.shape
        noise = normals(streams, n, channels * self.grid**2, device).reshape(-1, channels, self.grid, self.grid)
        return self._enlarge(noise, (height, width)).view(len(streams), n, self.dim)
