"""Points from which a boundary search starts, nearer than noise: real inputs of other classes, and beyond references.

References are models of the attacker's own, which cost the target no query.
"""

from collections.abc import Iterable, Iterator
from itertools import tee

import numpy as np
import torch

from lmia.box import UNIT, Box

N_STARTS = 10  # real inputs that are tried around each input at most
TIMES = (1.2, 2.0, 4.0)  # of the way to where the references change their label: the target changes it elsewhere


def nearest_others(
    inputs: torch.Tensor,
    classes: np.ndarray | torch.Tensor,
    pool: torch.Tensor,
    pool_classes: np.ndarray | torch.Tensor,
    n_starts: int = N_STARTS,
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


def beyond(
    inputs: torch.Tensor, crossings: torch.Tensor, others: Iterable[torch.Tensor], box: Box = UNIT
) -> Iterator[torch.Tensor]:
    """Yields starts on the way from every input through a crossing, as far as TIMES says, then `others` (n, *shape).

    inputs: (n, *shape); crossings: the like, where references give another label, and the input itself where none is
    known: such inputs get `others` in the place of these too, and then all of them.
    """
    step = crossings - inputs
    known = (step != 0).flatten(1).any(dim=1).view(-1, *[1] * (inputs.ndim - 1))
    instead, others = tee(others)
    for times in TIMES:
        far = box.clip_((inputs + times * step).flatten(1)).view(inputs.shape)
        other = next(instead, None)
        yield far if other is None else torch.where(known, far, other)
    del instead  # or it would keep all that follow
    yield from others


def origins(
    distance: np.ndarray, n_queries: np.ndarray, halvings: int, n_pool: int, known: np.ndarray | None = None
) -> dict[str, int]:
    """How many searches started where, and how many found no start: counts by name.

    Those whose input is misclassified have none to find. What a search has spent when it first stands on the boundary
    tells how many starts it tried.

    Args:
        distance: (n, c, t), the courses of searches around copies of each input, see `search_boundary`.
        n_queries: The like.
        halvings: Of one walk to the boundary.
        n_pool: Real inputs, of which each search has tried the nearest.
        known: Bools (n,), who began with those of `beyond`; None where nobody could.
    """
    tried, (first, second) = n_queries[..., 1] - 1 - halvings, np.moveaxis(distance[..., :2], -1, 0)
    found, before = np.isfinite(second) & (first > 0), 0 if known is None else len(TIMES)
    by_references = found & (tried <= before) & (False if known is None else known[:, None])
    by_noise = found & (tried > before + min(N_STARTS, n_pool))
    counts = {"references": by_references, "others": found & ~by_references & ~by_noise, "noise": by_noise}
    return {name: int(which.sum()) for name, which in (counts | {"none": np.isinf(second)}).items()}
