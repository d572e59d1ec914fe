"""Every feature flipped, x -> 1 - x, with a small probability (section 4.3 of the paper, for binary features)."""

import numpy as np
import torch

COLUMNS_AT_ONCE = 16


class Perturbation:
    """Independent flips.

    flips: the magnitudes, expected number of flipped features per query (probability = flips / features);
    samples: queries per magnitude.
    """

    unit = "expected flips"

    def __init__(self, flips, samples):
        self._flips, self._samples = flips, samples
        self.magnitudes = [float(n) for n in flips for _ in range(samples)]

    def blocks(self, inputs, streams):
        """Yields (n, k, *shape), k consecutive samples of one magnitude."""
        for flips in self._flips:
            probability = flips / inputs[0].numel()
            for done in range(0, self._samples, COLUMNS_AT_ONCE):
                shape = (min(COLUMNS_AT_ONCE, self._samples - done), *inputs.shape[1:])
                flip = np.stack([stream.random(shape, dtype=np.float32) < probability for stream in streams])
                x = inputs[:, None]
                yield torch.where(torch.from_numpy(flip).to(x.device), 1 - x, x)
