"""An estimator or pipeline of scikit-learn's, as skops writes it, or joblib where its file is trusted."""

import contextlib
import io
import os
from collections.abc import Iterator, Sequence
from typing import Any

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from torch import nn

from lmia.label_function import Predict, as_network
from lmia.table import Table
from lmia.targets.opened import OpenedFile, digest, flat, optional, read
from lmia.targets.skops_files import is_program


class Estimator(OpenedFile):
    """A fitted estimator, which can be trained again. trust, types: see `build`."""

    def __init__(self, n_classes: int, trust: str | None, types: Sequence[str]):
        super().__init__(self._open, n_classes, "sklearn")
        self._trust, self._types = trust, types
        self._estimator: Any = None

    def _open(self, content: bytes) -> Predict:
        self._estimator = _opened(content, self._trust, self._types)
        return _predict(self._estimator, self.table)

    def retrained(self, inputs: np.ndarray, classes: np.ndarray, seed: int) -> nn.Module:
        """A model of the same kind and settings, trained on inputs (m, *shape) and classes (m,).

        seed: of all its random numbers. Raises ValueError where it cannot be trained on these, or has a part that stays
        as it was trained.
        """
        table = self.table
        records, labels = (inputs, classes) if table is None else (table.decode(inputs), table.classes[classes])
        records = _given(self._estimator, records, table)
        if np.asarray(getattr(self._estimator, "classes_", labels)).dtype.kind in "iu" and labels.dtype.kind == "U":
            labels = classes  # it was trained on class numbers
        try:
            estimator: Any = clone(self._estimator)
            settings = estimator.get_params()
            if any(isinstance(part, FrozenEstimator) and hasattr(part, "predict") for part in settings.values()):
                raise ValueError("a part of it is frozen, and would know what it was trained on")
            last = {"random_state": seed, "n_jobs": 1, "memory": None}
            options = {name: last[end] for name in settings if (end := name.rpartition("__")[2]) in last}
            with _seeded(seed):
                estimator.set_params(**options).fit(records, labels)
        except Exception as error:  # whatever a user's own parts raise
            reason = str(error).strip().partition("\n")[0]
            raise ValueError(
                f"the estimator cannot be trained again on other records ({reason}); leave out the attacks that read "
                "references"
            ) from error
        return as_network(_predict(estimator, table), self._n_classes, table)


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Have estimators without a random state of their own draw by a seed: they take NumPy's global one."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


def build(shape: tuple[int, ...], n_classes: int, trust: str | None = None, types: Sequence[str] = ()) -> nn.Module:
    """An empty model, to be loaded.

    trust: SHA-256 of a file of joblib's, which is a program and run as it is opened; None for none. types: names of
    types that a file of skops' may have beside those that skops knows.
    """
    return Estimator(n_classes, trust, types)


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
        raise ValueError(f"expected an estimator, as joblib.dump writes it ({reason})") from error


def _predict(estimator: Any, table: Table | None) -> Predict:
    if not callable(getattr(estimator, "predict", None)):
        raise ValueError(f"expected an estimator with predict, got {type(estimator).__name__}; save the fitted model")
    return lambda records: estimator.predict(_given(estimator, records, table))


def _given(estimator: Any, records: Any, table: Table | None) -> Any:
    """Records as an estimator takes them: it is given texts by themselves where it was not trained on a data frame."""
    is_text = table is not None and len(table.texts) == len(table.columns) == 1
    if is_text and not hasattr(estimator, "feature_names_in_"):
        return records.iloc[:, 0]
    return flat(records)
