"""Random streams: one for each example, so that neither batching nor order changes what is drawn."""

import zlib

import numpy as np


def stream(seed, purpose, example_id=0):
    """A generator that depends on its arguments alone.

    seed: int >= 0; purpose: str, keeps streams for different uses apart; example_id: int >= 0.
    """
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), example_id])


def streams(seed, purpose, example_ids):
    """One independent generator per example id, as a list."""
    return [stream(seed, purpose, int(example_id)) for example_id in example_ids]
