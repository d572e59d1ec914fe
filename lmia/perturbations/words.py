"""Texts of which some words are taken out, or replaced by others that the data set has."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from lmia.perturbations import columns
from lmia.perturbations.table import drawn
from lmia.table import Table


class Perturbation:
    """Copies of a record in which each word of its texts is changed with the same probability, by itself.

    A changed word is replaced, with probability `replace`, by another word of its column, as often as texts have it,
    and taken out otherwise. Of a record that would lose all its words, one drawn at random stays.

    shares: the magnitudes, expected share of the words that are changed, in (0, 1]; samples: copies per magnitude;
    replace: share of the changed words that are replaced, in [0, 1]; table: of the data set.

    Raises ValueError where a number is outside these ranges, and where the table has no texts.
    """

    unit = "share of words"

    def __init__(self, shares: Sequence[float], samples: int, table: Table, replace: float = 0.5):
        if not all(0 < share <= 1 for share in shares) or samples < 1 or not 0 <= replace <= 1:
            raise ValueError(
                f"expected shares in (0, 1], samples above 0 and replace in [0, 1], got {list(shares)}, {samples} and "
                f"{replace}"
            )
        if not table.texts:
            raise ValueError("expected records with texts, got none; use kind table")
        self._shares, self._samples, self._table, self._replace = shares, samples, table, replace
        self.magnitudes = [float(share) for share in shares for _ in range(samples)]

    def blocks(self, inputs: torch.Tensor, streams: Sequence[np.random.Generator]) -> Iterator[torch.Tensor]:
        """Yields (n, k, width), k consecutive copies of one magnitude."""
        codes = self._table.codes(inputs.cpu().numpy())
        for share in self._shares:
            for n in columns(self._table.width, self._samples):
                copies = np.repeat(codes[:, None], n, axis=1)
                for row, stream in enumerate(streams):
                    self._change(copies[row], share, stream)
                yield torch.from_numpy(self._table.inputs(copies))

    def _change(self, copies: np.ndarray, share: float, stream: np.random.Generator) -> None:
        """Change equal copies of one record, places (k, width)."""
        texts = [(part.start + np.flatnonzero(one.is_word[copies[0, part]]), one) for part, one in self._table.texts]
        places = np.concatenate([found for found, _ in texts])
        if not len(places):
            return
        marks, kinds, others = stream.random((3, len(copies), len(places)))
        is_out = (marks < share) & (kinds >= self._replace)
        is_out[is_out.all(axis=1), marks.argmax(axis=1)[is_out.all(axis=1)]] = False
        is_other, start = (marks < share) & (kinds < self._replace), 0
        for found, one in texts:
            own = slice(start, start := start + len(found))
            counts = np.where(one.is_word, np.append(0, one.counts), 0)
            replaced = drawn(counts, np.tile(copies[0, found], len(copies)), others[:, own].reshape(-1))
            new = np.where(is_other[:, own], replaced.reshape(len(copies), -1), copies[0, found])
            copies[:, found] = np.where(is_out[:, own], 0, new)
