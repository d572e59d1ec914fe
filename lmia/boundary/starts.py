"""Points from which a boundary search starts: real inputs of other classes, which lie nearer than noise does."""

from collections.abc import Iterator

import numpy as np
import torch


def nearest_others(
    inputs: torch.Tensor,
    classes: np.ndarray | torch.Tensor,
    pool: torch.Tensor,
    pool_classes: np.ndarray | torch.Tensor,
    n_starts: int = 10,
) -> Iterator[torch.Tensor]:
    """Yields the nearest, second nearest, ... pool point of another class for every input, float (n, *shape).

    An input with fewer such points gets its last one again.

    Args:
        inputs: (n, *shape).
        classes: True classes (n,).
        pool: (m, *shape), inputs that the attacker has besides.
        pool_classes: Their true classes (m,).
        n_starts: How many to yield at most.
    """
    # In double precision, whose last bits decide no neighbour: the product's rounding depends on the batch.
    distances = torch.cdist(inputs.flatten(1).double(), pool.flatten(1).double())
    same = torch.as_tensor(classes)[:, None] == torch.as_tensor(pool_classes)[None]
    distances.masked_fill_(same.to(distances.device), torch.inf)
    found = torch.zeros(len(distances), dtype=torch.int64, device=distances.device)
    for _ in range(min(n_starts, distances.shape[1])):
        nearest = distances.argmin(dim=1, keepdim=True)  # one by one: few inputs need a second
        found = torch.where(distances.gather(1, nearest).isfinite(), nearest, found[:, None])[:, 0]
        yield pool[found]
        distances.scatter_(1, nearest, torch.inf)
