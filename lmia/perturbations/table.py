"""Records of a table with other values in some columns, each a value that records have."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from scipy.special import ndtri

from lmia.perturbations import columns
from lmia.table import Column, Table


class Perturbation:
    """Copies of a record in which each column is changed with the same probability, by itself; texts stay as they are.

    A text, or a number that is a code, becomes another one, as often as records have it. A number is moved by a normal
    step to the nearest value that records have, or to the next one where that is its own; a missing one becomes any.

    changes: the magnitudes, expected number of columns that are changed per copy, of which those above the number of
    columns are left out; samples: copies per magnitude; move:
    standard deviation of a step, as a share of that of the column; table: of the data set.

    Raises ValueError where a number of these is not above 0, where the table has texts alone, and where all
    changes are left out.
    """

    unit = "expected changes"

    def __init__(self, changes: Sequence[float], samples: int, table: Table, move: float = 0.25):
        if not all(n > 0 for n in changes) or samples < 1 or not move > 0:
            raise ValueError(f"expected changes, samples and move above 0, got {list(changes)}, {samples} and {move}")
        if not table.values:
            raise ValueError("expected records with other columns than texts, got none; use kind words")
        if not (possible := [n for n in changes if n <= len(table.values)]):
            raise ValueError(f"expected changes of at most {len(table.values)} columns, got {list(changes)}")
        self._changes, self._samples, self._table, self._move = possible, samples, table, move
        self.magnitudes = [float(n) for n in possible for _ in range(samples)]

    def blocks(self, inputs: torch.Tensor, streams: Sequence[np.random.Generator]) -> Iterator[torch.Tensor]:
        """Yields (n, k, width), k consecutive copies of one magnitude."""
        codes, n_columns = self._table.codes(inputs.cpu().numpy()), len(self._table.values)
        for changes in self._changes:
            for n in columns(max(2 * n_columns, self._table.width), self._samples):
                draws = np.stack([stream.random((n, 2, n_columns)) for stream in streams])
                changed = draws[:, :, 0] < changes / n_columns
                copies = np.repeat(codes[:, None], n, axis=1)
                for number, (place, column) in enumerate(self._table.values):
                    rows = changed[:, :, number]
                    copies[rows, place] = _other(column, copies[rows, place], draws[:, :, 1, number][rows], self._move)
                yield torch.from_numpy(self._table.inputs(copies))


def _other(column: Column, codes: np.ndarray, draws: np.ndarray, move: float) -> np.ndarray:
    """Places of other values, ints (m,), for values at places. draws: (m,), uniform in [0, 1)."""
    other = drawn(column.counts, codes, draws)
    if column.is_number and len(column.values) > 1:
        present = codes < len(column.values)
        other[present] = _near(column, codes[present], draws[present], move)
    return other


def drawn(counts: np.ndarray, codes: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Places of any other values, ints (m,), as often as they are counted; the same where there is no other.

    counts: ints (k,), how many records have each value; codes: ints (m,), the places of own values; draws: (m,),
    uniform in [0, 1).
    """
    ends, own = counts.cumsum(), counts[codes]
    marks = draws * (counts.sum() - own)
    marks = np.where(marks >= ends[codes] - own, marks + own, marks)  # over the value itself
    return np.where(own < counts.sum(), np.minimum(np.searchsorted(ends, marks, side="right"), len(ends) - 1), codes)


def _near(column: Column, codes: np.ndarray, draws: np.ndarray, move: float) -> np.ndarray:
    """A near number that records have: the nearest to a normal step, and at least the next one."""
    values, counts = column.values.astype(float), column.counts[: len(column.values)]
    spread = np.sqrt(np.average((values - np.average(values, weights=counts)) ** 2, weights=counts))
    steps = ndtri(draws)
    near = np.searchsorted((values[:-1] + values[1:]) / 2, values[codes] + move * spread * steps)
    up = np.where(codes == 0, True, np.where(codes == len(values) - 1, False, steps > 0))
    nexts = np.clip(codes + np.where(up, 1, -1), 0, len(values) - 1)
    return np.where(near == codes, nexts, near)
