"""Batches that fit into the memory of the device."""

import math
from collections.abc import Callable

import torch


class Batches:
    """Runs batches, and where the memory of a GPU runs out, halves of them from then on.

    Where the rows of a batch do not depend on each other, halves give the same up to the last bits of a number.
    `Batches.halved` says whether it has come to that anywhere in this process.
    """

    halved = False

    def __init__(self):
        self._max_rows = math.inf

    def run(self, function: Callable[[torch.Tensor], torch.Tensor], rows: torch.Tensor) -> torch.Tensor:
        """function(rows), a tensor (m, ...) for rows (m, ...), or the results of parts of them in a row.

        Raises MemoryError where a single row is too much.
        """
        if len(rows) <= self._max_rows:
            result = self._attempt(function, rows)
            if result is not None:
                return result
        parts = rows.tensor_split(math.ceil(len(rows) / self._max_rows))
        return torch.cat([self.run(function, part) for part in parts])

    def _attempt(self, function: Callable[[torch.Tensor], torch.Tensor], rows: torch.Tensor) -> torch.Tensor | None:
        """The same of the batch as a whole, or None and fewer rows from then on."""
        try:
            return function(rows)
        except torch.OutOfMemoryError as error:
            if len(rows) == 1:
                raise MemoryError(
                    "out of memory with a batch of 1: take a smaller model, a larger GPU, or device: cpu"
                ) from error
            self._max_rows, Batches.halved = len(rows) // 2, True
            print(f"out of memory with a batch of {len(rows)}; going on with {self._max_rows} ({error})")
        torch.cuda.empty_cache()  # not before: the error holds on to what the batch had allocated
        return None
