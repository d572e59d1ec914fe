"""A model in ONNX: no code of the file's is run but its operators."""

import os
from typing import Any

import numpy as np
import pandas as pd
from torch import nn

from lmia.label_function import Predict
from lmia.targets.opened import OpenedFile, optional, read, to_labels, unasked

TEXT = "tensor(string)"
NUMBERS = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64, TEXT: object}
NUMBERS |= {"tensor(int32)": np.int32, "tensor(bool)": np.bool_}


class Graph(OpenedFile):
    """A model of which the first output is asked: labels, or a number for each class."""

    def __init__(self, n_classes: int):
        super().__init__(self._open, n_classes, "onnxruntime")

    def _open(self, content: bytes) -> Predict:
        predict, kind = _opened(content)
        self.gives_numbers = kind in ("tensor(float)", "tensor(double)")
        return predict


def build(shape: tuple[int, ...], n_classes: int) -> nn.Module:
    """An empty model, to be loaded."""
    return Graph(n_classes)


def load(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Read a file. Raises ValueError where it is no model in ONNX, and OSError where there is none."""
    read(network, path)


def _opened(content: bytes) -> tuple[Predict, str]:
    """(what asks the first output, the type of that)."""
    runtime = optional("onnxruntime", "onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # as jobs declare
    try:
        session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class of its own for each state
        reason = str(error).partition("\n")[0]
        raise ValueError(f"expected a model in ONNX, whole in one file ({reason})") from error
    inputs, output = session.get_inputs(), session.get_outputs()[0]
    one_by_one = any(one.shape and one.shape[0] == 1 for one in inputs)

    def answers(records: Any) -> np.ndarray:
        try:
            return to_labels(session.run([output.name], _named(inputs, records))[0])
        except ValueError:
            raise
        except Exception as error:  # onnxruntime has a class of its own for each state
            raise unasked(error, records) from error

    def predict(records: Any) -> np.ndarray:
        if not one_by_one:
            return answers(records)
        return np.concatenate([answers(records[row : row + 1]) for row in range(len(records))])

    return predict, output.type


def _named(inputs: list, records: Any) -> dict[str, np.ndarray]:
    """What each input of a model gets: all numbers as one array, or a column each."""
    if len(inputs) == 1:
        values = records.to_numpy() if isinstance(records, pd.DataFrame) else records
        return {inputs[0].name: _typed(values, inputs[0])}
    if not isinstance(records, pd.DataFrame):
        raise ValueError(f"has {len(inputs)} inputs, and the data set gives one array; use a data set of kind csv")
    # Converters take out what is no letter or digit: "education-num" is "education_num" there.
    columns = {"".join(c if c.isalnum() else "_" for c in name): name for name in records}
    named = {}
    for one in inputs:
        column = one.name if one.name in records else columns.get(one.name)
        if column is None:
            raise ValueError(f"has an input {one.name}, and the data no such column; it has {', '.join(records)}")
        named[one.name] = _typed(records[[column]].to_numpy(), one)
    return named


def _typed(values: np.ndarray, wanted: Any) -> np.ndarray:
    if wanted.type not in NUMBERS:
        raise ValueError(f"input {wanted.name}: expected numbers or texts, got {wanted.type}")
    dtype = np.dtype(NUMBERS[wanted.type])
    if dtype.kind != "f" and pd.isna(values).any():
        raise ValueError(
            f"input {wanted.name}: takes {wanted.type}, which has no missing value, and some record lacks it"
        )
    if wanted.type == TEXT:
        return values.astype(str).astype(object)
    try:
        numbers = values.astype(dtype)
    except ValueError as error:
        raise ValueError(f"input {wanted.name}: takes numbers, and the data has a column of texts ({error})") from error
    if dtype.kind in "iu" and (numbers != values).any():
        raise ValueError(f"input {wanted.name}: takes whole numbers, and the data has fractions")
    return numbers
