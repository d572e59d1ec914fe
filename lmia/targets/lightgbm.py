"""A classifier of LightGBM's, in its own text."""

import os
import re
from typing import Any

import numpy as np
import pandas as pd
from torch import nn

from lmia.label_function import Predict
from lmia.targets.opened import OpenedFile, optional, read, to_labels, with_categories


def build(shape: tuple[int, ...], n_classes: int) -> nn.Module:
    """An empty model, to be loaded."""
    return OpenedFile(_opened, n_classes, "lightgbm", gives_numbers=True)


def load(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Read a file, as `Booster.save_model` writes it. Raises ValueError for another, OSError where there is none."""
    read(network, path)


def _is_whole(text: str) -> bool:
    """Whether all trees are there that the head of a file names: from half a file LightGBM never returns."""
    sizes, _, trees = text.partition("\nTree=0\n")
    stated = re.search(r"^tree_sizes=([\d ]+)$", sizes, re.MULTILINE)
    return bool(stated) and sum(map(int, stated[1].split())) == len("Tree=0\n") + trees.find("end of trees\n")


def _in_order(records: Any, booster: Any) -> Any:
    """Columns as the model knows them: LightGBM goes by their places alone. Raises ValueError for other names."""
    known = booster.feature_name()
    if not isinstance(records, pd.DataFrame) or all(re.fullmatch(r"Column_\d+", name) for name in known):
        return records
    names = {name.replace(" ", "_"): name for name in records.columns}  # as it writes them
    if set(names) != set(known):
        raise ValueError(f"it was trained on {', '.join(known)}, and the data has {', '.join(records.columns)}")
    return records[[names[name] for name in known]]


def _opened(content: bytes) -> Predict:
    lightgbm = optional("lightgbm", "lightgbm")
    try:
        text = content.decode()
        if not _is_whole(text):
            raise ValueError
        booster = lightgbm.Booster(model_str=text)
    except (ValueError, lightgbm.basic.LightGBMError) as error:
        raise ValueError("expected a model of LightGBM's, as Booster.save_model writes it") from error

    if not re.search(r"^objective=(binary|multiclass|multiclassova)\b", text, re.MULTILINE):
        raise ValueError("expected a classifier, got a model for numbers or ranks")

    def predict(records: Any) -> np.ndarray:
        try:
            return to_labels(booster.predict(_in_order(with_categories(records), booster), num_threads=1))
        except (lightgbm.basic.LightGBMError, ValueError) as error:
            raise ValueError(f"cannot be asked ({str(error).partition(chr(10))[0]})") from error

    return predict
