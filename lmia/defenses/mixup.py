"""Mixup (Zhang et al. 2018): the network sees mixtures of two examples, and is to tell both in their shares."""

import torch
from torch import nn

from lmia.defenses import base


class Defense(base.Defense):
    """Each batch is mixed with itself in another order, with one share from Beta(alpha, alpha)."""

    def __init__(self, alpha: float):
        self._alpha = alpha

    def loss(self, model: nn.Module, inputs: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        # torch's generators know no Beta, but two Gammas make one; on the CPU, so that no device changes the draw.
        gammas = torch._standard_gamma(torch.full((2,), float(self._alpha)))  # type: ignore - torch has no public one
        first, second = gammas.tolist()
        share, other = first / (first + second), torch.randperm(len(inputs)).to(inputs.device)
        logits = model(share * inputs + (1 - share) * inputs[other])
        cross_entropy = nn.functional.cross_entropy
        return share * cross_entropy(logits, classes) + (1 - share) * cross_entropy(logits, classes[other])
