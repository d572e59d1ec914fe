"""Transfer learning (section 6 and figure S10 of the paper): the members see a model that other data has made."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import nn

from lmia.defenses import base

TUNES = ("last", "all")


class Defense(base.Defense):
    """Training starts from the weights of another study's model, except for the last layer, whose classes differ.

    source: name of that study; its target is taken. tune: "last" trains the last layer alone, "all" all of them.
    """

    graphable = True

    _weights: Mapping[str, np.ndarray]  # of the source, once `supply` was called

    def __init__(self, source: str, tune: str = "last"):
        if tune not in TUNES:
            raise ValueError(f"tune: {tune}: expected one of {', '.join(TUNES)}")
        self._source, self._tune = source, tune

    def supply(
        self,
        reference: Callable[[], tuple[torch.Tensor, torch.Tensor]],
        source: Callable[[], Mapping[str, np.ndarray]],
    ) -> None:
        self._weights = source()

    def prepare(self, model: nn.Module, n_classes: int, n_members: int) -> None:
        last = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)][-1]
        own = model.state_dict()
        kept = [name for name in own if not name.startswith(f"{last}.")]
        for name in kept:
            given = self._weights.get(name)
            if given is None or given.shape != tuple(own[name].shape):
                came = "none" if given is None else f"shape {given.shape}"
                raise ValueError(
                    f"source: {self._source}: expected weights {name} of shape {tuple(own[name].shape)}, got {came}; "
                    "both studies need the same model and inputs of the same shape"
                )
        model.load_state_dict({name: torch.from_numpy(self._weights[name]) for name in kept}, strict=False)
        if self._tune == "last":
            _freeze(model, last)


def _freeze(model: nn.Module, last: str) -> None:
    """Leave only the layer of this name to be trained; batch norm before it behaves as in a finished model."""
    for name, module in model.named_modules():
        if name != last and not any(module.children()):
            module.eval()
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(f"{last}."))
