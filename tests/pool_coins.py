"""Who is a member in pools of models."""

import numpy as np


def coins(n_models, n, rng):
    """Membership of n examples in pairs of models, bools (K, n)."""
    heads = rng.random((n_models // 2, n)) < 0.5
    return np.stack([heads, ~heads], axis=1).reshape(n_models, n)
