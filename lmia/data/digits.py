"""Scikit-learn's bundled handwritten digits: 1,797 real 8x8 grey images in 10 classes, no download."""

from typing import Any

import numpy as np

from lmia.streams import stream

N_EXAMPLES = 1797
SHAPE = (1, 8, 8)


def load(pixel_noise: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The digits, (1797, 1, 8, 8), scaled to [0, 1].

    pixel_noise: standard deviation, in [0, 1] pixel units, of Gaussian noise that is drawn once and fixed, making the
    task hard enough for a small model to overfit as it would on natural images; seed: of that noise.
    """
    from sklearn.datasets import load_digits

    digits: Any = load_digits()
    images = digits.images.astype(np.float32)[:, None] / 16
    noise = stream(seed, "digits pixel noise").standard_normal(images.shape, dtype=np.float32)
    return np.clip(images + np.float32(pixel_noise) * noise, 0, 1), digits.target.astype(np.int64)
