"""A function from inputs to labels in the place of a network, so that whatever asks networks asks it."""

import os
import sysconfig
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from lmia.table import Table

LIBRARIES = (Path(__file__).parent, *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")))
Predict = Callable[[Any], npt.ArrayLike]


class Unanswered(ValueError):
    """A user's function did not give labels. is_told: its message is all that a user needs."""

    is_told = True


class LabelFunction(nn.Module):
    """Gives ones at the labels of a function, in the place of logits. It has no parameters, and answers on the CPU.

    predict: from a float32 array (m, *shape) in [0, 1], which it may change, to labels, ints (m,) from 0 to
    n_classes - 1; name: of the function, in errors.
    table: of the data set, where that is one: then the function is given data frames of m records, and its labels may
    be what `Table.class_numbers` takes. None where it is none.
    """

    table: Table | None = None
    gives_numbers = False  # of classes, whatever the labels of a table are

    def __init__(self, predict: Predict, n_classes: int, name: str = "predict"):
        super().__init__()
        self._predict, self._n_classes, self._name = predict, n_classes, name

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Floats (m, n_classes) of inputs (m, *shape). Raises Unanswered where the function gives no labels, raises
        anything or ends the program, and OutOfMemoryError as torch does: those who ask then ask about less at once.
        """
        labels = self._asked(self._predict, inputs).to(inputs.device)
        return nn.functional.one_hot(labels, self._n_classes).float()

    @property
    def keeps_answers(self) -> bool:
        """Whether the function answers from what it kept, so that to ask it again tells nothing of the model."""
        return hasattr(self._predict, "again")

    def again(self, inputs: torch.Tensor) -> torch.Tensor:
        """Labels (m,) of a second question, int64, of a function that keeps answers. Raises as `forward`."""
        return self._asked(getattr(self._predict, "again"), inputs)  # noqa: B009 - one that keeps answers has it

    def _asked(self, predict: Predict, inputs: torch.Tensor) -> torch.Tensor:
        given = np.array(inputs.cpu().numpy(), order="C")  # a copy
        try:
            return torch.from_numpy(self._labels(predict, given))
        except torch.OutOfMemoryError:
            raise
        except (ValueError, OSError) as error:  # by which lmia's own functions say what is wrong
            raise Unanswered(f"{error}{_place(error)}") from error
        except (Exception, SystemExit) as error:
            raise Unanswered(f"{type(error).__name__}: {error}{_place(error)}") from error

    def _labels(self, predict: Predict, given: np.ndarray) -> np.ndarray:
        labels = np.asarray(predict(given if self.table is None else self.table.decode(given)))
        if self.table is not None and not self.gives_numbers:
            labels = self.table.class_numbers(labels)
        if labels.shape != (len(given),) or labels.dtype.kind not in "iu":
            raise ValueError(
                f"{self._name}: expected integer labels of shape {(len(given),)}, got {labels.dtype} of shape "
                f"{labels.shape}; return one class number for each input"
            )
        return in_range(self._name, labels, self._n_classes, of_table=self.table is not None)


def _place(error: BaseException) -> str:
    """Where a user's own code raised an error, or called what did, as " (file:line)"; nothing where none of it did."""
    frames = traceback.extract_tb(error.__traceback__)
    others = ("<", *(f"{folder}{os.sep}" for folder in LIBRARIES))
    own = [frame for frame in frames if not frame.filename.startswith(others)]
    return f" ({own[-1].filename}:{own[-1].lineno})" if own else ""


def in_range(name: str, labels: np.ndarray, n_classes: int, of_table: bool = False) -> np.ndarray:
    """Class numbers, ints (n,), as int64; ValueError where one is not in 0, 1, ... n_classes - 1.

    of_table: whether classes are those that a table's records have.
    """
    labels = labels.astype(np.int64)
    if labels.min() < 0 or labels.max() >= n_classes:
        advice = "or has no record that label? Then add one" if of_table else "or raise n_classes"
        raise ValueError(
            f"{name}: expected classes from 0 to {n_classes - 1}, got {labels.min()} to {labels.max()}; number them "
            f"from 0, {advice}"
        )
    return labels


def as_network(built: nn.Module | Predict, n_classes: int, table: Table | None = None) -> nn.Module:
    """A module as it is, and a function as a `LabelFunction`, which is given records where the data set is a table.

    Raises ValueError for what is neither, and for a module of torch's that would be given records.
    """
    if not callable(built):
        raise ValueError(f"expected a torch.nn.Module or a function from inputs to labels, got {type(built).__name__}")
    network = built if isinstance(built, nn.Module) else LabelFunction(built, n_classes)
    if table is not None:
        if not isinstance(network, LabelFunction):
            raise ValueError("a network takes numbers, and the data set has columns of its own; give a function")
        network.table = table
    return network
