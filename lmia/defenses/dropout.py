"""Dropout (Srivastava et al. 2014), one of the regularizers of section 6 of the paper."""

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from lmia.defenses import base


class Defense(base.Defense):
    """In training, inputs of fully connected layers are 0 with probability `rate`, except those of the model itself.

    By hooks and not by layers: the weights keep their names, and the frozen model is built as any other.
    """

    graphable = True

    def __init__(self, rate: float):
        self._rate = rate
        self._hooks: list[RemovableHandle] = []

    def prepare(self, model: nn.Module, n_classes: int, n_members: int) -> None:
        with_weights = [module for module in model.modules() if isinstance(module, nn.Linear | nn.Conv2d)]
        self._hooks = [
            layer.register_forward_pre_hook(self._drop) for layer in with_weights[1:] if isinstance(layer, nn.Linear)
        ]

    def _drop(self, layer: nn.Module, inputs: tuple[torch.Tensor, ...]) -> torch.Tensor:
        return nn.functional.dropout(inputs[0], self._rate, layer.training)

    def finish(self, model: nn.Module) -> None:
        for hook in self._hooks:
            hook.remove()
