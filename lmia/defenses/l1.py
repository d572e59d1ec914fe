"""L1 regularization (section 6 of the paper)."""

import torch
from torch import nn

from lmia.defenses import base
from lmia.defenses.weights import weights_of


class Defense(base.Defense):
    """The sum of absolute weights, times `strength`, joins the loss. layers: see `weights_of`."""

    graphable = True

    def __init__(self, strength: float, layers: str = "dense"):
        self._strength, self._layers = strength, layers

    def penalty(self, model: nn.Module) -> torch.Tensor | float:
        """A scalar tensor."""
        return self._strength * sum(weight.abs().sum() for weight in weights_of(model, self._layers))
