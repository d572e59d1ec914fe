"""Random directions in which a boundary is probed."""

import math

import torch
from torch.nn import functional

from lmia.queries.noise import normals


class Directions:
    """Gaussian directions whose squared length is 1 on average.

    shape: of one input; grid: None for white noise, or g: noise on g x g points of every channel, enlarged
    bilinearly, so that it has low spatial frequencies only. Inputs that are no images, or no larger than the grid,
    get white noise.
    """

    def __init__(self, shape, grid=None):
        self.shape, self.dim = tuple(shape), math.prod(shape)
        self.is_coarse = grid is not None and len(shape) == 3 and min(shape[1:]) > grid
        self.grid = grid
        if self.is_coarse:
            spread = [self._enlarge(torch.eye(grid)[:, None, :, None], (size, 1)) for size in shape[1:]]
            self.scale = 1 / math.sqrt(shape[0] * math.prod(float(matrix.square().sum()) for matrix in spread))
        else:
            self.scale = 1 / math.sqrt(self.dim)

    @staticmethod
    def _enlarge(noise, size):
        return functional.interpolate(noise, size=size, mode="bilinear", align_corners=False)

    def draw(self, streams, n, device="cpu"):
        """(len(streams), n, dim), float32 on `device`; `scale` times these has the promised length."""
        if not self.is_coarse:
            return normals(streams, n, self.dim, device)
        channels, height, width = self.shape
        noise = normals(streams, n, channels * self.grid**2, device).reshape(-1, channels, self.grid, self.grid)
        return self._enlarge(noise, (height, width)).view(len(streams), n, self.dim)
