"""Fully connected tanh network (the paper's model for tabular data)."""

import math
from collections.abc import Sequence

from torch import nn

from lmia.models.initialization import initialize


def build(
    shape: tuple[int, ...], n_classes: int, hidden: Sequence[int] = (128,), initialization: str = "torch"
) -> nn.Sequential:
    """Layers of `hidden` tanh units each, then logits; the input is flattened. initialization: see `initialize`."""
    sizes = [math.prod(shape), *hidden]
    layers = [part for a, b in zip(sizes, sizes[1:], strict=False) for part in (nn.Linear(a, b), nn.Tanh())]
    model = nn.Sequential(nn.Flatten(), *layers, nn.Linear(sizes[-1], n_classes))
    return initialize(model, initialization)
