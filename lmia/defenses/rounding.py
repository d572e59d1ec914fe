"""Confidences are given to some decimals only (section 5 of the paper: confidence masking)."""

import torch

from lmia.defenses import base

MASKS_ONLY = True


class Defense(base.Defense):
    """Rounded confidences. Where others would draw level with the predicted class, they get a last digit less."""

    def __init__(self, decimals: int = 1):
        self._decimals = decimals

    def mask(self, confidences: torch.Tensor) -> torch.Tensor:
        """(n, n_classes), the arg-max as it was."""
        unit = 10.0**-self._decimals
        steps = (confidences / unit).round()  # whole numbers of units
        top = confidences.argmax(dim=1, keepdim=True)
        highest = steps.gather(1, top).clamp_min(1)
        return torch.minimum(steps, highest - 1).scatter_(1, top, highest) * unit
