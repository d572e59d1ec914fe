"""Where models of the attacker's own change their label around an input, and how far that is; no target is asked.

Such references have not seen the input. The distance says how hard it is for models like the target, and a search of
the target that starts there is spared most of its way.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from lmia.boundary.crossings import closest_crossings
from lmia.box import UNIT, Box


class Mean(nn.Module):
    """The mean of the logits (m, n_classes) of several networks, each of which maps (m, *shape) to its own."""

    def __init__(self, networks: Sequence[nn.Module]):
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return torch.stack([network(inputs) for network in self.networks]).mean(dim=0)


def reference_crossings(
    references: Sequence[tuple[np.ndarray, Sequence[nn.Module]]],
    inputs: torch.Tensor,
    classes: np.ndarray,
    *,
    box: Box = UNIT,
) -> tuple[torch.Tensor, np.ndarray]:
    """The nearest points where the mean of the references' logits gives another label.

    Args:
        references: (rows (m,), networks from inputs to logits), which networks serve as references of which inputs;
            no row twice.
        inputs: Floats (n, *shape) in the box.
        classes: True classes, ints (n,).
        box: Of the data set.

    Returns:
        (points, distance): points (n, *shape), the input itself where the distance is 0, inf or NaN; distance float64
        (n,), 0 where the references give another label than the class, inf where they have no other, NaN of inputs
        without references.
    """
    points, distance = inputs.clone(), np.full(len(inputs), np.nan)
    for rows, networks in references:
        crossings, distance[rows] = closest_crossings(Mean(networks), inputs[rows], classes[rows], box=box)
        points[rows] = crossings.to(points)
    return points, distance
