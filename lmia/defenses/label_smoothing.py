"""Label smoothing (Szegedy et al. 2016)."""

import torch
from torch import nn

from lmia.defenses import base


class Defense(base.Defense):
    """Targets give `amount`, in [0, 1), to all classes evenly and the rest to the true one."""

    graphable = True

    def __init__(self, amount: float):
        self._amount = amount

    def loss(self, model: nn.Module, inputs: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(model(inputs), classes, label_smoothing=self._amount)
