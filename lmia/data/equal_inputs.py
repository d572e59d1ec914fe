"""Examples whose inputs are equal."""

import hashlib

import numpy as np


def number_inputs(inputs: np.ndarray) -> np.ndarray:
    """A number for each of n inputs, the same for equal ones, ints (n,): from 0, in the order in which they come."""
    numbers: dict[bytes, int] = {}
    return np.array([numbers.setdefault(_digest(row), len(numbers)) for row in inputs], dtype=int)


def _digest(row: np.ndarray) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(row).data, digest_size=16).digest()
