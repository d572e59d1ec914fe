"""A small network of ReLU units with one output, fitted by L-BFGS: scikit-learn's MLPClassifier, without its checks.

The same start, arithmetic and optimizer give the same weights, bit for bit, in a bit more than half the time: on a few
hundred rows a step takes as long as what scikit-learn does around it.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import DTypeLike
from scipy.optimize import minimize
from scipy.special import expit, xlogy

MOST_STEPS, MOST_LOSSES, SMALLEST_GRADIENT = 100, 15_000, 1e-4  # where a fit ends: scikit-learn's values but the first

Layers = list[tuple[np.ndarray, np.ndarray]]  # weights (inputs, units) and offsets (units,) of each


class Network:
    """Tells rows of two kinds apart, by the log loss with weight decay.

    Args:
        hidden: Units of each hidden layer.
        weight_decay: Strength of L2 weight decay, as the sum over rows counts it.
        seed: Of the start, which is Glorot's.
    """

    def __init__(self, hidden: Sequence[int], weight_decay: float, seed: int) -> None:
        self._hidden, self._decay, self._seed = hidden, weight_decay, seed

    def fit(self, rows: np.ndarray, is_member: np.ndarray, weights: np.ndarray) -> Self:
        """Learn the kinds, bools (n,), of rows, floats (n, d), each of which counts so many times: floats (n,).

        The arithmetic is that of the rows' precision. Raises ValueError for rows that are no finite numbers.
        """
        if not np.isfinite(rows).all():
            raise ValueError(f"rows: expected finite numbers, got {int((~np.isfinite(rows)).sum())} that are none")
        sizes = [rows.shape[1], *self._hidden, 1]
        loss = _Loss(rows, is_member, weights, self._decay, sizes)
        options = {"maxiter": MOST_STEPS, "maxfun": MOST_LOSSES, "gtol": SMALLEST_GRADIENT}
        start = _start(sizes, self._seed).astype(rows.dtype)
        found = minimize(loss.at, start, method="L-BFGS-B", jac=True, options=options).x
        self._layers, self._sizes = _layers(found, sizes), sizes
        return self

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Probability of membership, floats (n,), of rows (n, d)."""
        outputs = _outputs(rows, self._sizes, float)
        _run(self._layers, outputs)
        return outputs[-1][:, 0]


class _Loss:
    """The mean log loss of rows and its gradient, as `minimize` asks for them; see `Network.fit`."""

    def __init__(
        self, rows: np.ndarray, is_member: np.ndarray, weights: np.ndarray, decay: float, sizes: Sequence[int]
    ) -> None:
        self._is_member, self._is_other = is_member[:, None], 1 - is_member[:, None]
        self._weights, self._total, self._decay = weights[:, None], weights.sum(), decay
        size = sum((inputs + 1) * units for inputs, units in pairwise(sizes))
        self._flat, self._gradient = np.empty(size, rows.dtype), np.empty(size)
        self._layers = _layers(self._flat, sizes)
        self._outputs = _outputs(rows, sizes, rows.dtype)
        # From the last layer to the first: what it reads, its weights, and where their gradients belong.
        self._steps = list(zip(self._outputs[:-1], self._layers, _layers(self._gradient, sizes), strict=True))[::-1]
        tiny = np.finfo(rows.dtype).eps
        self._range = tiny, 1 - tiny

    def at(self, flat: np.ndarray) -> tuple[float, np.ndarray]:
        """(loss, gradient (p,)) of all weights and offsets, floats (p,)."""
        self._flat[:] = flat
        _run(self._layers, self._outputs)
        odds = self._outputs[-1].clip(*self._range)
        losses = xlogy(self._is_member, odds) + xlogy(self._is_other, 1 - odds)
        loss = -((losses * self._weights).sum(axis=0)[0] / self._total)
        loss += 0.5 * self._decay * sum(np.dot(each.ravel(), each.ravel()) for each, _ in self._layers) / self._total
        delta = self._outputs[-1] - self._is_member
        delta *= self._weights
        for below, (weights, _), (of_weights, of_offsets) in self._steps:
            gradient = below.T @ delta  # in the rows' precision, as all that follows is but for the offsets
            gradient += self._decay * weights
            gradient /= self._total
            of_weights[:] = gradient
            of_offsets[:] = delta.sum(axis=0) / self._total
            if below is not self._outputs[0]:
                delta = delta @ weights.T
                delta *= below > 0
        return loss, self._gradient.copy()


def _run(layers: Layers, outputs: Sequence[np.ndarray]) -> None:
    """Fill the outputs (n, units) of all layers but the first, the rows; the last are probabilities."""
    for (weights, offsets), (below, output) in zip(layers, pairwise(outputs), strict=True):
        np.matmul(below, weights, out=output)
        output += offsets
        if output is not outputs[-1]:
            np.maximum(output, 0, out=output)
    expit(outputs[-1], out=outputs[-1])


def _outputs(rows: np.ndarray, sizes: Sequence[int], dtype: DTypeLike) -> list[np.ndarray]:
    """Room for what `_run` finds for rows (n, d)."""
    return [rows, *(np.empty((len(rows), units), dtype) for units in sizes[1:])]


def _layers(flat: np.ndarray, sizes: Sequence[int]) -> Layers:
    """Views of all weights, and then all offsets, floats (p,)."""
    shapes = list(pairwise(sizes))
    ends = np.cumsum([*(inputs * units for inputs, units in shapes), *sizes[1:]])
    parts = np.split(flat, ends[:-1])
    weights = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=False)]
    return list(zip(weights, parts[len(shapes) :], strict=True))


def _start(sizes: Sequence[int], seed: int) -> np.ndarray:
    """All weights, and then all offsets, floats (p,), as Glorot and Bengio (AISTATS 2010) draw weights."""
    draw, weights, offsets = np.random.RandomState(seed), [], []
    for inputs, units in pairwise(sizes):
        bound = np.sqrt(6 / (inputs + units))
        weights.append(draw.uniform(-bound, bound, inputs * units))
        offsets.append(draw.uniform(-bound, bound, units))
    return np.concatenate([*weights, *offsets])
