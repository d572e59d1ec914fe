"""An estimator or pipeline of scikit-learn's, as skops writes it, or joblib where its file is trusted."""

import difflib
import io
import os
from collections.abc import Mapping, Sequence
from typing import Any

import joblib
import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from torch import nn

from lmia.label_function import Predict, as_network
from lmia.table import Table
from lmia.targets.opened import OpenedFile, digest, flat, optional, read, unasked
from lmia.targets.skops_files import is_program
from lmia.targets.trained import TrainedAgain, train

SHOWN = 8  # names in a message
LEAVE_OUT = "leave out the attacks that read references, of kind difficulty: write attacks: [gap, table], for example"


class Estimator(TrainedAgain, OpenedFile):
    """A fitted estimator, which can be trained again. trust, types, settings: see `build`.

    One that is to be trained here is kept as its file and what it is trained on: to open it is to train it again.
    """

    def __init__(self, n_classes: int, trust: str | None, types: Sequence[str], settings: Mapping[str, Any] | None):
        super().__init__(self._open, n_classes, "sklearn")
        self._trust, self._types, self.settings = trust, types, settings
        self._estimator: Any = None
        if settings is None:
            self.records = {}

    def _open(self, content: bytes) -> Predict:
        self._estimator = _opened(content, self._trust, self._types)
        return _predict(self._estimator, self.table)

    def state_dict(self, *args, **kwargs) -> dict[str, torch.Tensor]:
        return super().state_dict() | dict(self.records)

    def load_state_dict(self, state_dict, strict: bool = True, assign: bool = False) -> None:
        """Raises ValueError where the file is none, or its estimator cannot be trained again to what it was."""
        super().load_state_dict(state_dict)
        if "seed" in state_dict:
            self.retrain_as(state_dict)

    def retrained(self, inputs: np.ndarray, classes: np.ndarray, seed: int) -> nn.Module:
        """A model of the same kind and settings, trained on inputs (m, *shape) and classes (m,).

        seed: of all its random numbers. Raises ValueError where it cannot be trained on these, or has a part that stays
        as it was trained.
        """
        return as_network(_predict(self._fitted(inputs, classes, seed), self.table), self._n_classes, self.table)

    def become(self, inputs: np.ndarray, classes: np.ndarray, seed: int) -> None:
        self._predict = _predict(self._fitted(inputs, classes, seed), self.table)

    def _fitted(self, inputs: np.ndarray, classes: np.ndarray, seed: int) -> Any:
        is_by_number = np.asarray(getattr(self._estimator, "classes_", "")).dtype.kind in "iu"

        def fit(records: Any, labels: np.ndarray, seed: int) -> Any:
            estimator: Any = clone(self._estimator)
            if any(map(_is_taught, (estimator, *estimator.get_params().values()))):
                raise ValueError("a part of it is frozen, and would know what it was trained on")
            _check_settings(self.settings or {}, estimator.get_params())
            parameters = estimator.set_params(**self.settings or {}).get_params()
            last = {"random_state": seed, "n_jobs": 1, "memory": None}
            options = {name: last[end] for name in parameters if (end := name.rpartition("__")[2]) in last}
            for name in [name for name in options if name.endswith("n_jobs") and parameters[name] is None]:
                del options[name]  # one job is the default, and some estimators warn of it
            own = classes if is_by_number and labels.dtype.kind == "U" else labels  # as it was trained at first
            return estimator.set_params(**options).fit(_given(self._estimator, records, self.table), own)

        try:
            return train(fit, inputs, classes, seed, self.table)
        except Exception as error:  # whatever a user's own parts raise
            reason = str(error).strip().partition("\n")[0]
            advice = LEAVE_OUT if self.settings is None else "mend its settings"
            raise ValueError(f"the estimator cannot be trained again on other records ({reason}); {advice}") from error


def _is_taught(part: Any) -> bool:
    """Whether something stays as it was trained, with labels: what it knows of its members, every copy would know."""
    if not isinstance(part, FrozenEstimator):
        return False
    return hasattr(part, "predict") or get_tags(part.estimator).target_tags.required


def _check_settings(settings: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    for name in settings:
        if name not in parameters:
            close = difflib.get_close_matches(name, list(parameters), n=1)
            advice = f"did you mean {close[0]}?" if close else f"it has {', '.join(sorted(parameters)[:SHOWN])}, ..."
            raise ValueError(f"{name}: it has no such parameter; {advice}")


def build(
    shape: tuple[int, ...],
    n_classes: int,
    trust: str | None = None,
    types: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
) -> nn.Module:
    """An empty model, to be loaded.

    trust: SHA-256 of a file of joblib's, which is a program and run as it is opened; None for none. types: names of
    types that a file of skops' may have beside those that skops knows. settings: of a model to be trained here, those
    that are others than the file's, as `set_params` takes them; None where the model of the file is asked.
    """
    return Estimator(n_classes, trust, types, settings)


def load(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Read a file. Raises ValueError where it is not trusted, or no estimator, and OSError where there is none."""
    read(network, path)


def _opened(content: bytes, trust: str | None, types: Sequence[str]) -> Any:
    if is_program(io.BytesIO(content)):
        if (found := digest(content)) != trust:
            raise ValueError(
                f"expected a file of skops', or the one whose SHA-256 is {trust}, got {found}; it is not run"
            )
        return _unpickled(content)
    skops = optional("skops.io", "skops")
    try:
        unknown = sorted(set(skops.get_untrusted_types(data=content)) - set(types))
        if not unknown:
            return skops.loads(content, trusted=list(types))
    except Exception as error:  # whatever a file that is none makes it raise
        reason = str(error).partition("\n")[0]
        raise ValueError(f"expected an estimator, as skops.io.dump writes it ({reason})") from error
    raise ValueError(f"the file has types that skops does not know; write types: [{', '.join(unknown)}] if you do")


def _unpickled(content: bytes) -> Any:
    try:
        return joblib.load(io.BytesIO(content))
    except Exception as error:  # whatever a file that is none makes unpickling raise, and what the program raises
        reason = str(error).partition("\n")[0] or type(error).__name__
        advice = "; move its functions to a module that can be imported, or save it by skops" * ("__main__" in reason)
        raise ValueError(f"expected an estimator, as joblib.dump writes it ({reason}){advice}") from error


def _predict(estimator: Any, table: Table | None) -> Predict:
    if not callable(getattr(estimator, "predict", None)):
        raise ValueError(f"expected an estimator with predict, got {type(estimator).__name__}; save the fitted model")

    def predict(records: Any) -> np.ndarray:
        given = _given(estimator, records, table)
        try:
            return estimator.predict(given)
        except Exception as error:  # whatever a user's own parts raise
            raise unasked(error, given) from error

    return predict


def _given(estimator: Any, records: Any, table: Table | None) -> Any:
    """Records as an estimator takes them: it is given texts by themselves where it was not trained on a data frame."""
    is_text = table is not None and len(table.texts) == len(table.columns) == 1
    if is_text and not hasattr(estimator, "feature_names_in_"):
        return records.iloc[:, 0]
    return flat(records) if table is None else _as_categories(records, table, _by_dtype(estimator))


def _as_categories(records: pd.DataFrame, table: Table, names: Sequence[str]) -> pd.DataFrame:
    """Records with columns of dtype category, whose categories are all values that the table has, as in its frame."""
    kinds = {one.name: pd.CategoricalDtype(one.values) for _, one in table.values if one.name in names}
    return records.astype(kinds)


def _by_dtype(estimator: Any) -> list[str]:
    """Columns that an estimator splits by category because their dtype said so, as gradient boosting on histograms can.

    Trained again on other dtypes, it would take codes for numbers, and refuse texts.
    """
    last = estimator
    while inner := getattr(last, "best_estimator_", None) or (getattr(last, "steps", None) or [(None, None)])[-1][1]:
        last = inner
    is_category = getattr(last, "is_categorical_", None)
    if is_category is None or last.categorical_features != "from_dtype" or not hasattr(last, "feature_names_in_"):
        return []
    return last.feature_names_in_[is_category].tolist()
