"""Gaussian noise of several strengths, clipped to the valid range (section 4.3 of the paper)."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from lmia.box import UNIT, Box
from lmia.perturbations import columns
from lmia.queries.noise_table import normals


class Perturbation:
    """x + N(0, sigma^2 I), clipped to the box of the inputs.

    sigmas: the magnitudes, in units of the inputs: of [0, 1], or standard deviations of standardised features; samples:
    queries per sigma; box: of the data set.
    """

    unit = "sigma"

    def __init__(self, sigmas: Sequence[float], samples: int, box: Box = UNIT):
        self._sigmas, self._samples, self._box = sigmas, samples, box
        self.magnitudes = [float(sigma) for sigma in sigmas for _ in range(samples)]

    def blocks(self, inputs: torch.Tensor, streams: Sequence[np.random.Generator]) -> Iterator[torch.Tensor]:
        """Yields (n, k, *shape), k consecutive samples of one sigma."""
        shape, x = inputs.shape[1:], inputs.flatten(1)[:, None]
        for sigma in self._sigmas:
            for n in columns(x.shape[2], self._samples):
                noise = normals(streams, n, x.shape[2], inputs.device).to(inputs.dtype)
                noisy = self._box.clip_(torch.add(x, noise, alpha=sigma, out=noise))
                yield noisy.view(len(inputs), n, *shape)
