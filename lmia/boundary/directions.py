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
            self._spread = [bilinear(self.grid, size) for size in shape[1:]]
            self.scale = 1 / math.sqrt(shape[0] * math.prod(float(matrix.square().sum()) for matrix in self._spread))
        else:
            self.scale = 1 / math.sqrt(self.dim)

    def draw(self, streams: Sequence[np.random.Generator], n: int, device: torch.device | str = "cpu") -> torch.Tensor:
        """(len(streams), n, dim), float32 on `device`; `scale` times these has the promised length."""
        if self.grid is None:
            return normals(streams, n, self.dim, device)
        noise = normals(streams, n, self.shape[0] * self.grid**2, device)
        return self.enlarge(noise.reshape(-1, self.grid, self.grid)).view(len(streams), n, self.dim)

    def enlarge(self, noise: torch.Tensor) -> torch.Tensor:
        """Noise (m, g, g) at the size of the image, (m, height, width).

        As `torch.nn.functional.interpolate` does it, up to rounding, and faster: height and width one after the other,
        each by a matrix product.
        """
        down, across = (matrix.to(noise.device) for matrix in self._spread)
        return down @ (noise @ across.T)


def bilinear(n: int, size: int) -> torch.Tensor:
    """Matrix (size, n) that enlarges a row of n points bilinearly, from the middles of the points."""
    return functional.interpolate(torch.eye(n)[None], size=size, mode="linear", align_corners=False)[0].T.contiguous()
