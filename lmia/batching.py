"""Batches that fit into the memory of the device."""

import math

import torch


class Batches:
    """Runs batches, and where the memory of a GPU runs out, halves of them from then on.

    Halves give the same, if the rows of a batch do not depend on each other, but for the last bits of a number.
    `Batches.halved` says whether it has come to that anywhere in this process.
    """

    halved = False

    def __init__(self):
        self._most = math.inf

    def run(self, function, rows):
        """function(rows), a tensor (m, ...) for rows (m, ...), or the results of parts of them in a row.

        Raises MemoryError where a single row is too much.
        """
        if len(rows) <= self._most:
            result = self._attempt(function, rows)
            if result is not None:
                return result
        parts = rows.tensor_split(math.ceil(len(rows) / self._most))
        return torch.cat([self.run(function, part) for part in parts])

    def _attempt(self, function, rows):
        """The same of the batch as a whole, or None and fewer rows from then on."""
        try:
            return function(rows)
        except torch.OutOfMemoryError as error:
            if len(rows) == 1:
                raise MemoryError(
                    "out of memory with a batch of 1: take a smaller model, a larger GPU, or device: cpu"
                ) from error
            self._most, Batches.halved = len(rows) // 2, True
            print(f"out of memory with a batch of {len(rows)}; going on with {self._most} ({error})")
        torch.cuda.empty_cache()  # not before: the error holds on to what the batch had allocated
        return None
