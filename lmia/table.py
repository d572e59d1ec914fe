"""Records of a table, with columns of numbers and of texts, as inputs in [0, 1] and back, value by value.

A column is written as the place of its value among all values that it has in the data, from 0 for the first to 1 for
the last. So whatever stands in an input leads back to values that records have: no person is 41.7 years old, or half
married. A missing value comes last. A column of texts takes as many numbers as its longest text has words (lmia.texts).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lmia.texts import Texts

COMMON = 200  # words of a column of texts that features count
SHOWN = 5  # values in a message


@dataclass(frozen=True)
class Column:
    """Values of one column.

    values: (k,), distinct and ascending: numbers, true and false, or texts; counts: ints, how many records have each,
    and after them how many have none where that occurs; is_number: whether it makes sense to be near a value.
    """

    name: str
    values: np.ndarray
    counts: np.ndarray
    is_number: bool
    width = 1

    @property
    def steps(self) -> int:
        """The greatest place, at least 1."""
        return max(1, len(self.counts) - 1)

    @property
    def has_missing(self) -> bool:
        return len(self.counts) > len(self.values)

    def codes(self, found: pd.Series) -> np.ndarray:
        """Places of values, ints (n, 1). Raises ValueError for one that the column has not."""
        missing = found.isna().to_numpy()
        present = pd.Index(found.loc[~missing].infer_objects())
        places = pd.Index(self.values).get_indexer(present)
        if (places < 0).any() or (missing.any() and not self.has_missing):
            other = present[int(np.argmax(places < 0))] if (places < 0).any() else "none"
            raise ValueError(f"{self.name}: expected values that the data has, got {other}")
        codes = np.full(len(found), len(self.values))
        codes[~missing] = places
        return codes[:, None]

    def values_at(self, codes: np.ndarray) -> np.ndarray:
        """The values (n,) at places (n, 1), as pandas has them; NaN for missing ones."""
        codes = codes[:, 0]
        if not self.has_missing and self.values.dtype.kind != "U":
            return self.values[codes]
        kept = self.values.astype(float if self.values.dtype.kind in "iuf" else object)
        return np.append(kept, np.array([np.nan], kept.dtype))[codes]


class Table:
    """How records with these columns become inputs, and inputs records.

    columns: what a model is given, in the order of the file; classes: the values of the label column, (n_classes,),
    ascending, which are classes 0, 1, ... n_classes - 1. An input has `width` numbers, each column those of its place
    in `slices`.
    """

    def __init__(self, columns: Sequence[Column | Texts], classes: np.ndarray):
        self.columns, self.classes = tuple(columns), classes
        widths = [column.width for column in self.columns]
        ends = np.cumsum(widths).tolist()
        self.width = ends[-1]
        self.slices = [slice(end - width, end) for width, end in zip(widths, ends, strict=True)]
        self._steps = np.repeat([column.steps for column in self.columns], widths)

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        labels: pd.Series | npt.ArrayLike,
        categories: Sequence[str] = (),
        texts: Sequence[str] = (),
    ) -> "Table":
        """Of a data frame (n rows) and its label column.

        categories: names of columns whose numbers are codes; texts: of columns of words, and not of one value each.

        Raises ValueError where a label is missing or is no class, a column has no value or no name, numbers are
        infinite, or there is anything but numbers, truths and texts.
        """
        labels = pd.Series(labels)
        if labels.isna().any():
            row = int(np.argmax(labels.isna())) + 1
            raise ValueError(f"{labels.name}: expected a label for each record, row {row} has none, or NA")
        if not frame.columns.is_unique or not all(isinstance(name, str) for name in frame.columns):
            raise ValueError(f"expected columns with a name each, as texts, got {', '.join(map(str, frame.columns))}")
        columns = [
            Texts.of(found) if name in texts else _column(found, name in categories) for name, found in frame.items()
        ]
        classes = _plain(pd.Series(labels.unique()), str(labels.name))
        if classes.dtype.kind == "f" and (classes != np.rint(classes)).any():
            raise ValueError(
                f"{labels.name}: expected classes, got numbers with fractions, {classes[0]} to {classes[-1]}"
            )
        return cls(columns, classes)

    @property
    def values(self) -> list[tuple[int, Column]]:
        """(place in an input, column) of each column that is no text."""
        return [
            (part.start, one) for part, one in zip(self.slices, self.columns, strict=True) if isinstance(one, Column)
        ]

    @property
    def texts(self) -> list[tuple[slice, Texts]]:
        """(places in an input, column) of each column of texts."""
        return [(part, one) for part, one in zip(self.slices, self.columns, strict=True) if isinstance(one, Texts)]

    def encode(self, frame: pd.DataFrame) -> np.ndarray:
        """Inputs, float32 (n, width) in [0, 1]. Raises ValueError for other columns, and for other values."""
        if absent := [column.name for column in self.columns if column.name not in frame]:
            raise ValueError(f"expected a column {absent[0]}, got {', '.join(map(str, frame.columns))}")
        inputs = np.empty((len(frame), self.width), dtype=np.float32)
        for part, column in zip(self.slices, self.columns, strict=True):
            codes = column.codes(pd.Series(frame[column.name]))
            np.divide(codes, column.steps, out=inputs[:, part], dtype=np.float64, casting="same_kind")
        return inputs

    def codes(self, inputs: np.ndarray) -> np.ndarray:
        """The places that inputs (..., width) are nearest to, ints of that shape."""
        return np.rint(np.clip(inputs, 0, 1) * self._steps).astype(np.int64)

    def inputs(self, codes: np.ndarray) -> np.ndarray:
        """Inputs, float32 of the shape of their places (..., width)."""
        return (codes / self._steps).astype(np.float32)

    def decode(self, inputs: np.ndarray) -> pd.DataFrame:
        """The records (n rows) of inputs, floats (n, width): those of `encode`, value by value."""
        codes, columns = self.codes(inputs), zip(self.slices, self.columns, strict=True)
        return pd.DataFrame({one.name: one.values_at(codes[:, part]) for part, one in columns})

    def features(self, inputs: np.ndarray) -> np.ndarray:
        """Numbers (n, f) that tell records apart: inputs, but of texts how often their commonest words are in each."""
        if not self.texts:
            return inputs
        codes = self.codes(inputs)
        values = inputs[:, [place for place, _ in self.values]]
        return np.column_stack([values, *(one.frequencies(codes[:, part], COMMON) for part, one in self.texts)])

    def class_numbers(self, labels: npt.ArrayLike) -> np.ndarray:
        """Class numbers, int64 (n,), of what a model calls them.

        labels: values that the label column has, or, where these are texts, class numbers already; numbers may come as
        their texts, as a JSON has them. Raises ValueError for others.
        """
        found = np.asarray(labels)
        if found.dtype.kind == "O" and all(isinstance(value, str) for value in found.flat):
            found = found.astype(str)
        if self.classes.dtype.kind == "b" and found.dtype.kind in "iu" and np.isin(found, (0, 1)).all():
            found = found.astype(bool)
        if found.ndim != 1:
            raise ValueError(f"expected one label for each record, got an array of shape {found.shape}")
        if self.classes.dtype.kind == "U" and found.dtype.kind in "iu":
            return found.astype(np.int64)
        text = "U" in (self.classes.dtype.kind, found.dtype.kind)
        known, found = (self.classes.astype(str), found.astype(str)) if text else (self.classes, found)
        places = pd.Index(known).get_indexer(pd.Index(found))
        if (places < 0).any():
            raise ValueError(
                f"expected labels {_shown(self.classes)}, got {found[np.argmax(places < 0)]!s}; is it another column, "
                "or has no record that label? Then add one, of which nobody knows whether it was in training"
            )
        return places.astype(np.int64)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All of it as named arrays, without objects."""
        arrays = {"columns": np.array([column.name for column in self.columns]), "class_names": self.classes}
        arrays["is_number"] = np.array([column.is_number for column in self.columns])
        for place, column in enumerate(self.columns):
            if isinstance(column, Texts):
                arrays |= column.to_arrays(place)
            else:
                arrays |= {f"values_{place}": column.values, f"counts_{place}": column.counts}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> "Table | None":
        """What `to_arrays` gave; None where arrays have no table."""
        if "columns" not in arrays:
            return None
        columns = [
            Texts.from_arrays(str(name), arrays, place) or _kept(str(name), arrays, place)
            for place, name in enumerate(arrays["columns"])
        ]
        return cls(columns, arrays["class_names"])


def _kept(name: str, arrays: Mapping[str, Any], place: int) -> Column:
    return Column(name, arrays[f"values_{place}"], arrays[f"counts_{place}"], bool(arrays["is_number"][place]))


def _column(found: pd.Series, is_code: bool) -> Column:
    present = found.dropna().infer_objects()  # true and false beside missing values are objects
    if present.empty:
        raise ValueError(f"{found.name}: no record has a value; leave it out")
    values = _plain(pd.Series(present.unique()), str(found.name))
    counts = np.bincount(pd.Index(values).get_indexer(pd.Index(present)), minlength=len(values))
    missing = [len(found) - len(present)] if len(present) < len(found) else []
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError(f"{found.name}: expected finite numbers, got {values[~np.isfinite(values)][0]}; mend it")
    is_number = values.dtype.kind in "iuf" and not is_code
    return Column(str(found.name), values, np.append(counts, missing).astype(np.int64), is_number)


def _plain(distinct: pd.Series, name: str) -> np.ndarray:
    """Values, ascending, as an array without objects: of texts as texts of one length."""
    values = distinct.to_numpy()
    if values.dtype.kind in "iufb":
        return np.sort(values)
    strange = [value for value in values if not isinstance(value, str) or value.endswith("\0")]
    if strange:
        raise ValueError(f"{name}: expected numbers of up to 64 bits, or texts, got {strange[0]!r}")
    return np.sort(values.astype(str))


def _shown(values: np.ndarray) -> str:
    more = f" and {len(values) - SHOWN} more" if len(values) > SHOWN else ""
    return ", ".join(map(str, values[:SHOWN])) + more
