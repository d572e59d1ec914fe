"""Any user's table: a file of comma-separated values (.csv), with a header, as its own model was given it."""

import difflib
import os
import re
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from lmia.table import Table

MAX_NAMES = 10  # in a message
CLOSE = 0.88  # of 1, by difflib: a letter of five may differ
COMMA_NUMBER = re.compile(r"[+-]?\d+(,\d+)?")
KNOWN = {"1": 1, "1.0": 1, "true": 1, "0": 0, "0.0": 0, "false": 0}  # in small letters
KNOWN |= dict.fromkeys(("-1", "-1.0", "", "na", "nan"), -1)


def load(
    path: str,
    label: str,
    membership: str | None = None,
    id: str | None = None,
    leave_out: Sequence[str] = (),
    categories: Sequence[str] = (),
    texts: Sequence[str] = (),
    as_text: Sequence[str] = (),
) -> tuple[np.ndarray, np.ndarray, Table]:
    """The records of one file as (inputs, classes, table): see `lmia.table`.

    Args:
        path: The file, "~" for a home. Columns are read as pandas.read_csv takes them.
        label: Column of what the model predicts: its values, in ascending order, are the classes.
        membership: Column of what is known of training, see `load_known`; it is not part of a record.
        id: Column of names of records, which are not part of them.
        leave_out: Further columns that the model is not given.
        categories: Columns of numbers that are codes, so that no number is near another.
        texts: Columns of words, which are taken as they are written; an empty text has none.
        as_text: Columns of codes that are texts, as "01067": all that pandas does not take for missing, as written.

    Raises ValueError where the file is none, lacks one of these columns, leaves none for the model, or has a record
    without a label, and OSError where there is no such file.
    """
    names = (leave_out, categories, texts, as_text)
    return _loaded(path, label, membership, id, *map(tuple, names), *_state(path))


@cache
def _loaded(
    path: str,
    label: str,
    membership: str | None,
    id: str | None,
    leave_out: Sequence[str],
    categories: Sequence[str],
    texts: Sequence[str],
    as_text: Sequence[str],
    *state: int,
) -> tuple[np.ndarray, np.ndarray, Table]:
    """What `load` gives, once for all who ask in one process. state: see `_state`."""
    frame = _read(path)
    _check_columns(frame, path, [label, *filter(None, [membership, id]), *leave_out, *categories, *texts, *as_text])
    features = frame.drop(columns=list({label, *leave_out, *filter(None, [membership, id])}))
    if features.columns.empty or frame.empty:
        raise ValueError(f"{path}: expected at least one record and one column for the model, got none")
    for place, name in enumerate(frame.columns):
        if re.fullmatch(rf"Unnamed: {place}(\.\d+)?", name) and name in features.columns:
            raise ValueError(f"{path}: column {place + 1} has no name, as an index of pandas'; name it, or take it out")
    for option, names in (("categories", categories), ("texts", texts), ("as_text", as_text)):
        if strange := [name for name in names if name not in features.columns]:
            raise ValueError(f"{path}: {option}: {strange[0]}: the model is not given that column; leave it out here")
    for option, names in (("categories", categories), ("as_text", as_text)):
        if both := [name for name in texts if name in names]:
            raise ValueError(f"{path}: texts: {both[0]}: is under {option}, too; name it in one of them")
    _check_points(path, features.drop(columns=[*texts, *as_text]))
    features[list(texts)] = load_columns(path, texts)  # "NA" is a text, too
    features[list(as_text)] = load_columns(path, as_text).where(features[list(as_text)].notna())
    labels = pd.Series(frame[label])
    try:
        table = Table.of(features, labels, categories, texts)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return table.encode(features), table.class_numbers(labels), table


def describe(path: str, **options: Any) -> tuple[int, tuple[int, ...]]:
    """(number of records, shape of one input) of what `load` reads by the same arguments, and its errors."""
    inputs, _, _ = load(path, **options)
    return len(inputs), inputs.shape[1:]


def names_of_inputs(
    path: str, label: str, membership: str | None = None, id: str | None = None, leave_out: Sequence[str] = ()
) -> list[str]:
    """The columns that a model is given, by the same arguments as `load`, with its errors for a file that is none."""
    kept_back = {label, membership, id, *leave_out}
    return [name for name in _read(path).columns if name not in kept_back]


def load_known(path: str, membership: str) -> np.ndarray:
    """Whether a model was trained on the records of `load`, in their order: int8 (n,), 1 if so, 0 if not, -1 unknown.

    membership: column of these numbers, or of true and false; where it is empty, nobody knows. Raises ValueError where
    it has anything else.
    """
    found = [text.strip() for text in load_columns(path, [membership])[membership]]
    if other := [text for text in found if text.lower() not in KNOWN]:
        raise ValueError(
            f"{path}: {membership}: expected 1 in training, 0 not, and nothing or -1 if not known, got {other[0]}"
        )
    return np.array([KNOWN[text.lower()] for text in found], np.int8)


def load_columns(path: str, names: Sequence[str]) -> pd.DataFrame:
    """Columns as they are written, a row for each record of `load`. Raises ValueError where there is no such column."""
    frame = _read(path, as_text=True)
    _check_columns(frame, path, names)
    return frame.loc[:, list(names)]


def _read(path: str, as_text: bool = False) -> pd.DataFrame:
    return _parsed(path, as_text, *_state(path))


def _state(path: str) -> tuple[int, int]:
    """(time of the last change, size): they tell a file from the one that was there before."""
    file = os.path.expanduser(path)
    if os.path.exists(file) and not os.path.isfile(file):  # to open a pipe may take forever
        raise ValueError(f"{path}: expected a .csv file, found a folder, pipe or device")
    status = os.stat(file)
    return status.st_mtime_ns, status.st_size


@cache
def _parsed(path: str, as_text: bool, *state: int) -> pd.DataFrame:
    """The whole file, once for all who ask in one process.

    as_text: as it is written, and not as numbers and missing values; state: see `_state`.
    """
    _check_commas(path)
    options: dict[str, Any] = {"dtype": str, "keep_default_na": False} if as_text else {"low_memory": False}
    try:
        with open(
            os.path.expanduser(path), "rb"
        ) as opened:  # by a path, pandas would fetch addresses and unpack archives
            with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
                return pd.read_csv(opened, index_col=False, **options)
    except pd.errors.ParserWarning as error:  # it would leave out, or shift, what is too much
        raise ValueError(f"{path}: rows have more values than the header has names") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected comma-separated values in UTF-8 ({error}); save it as UTF-8") from error
    except (ValueError, pd.errors.ParserError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{path}: expected comma-separated values with a header ({reason})") from error


def _check_commas(path: str) -> None:
    with open(os.path.expanduser(path), "rb") as opened:
        header = opened.readline()
    found = {"semicolons": header.count(b";"), "tabs": header.count(b"\t")}
    name, count = max(found.items(), key=lambda item: item[1])
    if count and b"," not in header:
        raise ValueError(f"{path}: expected commas between columns, found {name}; save it with commas")


def _check_points(path: str, features: pd.DataFrame) -> None:
    """Raises ValueError where numbers have decimal commas: as texts, none of them is near another."""
    for name, found in features.select_dtypes(exclude=["number", "bool"]).items():
        values = [str(value).strip() for value in found.dropna().unique()]
        if all(map(COMMA_NUMBER.fullmatch, values)) and (commas := [value for value in values if "," in value]):
            raise ValueError(
                f"{path}: {name}: has numbers with commas, as {commas[0]}; save them with points, or name the column "
                "under as_text if these are codes"
            )


def _check_columns(frame: pd.DataFrame, path: str, names: Sequence[str]) -> None:
    for name in names:
        if name in frame.columns:
            continue
        if near := _nearest(name, list(frame.columns)):
            raise ValueError(f"{path}: no column {name!r}; did you mean {near!r}?")
        more = f" and {len(frame.columns) - MAX_NAMES} more" if len(frame.columns) > MAX_NAMES else ""
        raise ValueError(f"{path}: no column {name}; it has {', '.join(frame.columns[:MAX_NAMES])}{more}")


def _nearest(name: str, names: Sequence[str]) -> str | None:
    """The one that differs by blanks, by the case of letters or hardly."""
    same = [other for other in names if other.strip().casefold() == name.strip().casefold()]
    return next(iter(same or difflib.get_close_matches(name, names, n=1, cutoff=CLOSE)), None)
