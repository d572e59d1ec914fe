"""Models that a user's own training makes, on records that are drawn here."""

import contextlib
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import nn

from lmia.label_function import LabelFunction, Unanswered, as_network
from lmia.models.usability import labels_of
from lmia.table import Table

CPU = torch.device("cpu")
KEPT = 500  # inputs at most whose labels are kept with a model that is trained again where it is opened


@contextlib.contextmanager
def seeded(seed: int, device: torch.device = CPU) -> Iterator[None]:
    """Have code of a user's that takes global random numbers, of Python, NumPy or torch, draw by a seed.

    device: of whose random numbers torch's state is put back, beside the CPU's; no other GPU is as much as looked at.
    """
    before, before_too = np.random.get_state(), random.getstate()  # noqa: NPY002
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        random.seed(seed)
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(before)  # noqa: NPY002
            random.setstate(before_too)


def train(
    fit: Callable[..., Any],
    inputs: np.ndarray,
    classes: np.ndarray,
    seed: int,
    table: Table | None = None,
    device: torch.device = CPU,
) -> Any:
    """What `fit` of a trainer gives for records.

    fit: (inputs, classes, seed) -> a network, a function from inputs to labels, or anything with such a `predict`;
    inputs: float32 (m, *shape) in [0, 1]; classes: ints (m,); seed: of all its random numbers, from 0 to 2**32 - 1, as
    NumPy's; table: of the data set, where that is one: then `fit` is given a data frame, and labels as that has them;
    device: of the job.
    """
    given = (inputs, classes) if table is None else (table.decode(inputs), table.classes[classes])
    with seeded(seed, device):
        return fit(*given, seed)


class TrainedAgain(LabelFunction, ABC):
    """A model that is kept as what it is trained on, and trained again wherever it is opened.

    Labels of some inputs are kept with that, as nothing else tells whether it has become the same model.
    """

    records: Mapping[str, torch.Tensor] = MappingProxyType(
        {name: torch.empty(0) for name in ("inputs", "classes", "seed", "asked", "labels")}
    )

    def retrain(self, inputs: np.ndarray, classes: np.ndarray, seed: int, asked: np.ndarray) -> None:
        """Become what training makes of float32 inputs (m, *shape), classes (m,) and a seed.

        asked: float32 (k, *shape), inputs of which up to `KEPT` are asked, to tell the model by. Raises what training
        does, and ValueError where it makes nothing that gives labels.
        """
        self.become(inputs, classes, seed)
        points = asked[np.unique(np.linspace(0, len(asked) - 1, min(KEPT, len(asked))).round().astype(int))]
        arrays = {"inputs": inputs, "classes": classes, "seed": np.int64(seed), "asked": points}
        self.records = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
        self.records["labels"] = labels_of(self, self.records["asked"])

    @abstractmethod
    def become(self, inputs: np.ndarray, classes: np.ndarray, seed: int) -> None:
        """Train."""

    def retrain_as(self, kept: Mapping[str, torch.Tensor]) -> None:
        """Train again on the `records` of another one. Raises Unanswered where that gives another model."""
        inputs, classes, asked = (kept[name].numpy() for name in ("inputs", "classes", "asked"))
        self.retrain(inputs, classes, int(kept["seed"]), asked)
        if differing := int((self.records["labels"] != kept["labels"]).sum()):
            raise Unanswered(
                f"trained again, of the same seed, the model labels {differing} of {len(asked)} inputs otherwise than "
                "at first; let all that is random in its training follow the seed, and run all jobs on machines of one "
                "kind, or with device: cpu"
            )


def as_asked(trained: Any, n_classes: int, table: Table | None, device: torch.device) -> nn.Module:
    """What a trainer gives, to be asked in the place of a network. Raises ValueError as `as_network`."""
    if not isinstance(trained, nn.Module) and callable(getattr(trained, "predict", None)):
        trained = trained.predict
    return as_network(trained, n_classes, table).eval().to(device)
