"""The only way to a model's labels: counts every query, refuses to overspend, and lets no logit out."""

import numpy as np
import torch

CHUNK_FLOATS = 1 << 16  # input values per forward pass: a small network's activations then stay in a core's cache
LEAST_CHUNK = 64  # inputs per forward pass all the same


class BudgetExceeded(RuntimeError):
    """More queries were asked than the budget holds; none of the offending call was sent."""


class LabelOracle:
    """Hard labels of a frozen model, metered per example.

    model: torch.nn.Module mapping (m, *shape) to logits (m, n_classes), put in evaluation mode.
    n_examples: how many examples the ledger has rows for.
    budget: most queries that one example may cost, int >= 1.
    """

    def __init__(self, model, n_examples, budget):
        if budget < 1:
            raise ValueError(f"budget: expected at least 1 query per example, got {budget}")
        self._model = model.eval()
        self._parameter = next(model.parameters(), torch.empty(0))
        self.budget = budget
        self.spent = np.zeros(n_examples, dtype=np.int64)

    @property
    def dtype(self):
        """Floating-point type in which the model is asked."""
        return self._parameter.dtype

    @property
    def device(self):
        """Where the model lives, and so where its inputs are best made."""
        return self._parameter.device

    def __call__(self, inputs, owners):
        """Labels (m,), int64, of `inputs` (m, *shape) that are charged to the examples `owners` (m,), ints.

        Raises BudgetExceeded, with nothing asked and nothing counted, where any owner would exceed the budget.
        """
        counts = np.bincount(np.asarray(owners), minlength=len(self.spent))
        over = self.spent + counts > self.budget
        if over.any():
            first = int(np.argmax(over))
            raise BudgetExceeded(
                f"example {first}: {counts[first]} queries asked, "
                f"{self.budget - self.spent[first]} left of a budget of {self.budget}"
            )
        self.spent += counts
        chunk = max(LEAST_CHUNK, CHUNK_FLOATS // max(1, inputs[0].numel())) if len(inputs) else 1
        with torch.inference_mode():
            parts = [self._model(part.to(self.device, self.dtype)).argmax(1) for part in inputs.split(chunk)]
        return torch.cat(parts).cpu() if parts else torch.empty(0, dtype=torch.int64)
