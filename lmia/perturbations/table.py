"""Records of a table with other values in some columns, each a value that records have."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from scipy.special import ndtri

from lmia.perturbations import columns
from lmia.table import Column, Table


class Perturbation:
    """Copies of a record in which each column is changed with the same probability, by itself.

    A text, or a number that is a code, is drawn again, as often as records have each value. A number is moved by a
    normal step and taken to the nearest value that records have; a missing one is drawn again.

    changes: the magnitudes, expected number of columns that are changed per copy; samples: copies per magnitude; move:
    standard deviation of a step, as a share of that of the column; table: of the data set.
    """

    unit = "expected changes"

    def __init__(self, changes: Sequence[float], samples: int, table: Table, move: float = 0.25):
        self._changes, self._samples, self._table, self._move = changes, samples, table, move
        self.magnitudes = [float(n) for n in changes for _ in range(samples)]

    def blocks(self, inputs: torch.Tensor, streams: Sequence[np.random.Generator]) -> Iterator[torch.Tensor]:
        """Yields (n, k, columns), k consecutive copies of one magnitude."""
        codes, n_columns = self._table.codes(inputs.cpu().numpy()), inputs.shape[1]
        steps = np.array([max(1, len(column.counts) - 1) for column in self._table.columns])
        for changes in self._changes:
            for n in columns(2 * n_columns, self._samples):
                draws = np.stack([stream.random((n, 2, n_columns)) for stream in streams])
                changed = draws[:, :, 0] < changes / n_columns
                copies = np.repeat(codes[:, None], n, axis=1)
                for place, column in enumerate(self._table.columns):
                    rows = changed[:, :, place]
                    copies[rows, place] = _other(column, copies[rows, place], draws[:, :, 1, place][rows], self._move)
                yield torch.from_numpy((copies / steps).astype(np.float32))


def _other(column: Column, codes: np.ndarray, draws: np.ndarray, move: float) -> np.ndarray:
    """Places of other values, ints (m,), for values at places. draws: (m,), uniform in [0, 1)."""
    shares = column.counts.cumsum() / column.counts.sum()
    other = np.minimum(np.searchsorted(shares, draws, side="right"), len(shares) - 1)
    if not column.is_number:
        return other
    present = codes < len(column.values)
    values, counts = column.values.astype(float), column.counts[: len(column.values)]
    spread = np.sqrt(np.average((values - np.average(values, weights=counts)) ** 2, weights=counts))
    moved = values[codes[present]] + move * spread * ndtri(draws[present])
    middles = (values[:-1] + values[1:]) / 2
    other[present] = np.searchsorted(middles, moved)
    return other
