"""Every feature flipped, x -> 1 - x, with a small probability (section 4.3 of the paper, for binary features)."""

import math

import numpy as np
import torch

from lmia.perturbations import columns


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
        x = inputs.flatten(1)
        size = x.shape[1]
        for flips in self._flips:
            for n in columns(size, self._samples):
                block = x[:, None].repeat(1, n, 1).view(-1)
                flipped = torch.from_numpy(successes(streams, n * size, min(1.0, flips / size))).to(x.device)
                block[flipped] = 1 - block[flipped]
                yield block.view(len(x), n, *inputs.shape[1:])


def successes(streams, n_trials, probability):
    """Which of n independent trials per stream succeed, trials of all streams in a row.

    The gaps between successes are geometric: a number is drawn for each success, and not for each trial.
    """
    if probability == 1:
        return np.arange(len(streams) * n_trials)
    expected = n_trials * probability
    n_gaps = int(expected + 6 * math.sqrt(expected) + 6)
    ends = np.full(len(streams), -1)
    found = []
    while len(short := np.flatnonzero(ends < n_trials)):  # once, as a rule: streams that fell short draw more
        uniform = np.array([streams[row].random(n_gaps) for row in short])
        gaps = np.log1p(-uniform) / math.log1p(-probability)  # floor + 1 of these are the gaps
        successes = ends[short, None] + (np.minimum(gaps, n_trials).astype(np.int64) + 1).cumsum(axis=1)
        stream, nth = np.nonzero(successes < n_trials)
        found.append(short[stream] * n_trials + successes[stream, nth])
        ends[short] = successes[:, -1]
    return np.concatenate(found)
