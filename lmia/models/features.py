"""Features of points: what a model's last layer reads, and how near their neighbours are (section 7 of the paper)."""

import numpy as np
import torch
from torch import nn

from lmia.devices import device_of
from lmia.memory_batches import Batches

BLOCK = 1024  # points whose similarities to all others are in memory at once


def penultimate(model: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    """What the model's last fully connected layer reads, float32 (n, features); model in evaluation mode.

    Raises ValueError where the model has no such layer.
    """
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise ValueError("outliers: expected a model with a fully connected layer, whose inputs are its features")
    device, batches = device_of(model), Batches()
    seen: list[torch.Tensor] = []
    hook = layers[-1].register_forward_pre_hook(lambda layer, values: seen.append(values[0].flatten(1)))

    def features(rows):
        seen.clear()
        model(rows.to(device))
        return seen[-1]

    try:
        with torch.inference_mode():
            found = [batches.run(features, part) for part in inputs.split(BLOCK)]
    finally:
        hook.remove()
    return torch.cat(found)


def distance_to_neighbour(features: torch.Tensor, k: int) -> np.ndarray:
    """Cosine distance of each point to its k-th nearest other, float32 (n,), in [0, 2].

    features: (n, d); k: int in [1, n - 1]. Exact, by blocks of a matrix product: n x BLOCK numbers in memory. A point
    without any active feature is at distance 1 from all.

    Raises ValueError for another k.
    """
    n = len(features)
    if not 1 <= k < n:
        raise ValueError(f"neighbours: {k}: expected 1 to {n - 1}, as there are {n} points")
    unit = nn.functional.normalize(features)
    found = []
    for start in range(0, n, BLOCK):
        similarity = unit[start : start + BLOCK] @ unit.T
        rows = torch.arange(len(similarity), device=unit.device)
        similarity[rows, start + rows] = -2.0  # nobody is its own neighbour
        found.append(1 - similarity.topk(k, dim=1).values[:, -1])
    return torch.cat(found).clamp(0, 2).cpu().numpy()
