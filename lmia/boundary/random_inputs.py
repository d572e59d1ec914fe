"""Distances to the boundary around random inputs: what an attacker without any data can measure of a target.

Their quantile is a threshold that needs no shadow (Li and Zhang, CCS 2021, boundary attack).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from lmia.boundary.search import search_boundary
from lmia.box import UNIT, Box
from lmia.queries.oracle import LabelOracle


def search_random_inputs(
    model: torch.nn.Module,
    n: int,
    shape: Sequence[int],
    streams: Callable[[str], Sequence[np.random.Generator]],
    *,
    box: Box = UNIT,
    precision: str = "float32",
    **options: Any,
) -> tuple[np.ndarray, np.ndarray]:
    """Boundary distances around n inputs that are uniform in the box, each of which has its own label as its class.

    Costs at most n times the budget, and n queries for the labels, whatever the number of examples.

    Args:
        model: See `search_boundary`.
        n: How many random inputs, at least 1.
        shape: Of one of them.
        streams: "inputs" or "searches" -> one generator per random input, of which either is drawn.
        box: Of the data set.
        precision: In which the examples were asked: no distance is asked again in another.
        options: Those of `search_boundary`, without `shift_pixels`.

    Returns:
        (distance, n_queries): the courses (n, t), see `hopskipjump`.
    """
    shares = np.stack([stream.random(shape, dtype=np.float32) for stream in streams("inputs")])
    inputs = torch.from_numpy(box.at(shares))
    labels = LabelOracle(model, n, 1, precision)(inputs, np.arange(n)).cpu().numpy()
    options |= {"box": box, "precision": precision, "most_disagreement": 1.0}
    distance, n_queries, _ = search_boundary(model, inputs, labels, lambda copy: streams("searches"), **options)
    return distance[:, 0], n_queries[:, 0]
