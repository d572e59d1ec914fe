"""Every feature flipped with a small probability (section 4.3 of the paper, for binary features)."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from lmia.box import UNIT, Box
from lmia.perturbations import columns


class Perturbation:
    """Independent flips: x -> 1 - x in [0, 1], and one end of a feature's range to the other end in another box.

    flips: the magnitudes, expected number of flipped features per query (probability = flips / features);
    samples: queries per magnitude; box: of the data set.
    """

    unit = "expected flips"

    def __init__(self, flips: Sequence[float], samples: int, box: Box = UNIT):
        self._flips, self._samples, self._box = flips, samples, box
        self.magnitudes = [float(n) for n in flips for _ in range(samples)]

    def blocks(self, inputs: torch.Tensor, streams: Sequence[np.random.Generator]) -> Iterator[torch.Tensor]:
        """Yields (n, k, *shape), k consecutive samples of one magnitude."""
        x = inputs.flatten(1)
        size = x.shape[1]
        for flips in self._flips:
            for n in columns(size, self._samples):
                block = x[:, None].repeat(1, n, 1).view(-1)
                flipped = torch.from_numpy(successes(streams, n * size, min(1.0, flips / size))).to(x.device)
                block[flipped] = self._box.mirrored(block[flipped], flipped % size)
                yield block.view(len(x), n, *inputs.shape[1:])


def successes(streams: Sequence[np.random.Generator], n_trials: int, probability: float) -> np.ndarray:
    """Which of n independent trials per stream succeed: ints, trials of all streams in a row, in no order.

    The gaps between successes are geometric: a number is drawn for each success, and not for each trial.
    """
    if probability == 1:
        return np.arange(len(streams) * n_trials)
    expected = n_trials * probability
    n_draws = int(expected + 6 * math.sqrt(expected) + 6)  # enough for a stream's trials, nearly always
    last = np.full(len(streams), -1)  # success of each stream so far
    found = []
    while len(pending := np.flatnonzero(last < n_trials)):
        uniform = np.array([streams[row].random(n_draws) for row in pending.tolist()])
        gaps = np.minimum(np.log1p(-uniform) / math.log1p(-probability), n_trials).astype(np.int64) + 1
        trials = last[pending, None] + gaps.cumsum(axis=1)
        found.append((pending[:, None] * n_trials + trials)[trials < n_trials])
        last[pending] = trials[:, -1]
    return np.concatenate(found)
