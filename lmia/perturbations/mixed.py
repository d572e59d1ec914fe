"""Noise for tables of both kinds (section 4.3 of the paper, Adult): Gaussian on some features, flips on the others."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from lmia.perturbations import columns
from lmia.perturbations.bernoulli import successes
from lmia.queries.noise_table import normals


class Perturbation:
    """Gaussian noise on the first `continuous` features, clipped to [0, 1], and independent flips of all others.

    sigmas: the magnitudes, in units of the features' range [0, 1]; flips: expected number of flipped features per query
    that goes with each sigma; samples: queries per pair.

    Raises ValueError where there are not as many sigmas as flips, or where inputs have no others.
    """

    unit = "sigma"

    def __init__(self, continuous: int, sigmas: Sequence[float], flips: Sequence[float], samples: int):
        if len(sigmas) != len(flips):
            raise ValueError(f"flips: expected one for each of {len(sigmas)} sigmas, got {len(flips)}")
        self._continuous, self._pairs, self._samples = continuous, list(zip(sigmas, flips, strict=True)), samples
        self.magnitudes = [float(sigma) for sigma in sigmas for _ in range(samples)]

    def blocks(self, inputs: torch.Tensor, streams: Sequence[np.random.Generator]) -> Iterator[torch.Tensor]:
        """Yields (n, k, features), k consecutive samples of one pair."""
        if inputs.ndim != 2 or inputs.shape[1] <= self._continuous:
            raise ValueError(
                f"expected tables (n, features) with more than {self._continuous} features, got inputs of shape "
                f"{tuple(inputs.shape)}; lower `continuous` or ask gaussian"
            )
        size = inputs.shape[1]
        for sigma, flips in self._pairs:
            for n in columns(size, self._samples):
                block = inputs[:, None].repeat(1, n, 1)
                noise = normals(streams, n, self._continuous, inputs.device).to(inputs.dtype)
                block[..., : self._continuous].add_(noise, alpha=sigma).clamp_(0, 1)
                self._flip(block, flips, streams)
                yield block

    def _flip(self, block: torch.Tensor, flips: float, streams: Sequence[np.random.Generator]) -> None:
        n, n_binary = block.shape[1], block.shape[2] - self._continuous
        trials = torch.from_numpy(successes(streams, n * n_binary, flips / n_binary)).to(block.device)
        flipped = trials // n_binary * block.shape[2] + self._continuous + trials % n_binary
        values = block.view(-1)
        values[flipped] = 1 - values[flipped]
