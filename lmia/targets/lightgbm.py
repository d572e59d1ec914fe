"""A classifier of LightGBM's, in its own text."""

import os
import re
from typing import Any

import numpy as np
from torch import nn

from lmia.label_function import Predict
from lmia.targets.opened import OpenedFile, optional, read, to_labels, with_categories


def build(shape: tuple[int, ...], n_classes: int) -> nn.Module:
    """An empty model, to be loaded."""
    return OpenedFile(_opened, n_classes, "lightgbm")


def load(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Read a file, as `Booster.save_model` writes it. Raises ValueError for another, OSError where there is none."""
    read(network, path)


def _is_whole(text: str) -> bool:
    """Whether all trees are there that the head of a file names: from half a file LightGBM never returns."""
    sizes, _, trees = text.partition("\nTree=0\n")
    stated = re.search(r"^tree_sizes=([\d ]+)$", sizes, re.MULTILINE)
    return bool(stated) and sum(map(int, stated[1].split())) == len("Tree=0\n") + trees.find("end of trees\n")


def _opened(content: bytes) -> Predict:
    lightgbm = optional("lightgbm", "lightgbm")
    try:
        text = content.decode()
        if not _is_whole(text):
            raise ValueError
        booster = lightgbm.Booster(model_str=text)
    except (ValueError, lightgbm.basic.LightGBMError) as error:
        raise ValueError("expected a model of LightGBM's, as Booster.save_model writes it") from error

    def predict(records: Any) -> np.ndarray:
        try:
            return to_labels(booster.predict(with_categories(records), num_threads=1))
        except (lightgbm.basic.LightGBMError, ValueError) as error:
            raise ValueError(f"cannot be asked ({str(error).partition(chr(10))[0]})") from error

    return predict
