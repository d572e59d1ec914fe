"""Points from which a boundary search starts: real inputs of other classes, which lie nearer than noise does."""

import torch


def nearest_others(inputs, classes, pool, pool_classes, n_starts=10):
    """Yields the nearest, second nearest, ... pool point of another class for every input, float (n, *shape).

    inputs: (n, *shape); classes: (n,); pool: (m, *shape), inputs that the attacker has besides; pool_classes: their
    true classes, (m,); n_starts: how many to yield at most. An input with fewer such points gets its last one again.
    """
    # In double precision, whose last bits decide no neighbour: the product's rounding depends on the batch.
    distances = torch.cdist(inputs.flatten(1).double(), pool.flatten(1).double())
    same = torch.as_tensor(classes)[:, None] == torch.as_tensor(pool_classes)[None]
    distances.masked_fill_(same.to(distances.device), torch.inf)
    nearest = distances.argsort(dim=1, stable=True)[:, :n_starts]
    for rank in range(nearest.shape[1]):
        reachable = distances.gather(1, nearest[:, : rank + 1]).isfinite().sum(dim=1).sub(1).clamp_min(0)
        yield pool[nearest.gather(1, reachable[:, None])[:, 0]]
