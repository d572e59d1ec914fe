"""The weights that a norm is taken of."""

import torch
from torch import nn


def weights_of(model: nn.Module, layers: str) -> list[torch.Tensor]:
    """The weights of fully connected layers ("dense"), or of convolutions as well ("all"); biases are left alone.

    Raises ValueError for other `layers`.
    """
    kinds: dict[str, tuple[type[nn.Linear | nn.Conv2d], ...]] = {"dense": (nn.Linear,), "all": (nn.Linear, nn.Conv2d)}
    if layers not in kinds:
        raise ValueError(f"layers: {layers}: expected one of {', '.join(kinds)}")
    return [module.weight for module in model.modules() if isinstance(module, kinds[layers])]
