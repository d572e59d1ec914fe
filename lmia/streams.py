"""Random streams: one for each example, so that neither batching nor order changes what is drawn."""

import json
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


def states(generators):
    """States of numpy Generators as one array of bytes (n,)."""
    return np.array([json.dumps(generator.bit_generator.state).encode() for generator in generators])


def set_states(generators, saved):
    """Put as many Generators of the same kind into the states that `states` gave."""
    for generator, state in zip(generators, saved, strict=True):
        generator.bit_generator.state = json.loads(state)
