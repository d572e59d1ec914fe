"""Models of other programs, in files: kept as their bytes, and asked as functions from inputs to labels."""

import hashlib
import importlib
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from lmia.label_function import LabelFunction, Predict

SHOWN = 8  # columns in a message
ROUNDING = 1e-5  # by which a probability may lie outside [0, 1]: sums of float32 do


class OpenedFile(LabelFunction):
    """The function that a file's bytes give, which are the only entry of the `state_dict`.

    opened: from the bytes to a `Predict`; it raises ValueError where they are not what it expects; module: that asks
    the model, whose version may change labels; gives_numbers: whether answers are class numbers, and no labels.
    """

    def __init__(self, opened: Callable[[bytes], Predict], n_classes: int, module: str, gives_numbers: bool = False):
        super().__init__(_not_loaded, n_classes, module)
        self._module, self.gives_numbers = module, gives_numbers
        self._opened, self._bytes = opened, torch.empty(0, dtype=torch.uint8)

    @property
    def runtime(self) -> str:
        """The module that asks the model, with its version."""
        return f"{self._module} {importlib.import_module(self._module).__version__}"

    def state_dict(self, *args, **kwargs) -> dict[str, torch.Tensor]:
        return {"file": self._bytes}

    def load_state_dict(self, state_dict, strict: bool = True, assign: bool = False) -> None:
        """Raises ValueError where the bytes are no such model."""
        self._bytes = state_dict["file"]
        self._predict = self._opened(self._bytes.numpy().tobytes())


def _not_loaded(inputs: Any) -> np.ndarray:
    raise RuntimeError("asked before its file was loaded")


def read(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Load a file into what `build` made. Raises ValueError where it is no such model, and OSError if there is none."""
    network.load_state_dict({"file": torch.from_numpy(np.fromfile(path, dtype=np.uint8))})


def optional(module: str, package: str) -> Any:
    """A module of a package that lmia does not need itself. Raises ValueError where it is missing."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        raise ValueError(
            f"needs {package}, which is not installed; pip install -r requirements-audit.lock brings it (for conda and "
            "containers: docs/how-to/cluster.md)"
        ) from error


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def to_labels(answers: Any) -> np.ndarray:
    """Labels (m,) from what models give: labels as they are, and floats as those of two classes, or of each of k.

    Floats (m,) or (m, 1) are probabilities of class 1. Raises ValueError for such outside [0, 1], and for other shapes.
    """
    found = np.asarray(answers)
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim == 2:
        return found.argmax(1)
    if found.ndim != 1:
        raise ValueError(f"expected labels, or a number for each class, got an array of shape {found.shape}")
    if found.dtype.kind != "f":
        return found
    if not ((found >= -ROUNDING) & (found <= 1 + ROUNDING)).all():
        raise ValueError(
            f"expected one probability of class 1 for each record, got numbers from {found.min():.6g} to "
            f"{found.max():.6g}; append a sigmoid to the model if they are logits, or export labels as integers"
        )
    return (found > 0.5).astype(np.int64)


def flat(records: Any) -> Any:
    """Arrays as rows of numbers (m, features), images too, and records as they are."""
    return records if isinstance(records, pd.DataFrame) else records.reshape(len(records), -1)


def unasked(error: Exception, given: Any) -> ValueError:
    """That a model cannot be asked, for what it raised, with the columns and dtypes that it was given, if any."""
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    if not isinstance(given, pd.DataFrame):
        return ValueError(f"cannot be asked ({reason})")
    shown = ", ".join(f"{name}: {dtype}" for name, dtype in given.dtypes[:SHOWN].items())
    more = f" and {given.shape[1] - SHOWN} more" if given.shape[1] > SHOWN else ""
    return ValueError(f"cannot be asked ({reason}); it was given {shown}{more}")


def as_numbers(found: pd.Series) -> pd.Series:
    """A column as numbers: truths beside missing values become floats. Raises ValueError where it has a text."""
    if pd.api.types.is_numeric_dtype(found):
        return found
    if texts := [value for value in found if isinstance(value, str)]:
        raise ValueError(f"{found.name}: the model takes numbers there, and the data has texts, as {texts[0]!r}")
    return found.astype(float)
