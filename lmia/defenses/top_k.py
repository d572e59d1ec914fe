"""Only the largest confidences are given (section 5 of the paper: confidence masking)."""

import torch

from lmia.defenses import base

MASKS_ONLY = True


class Defense(base.Defense):
    """All but the k largest confidences of a row are 0."""

    def __init__(self, k: int = 1):
        self._k = k

    def mask(self, confidences: torch.Tensor) -> torch.Tensor:
        """(n, n_classes), the arg-max as it was."""
        k = min(self._k, confidences.shape[1])
        # Stable, and so with the arg-max of equals first, which topk does not promise.
        largest, where = (part[:, :k] for part in confidences.sort(dim=1, descending=True, stable=True))
        return torch.zeros_like(confidences).scatter_(1, where, largest)
