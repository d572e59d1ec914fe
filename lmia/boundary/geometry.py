"""Unit vectors, and the walk to a boundary by halving."""

from collections.abc import Callable

import torch


def unit(vectors: torch.Tensor) -> torch.Tensor:
    """Vectors (m, dim) of length 1; of length 0 where they have none."""
    return vectors / torch.linalg.vector_norm(vectors, dim=1, keepdim=True).clamp_min(1e-30)


def bisect(
    crosses: Callable[[torch.Tensor], torch.Tensor], outside: torch.Tensor, inside: torch.Tensor, halvings: int
) -> torch.Tensor:
    """Places (m, 1) on m curves, the last found that cross the boundary.

    crosses: places (m, 1) -> whether the points there do, bools (m,); outside: places (m, 1) that are known to; inside:
    places (m, 1) that are known not to.
    """
    for _ in range(halvings if len(outside) else 0):
        middle = (inside + outside) / 2
        crossed = crosses(middle)[:, None]
        outside = torch.where(crossed, middle, outside)
        inside = torch.where(crossed, inside, middle)
    return outside
