"""Gaussian noise of several strengths, clipped to the valid range (section 4.3 of the paper)."""

import numpy as np
import torch

COLUMNS_AT_ONCE = 16


class Perturbation:
    """x + N(0, sigma^2 I), clipped to [0, 1].

    sigmas: the magnitudes, in pixel units of [0, 1]; samples: queries per sigma.
    """

    unit = "sigma"

    def __init__(self, sigmas, samples):
        self._sigmas, self._samples = sigmas, samples
        self.magnitudes = [float(sigma) for sigma in sigmas for _ in range(samples)]

    def blocks(self, inputs, streams):
        """Yields (n, k, *shape), k consecutive samples of one sigma."""
        for sigma in self._sigmas:
            for done in range(0, self._samples, COLUMNS_AT_ONCE):
                shape = (min(COLUMNS_AT_ONCE, self._samples - done), *inputs.shape[1:])
                noise = np.stack([stream.standard_normal(shape, dtype=np.float32) for stream in streams])
                yield torch.from_numpy(noise).to(inputs).mul_(sigma).add_(inputs[:, None]).clamp_(0, 1)
