"""Noise for tables of both kinds (section 4.3 of the paper, Adult): Gaussian on some features, flips on the others."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from lmia.box import UNIT, Box
from lmia.perturbations import columns
from lmia.perturbations.bernoulli import successes
from lmia.queries.noise_table import normals


class Perturbation:
    """Gaussian noise on the first `continuous` features, clipped to their box, and independent flips of all others.

    sigmas: the magnitudes, in units of the inputs: of a feature's range where that is [0, 1], or standard deviations of
    a standardised feature; flips: expected number of flipped features per query that goes with each sigma, as
    `bernoulli` flips them; samples: queries per pair; box: of the data set.

    Raises ValueError where there are not as many sigmas as flips, or where inputs have no others.
    """

    unit = "sigma"

    def __init__(self, continuous: int, sigmas: Sequence[float], flips: Sequence[float], samples: int, box: Box = UNIT):
        if len(sigmas) != len(flips):
            raise ValueError(f"flips: expected one for each of {len(sigmas)} sigmas, got {len(flips)}")
        self._continuous, self._pairs, self._samples = continuous, list(zip(sigmas, flips, strict=True)), samples
        self._box = box
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
                block[..., : self._continuous].add_(noise, alpha=sigma)
                self._flip(block, flips, streams)
                yield self._box.clip_(block)

    def _flip(self, block: torch.Tensor, flips: float, streams: Sequence[np.random.Generator]) -> None:
        n, n_binary = block.shape[1], block.shape[2] - self._continuous
        trials = torch.from_numpy(successes(streams, n * n_binary, flips / n_binary)).to(block.device)
        features = self._continuous + trials % n_binary
        flipped, values = trials // n_binary * block.shape[2] + features, block.view(-1)
        values[flipped] = self._box.mirrored(values[flipped], features)
