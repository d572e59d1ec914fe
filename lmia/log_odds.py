"""The log odds phi of the true class: one unbounded number of a model's confidences, near to normal over models.

phi = z_y - log sum_{c != y} exp z_c = log p_y / (1 - p_y) (Carlini et al. 2022, section IV). Next to certainty float32
probabilities run out of digits, so logits are the better source wherever they can be seen.
"""

import numpy as np

HIGHEST = float(np.finfo(np.float32).max)  # stands for an infinite phi, whose square is a number
LOWEST_SHARE = float(np.finfo(np.float32).tiny)  # stands for a probability of 0


def of_logits(logits: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """phi of the true classes, float64 (n,), finite.

    logits: floats (n, n_classes), taken as float64; classes: ints (n,). Rows without a distribution (NaN, or infinite),
    as a diverged model has them, tell nothing: all of their classes are equally likely.
    """
    logits, rows = logits.astype(np.float64), np.arange(len(classes))
    known = np.isfinite(logits.max(axis=1))  # a class of -inf is one that cannot be
    logits[~known] = 0
    true = logits[rows, classes]
    logits[rows, classes] = -np.inf
    return np.clip(true - np.logaddexp.reduce(logits, axis=1), -HIGHEST, HIGHEST)


def of_probabilities(probabilities: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """phi of the true classes, float64 (n,), within about +-87.

    probabilities: floats (n, n_classes); classes: ints (n,). 1 - p is the sum over the other classes, as p near 1 has
    no digits left for it. They are summed in order of size, so that how classes are numbered changes no bit.
    """
    others, rows = probabilities.astype(np.float64), np.arange(len(classes))
    true = others[rows, classes]
    others[rows, classes] = -1
    rest = (-np.sort(-others, axis=1)[:, :-1]).sum(axis=1)
    return np.log(np.maximum(true, LOWEST_SHARE) / np.maximum(rest, LOWEST_SHARE))
