"""The only way to a model's labels: counts every query, refuses to overspend, and lets no logit out."""

import copy
import math
import time
from collections.abc import Mapping
from functools import partial

import numpy as np
import torch

from lmia.devices import width
from lmia.memory_batches import Batches
from lmia.queries.mixed_precision import AUDITED, MixedPrecision

CHUNK_FLOATS = 1 << 18  # input values per forward pass: a small network's activations then stay in a core's cache
CHUNK = (64, 1024)  # least and most inputs per forward pass; a GPU's is wider, but for the least

PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16}
AUTO = "auto"  # labels of float32, by bfloat16 where that suffices and takes less time


class BudgetExceeded(RuntimeError):
    """More queries were asked than the budget holds; none of the offending call was sent."""


class LabelOracle:
    """Hard labels of a frozen model, metered per example.

    Args:
        model: Maps (m, *shape) to logits (m, n_classes); put in evaluation mode and, where it has convolutions, in
            channels-last memory order.
        n_examples: How many examples the ledger has rows for.
        budget: Most queries that one example may cost, int >= 1.
        precision: "float32", the model as it is, or "bfloat16", a copy that is rounded to that type, with
            `disagreement` saying how often the labels differ; or `AUTO`, such a copy where that takes less time, and
            the model as it is wherever rounding might change the label (`lmia.queries.mixed_precision`).
    """

    def __init__(self, model: torch.nn.Module, n_examples: int, budget: int, precision: str = "float32"):
        if budget < 1:
            raise ValueError(f"budget: expected at least 1 query per example, got {budget}")
        self._model = model.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in its hints
        self._precision, self._rounded = precision, precision == "bfloat16"
        self._asked = copy.deepcopy(self._model).to(PRECISIONS[precision]) if self._rounded else self._model
        self._parameter = next(model.parameters(), torch.empty(0))
        self._asked_dtype = next(self._asked.parameters(), self._parameter).dtype
        self._batches, self._passes, self._audited, self._differing = Batches(), 0, 0, 0
        self._mixed = self._mixed_precision() if precision == AUTO and self._parameter.numel() else None
        self.budget = budget
        self.n_queries = np.zeros(n_examples, dtype=np.int64)

    @property
    def dtype(self) -> torch.dtype:
        """Floating-point type in which inputs are best made."""
        return self._parameter.dtype

    @property
    def device(self) -> torch.device:
        """Where the model lives, and so where its inputs are best made."""
        return self._parameter.device

    @property
    def resolution(self) -> float:
        """Smallest change of an input value near 1 that the model can see."""
        return torch.finfo(PRECISIONS.get(self._precision) or self.dtype).eps

    @property
    def disagreement(self) -> float | None:
        """Share of labels that reduced precision changes, of those asked again in full; None where none was."""
        if self._mixed:
            return self._mixed.disagreement
        return float(self._differing) / self._audited if self._audited else None

    def to_arrays(self) -> dict[str, np.ndarray]:
        """What has been asked so far, and what the audit found, as named arrays."""
        audit = {"audit": np.array([self._passes, self._audited, int(self._differing)])}
        return {"n_queries": self.n_queries.copy()} | (self._mixed.to_arrays() if self._mixed else audit)

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from what `to_arrays` gave."""
        self.n_queries = arrays["n_queries"].copy()
        if self._mixed:
            self._mixed.restore(arrays)
        else:
            self._passes, self._audited, self._differing = arrays["audit"].tolist()

    def __call__(self, inputs: torch.Tensor, owners: np.ndarray) -> torch.Tensor:
        """Labels (m,), int64, of `inputs` (m, *shape) that are charged to the examples `owners` (m,), ints.

        Raises BudgetExceeded, with nothing asked and nothing counted, where any owner would exceed the budget.
        """
        self._charge(np.bincount(owners, minlength=len(self.n_queries)))
        if not len(inputs):
            return torch.empty(0, dtype=torch.int64, device=self.device)
        # Equal parts, because a small remainder costs nearly as much as a full chunk.
        parts = inputs.tensor_split(math.ceil(len(inputs) / self.chunk(inputs[0].numel(), self.device)))
        with torch.inference_mode():
            return self._mixed.labels(parts) if self._mixed else torch.cat([self._labels(part) for part in parts])

    @staticmethod
    def chunk(size: int, device: torch.device) -> int:
        """Most inputs of `size` values that are sent together through a model on this torch.device."""
        least, most = CHUNK
        return min(most * width(device), max(least, CHUNK_FLOATS * width(device) // max(1, size)))

    def _charge(self, counts: np.ndarray) -> None:
        over = self.n_queries + counts > self.budget
        if over.any():
            first = int(np.argmax(over))
            raise BudgetExceeded(
                f"example {first}: {counts[first]} queries asked, "
                f"{self.budget - self.n_queries[first]} left of a budget of {self.budget}"
            )
        self.n_queries += counts

    def _labels(self, inputs: torch.Tensor) -> torch.Tensor:
        labels = self._batches.run(partial(self._forward, self._asked, self._asked_dtype), inputs)
        if self._rounded:
            if self._passes % AUDITED == 0 or self._passes.bit_count() == 1:
                self._audited += len(inputs)
                full = self._batches.run(partial(self._forward, self._model, self.dtype), inputs)
                self._differing = self._differing + (full != labels).sum()
            self._passes += 1
        return labels

    def _forward(self, model: torch.nn.Module, dtype: torch.dtype, inputs: torch.Tensor) -> torch.Tensor:
        return self._logits(model, dtype, inputs).max(1).indices  # as argmax, in less time

    def _logits(self, model: torch.nn.Module, dtype: torch.dtype, inputs: torch.Tensor) -> torch.Tensor:
        inputs = inputs.to(self.device, dtype)
        if inputs.ndim == 4:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        return model(inputs)

    def _mixed_precision(self) -> MixedPrecision:
        def run(model: torch.nn.Module, dtype: torch.dtype, inputs: torch.Tensor) -> torch.Tensor:
            return self._batches.run(partial(self._logits, model, dtype), inputs)

        copied = copy.deepcopy(self._model).to(torch.bfloat16)
        full, rounded = partial(run, self._model, self.dtype), partial(run, copied, torch.bfloat16)
        return MixedPrecision(full, rounded, self._clock)

    def _clock(self) -> float:
        """Seconds: of this process, whatever runs beside it, or on a GPU, once it has ended what was begun."""
        if self.device.type != "cuda":
            return time.process_time()
        torch.cuda.synchronize(self.device)
        return time.perf_counter()
