"""A classifier of LightGBM's, in its own text."""

import os
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from torch import nn

from lmia.label_function import Predict
from lmia.targets.opened import OpenedFile, as_numbers, flat, optional, read, to_labels, unasked


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


def _in_order(records: pd.DataFrame, booster: Any) -> pd.DataFrame:
    """Columns as the model knows them: LightGBM goes by their places alone. Raises ValueError for other names."""
    known = booster.feature_name()
    if all(re.fullmatch(r"Column_\d+", name) for name in known):
        return records
    names = {name.replace(" ", "_"): name for name in records.columns}  # as it writes them
    if set(names) != set(known):
        raise ValueError(f"it was trained on {', '.join(known)}, and the data has {', '.join(records.columns)}")
    return records.loc[:, [names[name] for name in known]]


def _given(records: Any, booster: Any, places: Sequence[int]) -> Any:
    """Records as the model was trained on them.

    places: of the columns that the model splits by category. A value that training did not have is missing, as it is
    where LightGBM itself is asked by a data frame. Raises ValueError where it does not say which columns these are.
    """
    known = booster.pandas_categorical or []
    if not isinstance(records, pd.DataFrame):
        if not known:
            return flat(records)
        records = pd.DataFrame(flat(records), columns=booster.feature_name())
    records = _in_order(records, booster)
    # Those of ordered categories are not among the places, and those that were named in training have no categories.
    columns = list(records.columns[list(places)]) if len(places) == len(known) else _texts(records, known)
    if len(columns) != len(known):
        raise ValueError(
            f"it was trained on {len(known)} columns of dtype category, and its file does not say which; train it "
            "without categorical_feature and ordered categories, or open it by a module of your own"
        )
    categories = dict(zip(columns, known, strict=True))
    given = {
        name: _categorical(found, categories[str(name)]) if name in categories else as_numbers(found)
        for name, found in records.items()
    }
    return pd.DataFrame(given, index=records.index)


def _categorical(found: pd.Series, categories: Sequence[Any]) -> pd.Categorical:
    return pd.Categorical.from_codes(pd.Index(categories).get_indexer(pd.Index(found)), categories=categories)


def _texts(records: pd.DataFrame, known: Sequence[Sequence[Any]]) -> list[str]:
    """Columns of texts, where all categories are texts."""
    if not all(isinstance(category, str) for categories in known for category in categories):
        return []
    texts = records.select_dtypes(exclude=["number", "bool"])
    return [name for name in texts if not any(isinstance(value, bool) for value in texts[name])]


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
    named = re.search(r"^\[categorical_feature: ([\d,]+)\]$", text, re.MULTILINE)
    places = [int(place) for place in named[1].split(",")] if named else []

    def predict(records: Any) -> np.ndarray:
        try:
            return to_labels(booster.predict(_given(records, booster, places), num_threads=1))
        except (lightgbm.basic.LightGBMError, ValueError) as error:
            raise unasked(error, records) from error

    return predict
