"""Adult: who of 48,842 people in the census of 1994 earned more than 50,000 dollars a year (Becker and Kohavi, UCI)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lmia.box import Box
from lmia.data import archives

N_EXAMPLES = 48842
SHAPE = (107,)
CONTINUOUS = 6  # the first columns of the inputs; all others have two values
SCALES = ("unit", "standard", "standard_all")
URL = "https://archive.ics.uci.edu/ml/machine-learning-databases/adult/"
HASHES = {
    "adult.data": "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
    "adult.test": "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
}
# In the order of a row; the last is the class. Numbers are continuous.
COLUMNS = {
    "age": float,
    "workclass": str,
    "fnlwgt": float,
    "education": str,
    "education-num": float,
    "marital-status": str,
    "occupation": str,
    "relationship": str,
    "race": str,
    "sex": str,
    "capital-gain": float,
    "capital-loss": float,
    "hours-per-week": float,
    "native-country": str,
    "income": str,
}


def load(path: str | None = None, scale: str = "unit") -> tuple[Any, ...]:
    """Inputs (48842, 107), classes 0 (at most 50,000 dollars) and 1 (more), adult.data first.

    Where numbers are standardised, the box that holds all inputs comes third. Columns and `scale`: see `encode`. path:
    folder with local copies of both files; default: fetched. Errors: as `archives.originals`, and ValueError for files
    of another content.
    """
    files = archives.originals(URL, HASHES, path)
    inputs, classes = encode([row for file in files for row in parse_rows(file.read_text("utf-8"), file)], scale)
    if inputs.shape != (N_EXAMPLES, *SHAPE):
        raise ValueError(
            f"{files[0].parent}: expected {N_EXAMPLES} rows that encode to {SHAPE[0]} columns, "
            f"found {inputs.shape[0]} and {inputs.shape[1]}"
        )
    return (inputs, classes) if scale == "unit" else (inputs, classes, Box.around(inputs))


def parse_rows(text: str, source: str | Path) -> list[list[str]]:
    """Rows of one file as lists of strings, one per column.

    Skips what is no row: empty lines, and the comment that adult.test starts with. Raises ValueError, naming `source`
    and the line, for a row with another number of columns.
    """
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("|"):
            continue
        rows.append(line.split(", "))
        if len(rows[-1]) != len(COLUMNS):
            raise ValueError(f"{source}: line {number}: expected {len(COLUMNS)} columns, found {len(rows[-1])}")
    return rows


def encode(rows: Sequence[Sequence[str]], scale: str = "unit") -> tuple[np.ndarray, np.ndarray]:
    """Rows as (inputs float32 (n, columns), classes int64 (n,)).

    First the numbers in the order of COLUMNS. Then the other attributes in that order, each as one column per value, by
    alphabet; a missing value, "?", is a value like others, and comes first. An attribute of two values (sex) is one
    column: 1 for the second value (Male).

    scale: "unit", numbers in [0, 1], each by its least and greatest value over all rows; "standard", numbers less their
    mean, in standard deviations, both over all rows; "standard_all", all columns so, and not the numbers alone. Raises
    ValueError for another.
    """
    if scale not in SCALES:
        raise ValueError(f"scale: expected one of {', '.join(SCALES)}, got {scale}")
    *attributes, incomes = zip(*rows, strict=True)
    kinds = list(COLUMNS.values())[:-1]
    numbers = np.array([column for column, kind in zip(attributes, kinds, strict=True) if kind is float], float).T
    values = np.hstack([_indicators(column) for column, kind in zip(attributes, kinds, strict=True) if kind is str])
    numbers = _to_unit(numbers) if scale == "unit" else _standardised(numbers)
    values = _standardised(values) if scale == "standard_all" else values
    inputs = np.hstack([numbers, values]).astype(np.float32)
    return inputs, np.array([income.startswith(">50K") for income in incomes], np.int64)  # adult.test adds a dot


def _to_unit(columns: np.ndarray) -> np.ndarray:
    low, high = columns.min(axis=0), columns.max(axis=0)
    return (columns - low) / (high - low)


def _standardised(columns: np.ndarray) -> np.ndarray:
    deviations = columns.std(axis=0)
    return (columns - columns.mean(axis=0)) / np.where(deviations > 0, deviations, 1)  # a constant column becomes 0


def _indicators(column: Sequence[str]) -> np.ndarray:
    """One column per value, in alphabetic order; of two values, only the second's."""
    values, codes = np.unique(column, return_inverse=True)
    columns = np.eye(len(values))[codes]
    return columns[:, 1:] if len(values) == 2 else columns
