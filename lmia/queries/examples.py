"""What the queries of a perturbation look like."""

from typing import Any

import numpy as np
import torch

from lmia.streams import streams


def last_of_each_magnitude(inputs: torch.Tensor, perturbation: Any, name: str) -> tuple[np.ndarray, list[float]]:
    """(queries (n, m, *shape), magnitudes (m,)): the last query of each magnitude.

    inputs: floats (n, *shape) in [0, 1]; perturbation: as `lmia.perturbations` has them; name: of the query set, which
    with seed 0 decides what is random in them.
    """
    blocks = torch.cat(list(perturbation.blocks(inputs, streams(0, name, range(len(inputs))))), dim=1)
    last = {magnitude: column for column, magnitude in enumerate(perturbation.magnitudes)}
    return blocks[:, list(last.values())].numpy(), list(last)
