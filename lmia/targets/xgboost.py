"""A classifier of XGBoost's, in its own JSON or UBJSON."""

import json
import os
from typing import Any

import numpy as np
from torch import nn

from lmia.label_function import Predict
from lmia.targets.opened import OpenedFile, optional, read, to_labels, with_categories


def build(shape: tuple[int, ...], n_classes: int) -> nn.Module:
    """An empty model, to be loaded."""
    return OpenedFile(_opened, n_classes, "xgboost")


def load(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Read a file, as `save_model` writes it. Raises ValueError for another, and OSError where there is none."""
    read(network, path)


def _is_whole(content: bytes) -> bool:
    """Whether bytes look like a model from end to end: others can end the process that XGBoost reads them in."""
    if content.startswith(b"{L"):  # UBJSON
        return b"learner" in content[:32] and content.endswith(b"}")
    found = json.loads(content)
    return isinstance(found, dict) and "learner" in found


def _opened(content: bytes) -> Predict:
    xgboost = optional("xgboost", "xgboost")
    booster = xgboost.Booster({"nthread": 1})
    try:
        if not _is_whole(content):
            raise ValueError
        booster.load_model(bytearray(content))
    except (ValueError, xgboost.core.XGBoostError) as error:
        raise ValueError("expected a model of XGBoost's, as save_model writes it to .json or .ubj") from error

    def predict(records: Any) -> np.ndarray:
        try:
            matrix = xgboost.DMatrix(with_categories(records), enable_categorical=True, nthread=1)
            answers = booster.predict(matrix)
        except (xgboost.core.XGBoostError, ValueError) as error:
            raise ValueError(f"cannot be asked ({str(error).strip().partition(chr(10))[0]})") from error
        if '"multi:softmax"' in booster.save_config():  # gives labels, as floats
            return answers.astype(np.int64)
        return to_labels(answers)

    return predict
