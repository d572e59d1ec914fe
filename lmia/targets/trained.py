"""Models that a user's own training makes, on records that are drawn here."""

import contextlib
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from lmia.label_function import as_network
from lmia.table import Table


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Have code of a user's that takes global random numbers, of Python, NumPy or torch, draw by a seed."""
    before, before_too = np.random.get_state(), random.getstate()  # noqa: NPY002
    with torch.random.fork_rng():
        random.seed(seed)
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(before)  # noqa: NPY002
            random.setstate(before_too)


def train(
    fit: Callable[..., Any], inputs: np.ndarray, classes: np.ndarray, seed: int, table: Table | None = None
) -> Any:
    """What `fit` of a trainer gives for records.

    fit: (inputs, classes, seed) -> a network, a function from inputs to labels, or anything with such a `predict`;
    inputs: float32 (m, *shape) in [0, 1]; classes: ints (m,); seed: of all its random numbers, from 0 to 2**32 - 1, as
    NumPy's; table: of the data set, where that is one: then `fit` is given a data frame, and labels as that has them.
    """
    given = (inputs, classes) if table is None else (table.decode(inputs), table.classes[classes])
    with seeded(seed):
        return fit(*given, seed)


def as_state(inputs: np.ndarray, classes: np.ndarray, seed: int) -> dict[str, torch.Tensor]:
    """A `state_dict` of what a model is trained on and by, for one that is trained again where it is opened."""
    arrays = {"inputs": inputs, "classes": classes, "seed": np.int64(seed)}
    return {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}


def from_state(state: Mapping[str, torch.Tensor]) -> tuple[np.ndarray, np.ndarray, int]:
    """(inputs, classes, seed) of such a `state_dict`."""
    return state["inputs"].numpy(), state["classes"].numpy(), int(state["seed"])


def as_asked(trained: Any, n_classes: int, table: Table | None, device: torch.device) -> nn.Module:
    """What a trainer gives, to be asked in the place of a network. Raises ValueError as `as_network`."""
    if not isinstance(trained, nn.Module) and callable(getattr(trained, "predict", None)):
        trained = trained.predict
    return as_network(trained, n_classes, table).eval().to(device)
