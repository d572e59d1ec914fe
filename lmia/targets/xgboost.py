"""A classifier of XGBoost's, in its own JSON or UBJSON."""

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from torch import nn

from lmia.label_function import Predict
from lmia.targets.opened import OpenedFile, as_numbers, flat, optional, read, to_labels, unasked
from lmia.targets.xgboost_categories import Encoded, of_columns, places


def build(shape: tuple[int, ...], n_classes: int) -> nn.Module:
    """An empty model, to be loaded."""
    return OpenedFile(_opened, n_classes, "xgboost", gives_numbers=True)


def load(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Read a file, as `save_model` writes it. Raises ValueError for another, and OSError where there is none."""
    read(network, path)


def _is_whole(content: bytes) -> bool:
    """Whether bytes look like a model from end to end: others can end the process that XGBoost reads them in."""
    if content.startswith(b"{L"):  # UBJSON
        return b"learner" in content[:32] and content.endswith(b"}")
    found = json.loads(content)
    return isinstance(found, dict) and "learner" in found


def _given(records: Any, booster: Any, categories: Mapping[str, Encoded]) -> Any:
    """Records as the model was trained on them. Raises ValueError for a category that training did not have."""
    if not isinstance(records, pd.DataFrame):
        if not categories:
            return flat(records)
        records = pd.DataFrame(flat(records), columns=booster.feature_names)
    columns = {
        name: places(found, categories[str(name)]) if name in categories else as_numbers(found)
        for name, found in records.items()
    }
    return pd.DataFrame(columns, index=records.index)


def _opened(content: bytes) -> Predict:
    xgboost = optional("xgboost", "xgboost")
    booster = xgboost.Booster({"nthread": 1})
    try:
        if not _is_whole(content):
            raise ValueError
        booster.load_model(bytearray(content))
    except (ValueError, xgboost.core.XGBoostError) as error:
        raise ValueError("expected a model of XGBoost's, as save_model writes it to .json or .ubj") from error

    settings = json.loads(booster.save_config())["learner"]
    objective, best = settings["objective"]["name"], booster.attr("best_iteration")
    if not objective.startswith(("binary:", "multi:")):
        raise ValueError(f"expected a classifier, got a model for {objective}")
    categories = of_columns(booster)
    # Of margins: XGBClassifier, which names itself in its files, compares them as if they were probabilities.
    cut = 0.5 if booster.attr("scikit_learn") else 0.0
    rounds = (0, int(best) + 1 if best is not None else 0)  # where training stopped early, those until its best

    def predict(records: Any) -> np.ndarray:
        try:
            matrix = xgboost.DMatrix(_given(records, booster, categories), nthread=1)
            answers = booster.predict(matrix, iteration_range=rounds)
        except (xgboost.core.XGBoostError, ValueError) as error:
            raise unasked(error, records) from error
        if objective in ("multi:softmax", "binary:hinge"):  # give labels, as floats
            return answers.astype(np.int64)
        if objective == "binary:logitraw":
            return (answers > cut).astype(np.int64)
        return to_labels(answers)

    return predict
