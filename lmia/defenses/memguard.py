"""MemGuard (Jia et al. 2019) in the strongest form that the paper grants it: confidences tell the label and no more."""

import torch

from lmia.defenses import base

MASKS_ONLY = True


class Defense(base.Defense):
    """The predicted class gets 1 / n_classes + margin, all others the same share of the rest.

    margin: how far the predicted class stays above an even split, in (0, 1 - 1 / n_classes].
    """

    def __init__(self, margin: float = 0.01):
        self._margin = margin

    def mask(self, confidences: torch.Tensor) -> torch.Tensor:
        """(n, n_classes), rows sum to 1, the arg-max as it was."""
        n_classes = confidences.shape[1]
        if not 0 < self._margin <= 1 - 1 / n_classes:
            raise ValueError(
                f"margin: expected in (0, {1 - 1 / n_classes:g}] for {n_classes} classes, got {self._margin:g}"
            )
        top = 1 / n_classes + self._margin
        masked = torch.full_like(confidences, (1 - top) / (n_classes - 1))
        return masked.scatter_(1, confidences.argmax(dim=1, keepdim=True), top)
