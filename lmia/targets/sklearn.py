"""An estimator or pipeline of scikit-learn's, as skops writes it, or joblib where its file is trusted."""

import io
import os
from collections.abc import Sequence
from typing import Any

import joblib
from torch import nn

from lmia.label_function import Predict
from lmia.targets.opened import OpenedFile, digest, flat, optional, read
from lmia.targets.skops_files import is_program


def build(shape: tuple[int, ...], n_classes: int, trust: str | None = None, types: Sequence[str] = ()) -> nn.Module:
    """An empty model, to be loaded.

    trust: SHA-256 of a file of joblib's, which is a program and run as it is opened; None for none. types: names of
    types that a file of skops' may have beside those that skops knows.
    """
    return OpenedFile(lambda content: _opened(content, trust, types), n_classes, "sklearn")


def load(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Read a file. Raises ValueError where it is not trusted, or no estimator, and OSError where there is none."""
    read(network, path)


def _opened(content: bytes, trust: str | None, types: Sequence[str]) -> Predict:
    if is_program(io.BytesIO(content)):
        if (found := digest(content)) != trust:
            raise ValueError(
                f"expected a file of skops', or the one whose SHA-256 is {trust}, got {found}; it is not run"
            )
        return _predict(_unpickled(content))
    skops = optional("skops.io", "skops")
    if unknown := sorted(set(skops.get_untrusted_types(data=content)) - set(types)):
        raise ValueError(f"the file has types that skops does not know; write types: [{', '.join(unknown)}] if you do")
    try:
        return _predict(skops.loads(content, trusted=list(types)))
    except (ValueError, TypeError, KeyError, AttributeError, ImportError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"expected an estimator, as skops.io.dump writes it ({reason})") from error


def _unpickled(content: bytes) -> Any:
    try:
        return joblib.load(io.BytesIO(content))
    except Exception as error:  # whatever a file that is none makes unpickling raise, and what the program raises
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(f"expected an estimator, as joblib.dump writes it ({reason})") from error


def _predict(estimator: Any) -> Predict:
    if not callable(getattr(estimator, "predict", None)):
        raise ValueError(f"expected an estimator with predict, got {type(estimator).__name__}; save the fitted model")
    return lambda records: estimator.predict(flat(records))
