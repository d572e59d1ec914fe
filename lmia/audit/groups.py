"""Who is exposed: how many of the records in training, by the values of columns that the user names."""

from typing import Any

import numpy as np
import pandas as pd

from lmia.evaluation.intervals import proportion

MOST_VALUES = 6  # of one column that are told; of the others together
FEWEST = 10  # records in training that a share is told of
PARTS = 4  # of columns with more numbers than that
OTHERS, NOTHING = "other values", "no value"


def exposed_by_group(groups: pd.DataFrame, is_member: np.ndarray, is_exposed: np.ndarray) -> list[dict[str, Any]]:
    """Of each value of each column: {"column", "value", "records", "exposed", "share": [value, low, high]}.

    groups: texts, a row for each of n records; is_member, is_exposed: bools (n,). Records are those in training, and
    those of them whose odds are above even. Columns of many numbers are cut at their quartiles, rare values pooled.
    """
    rows = []
    for name in groups.columns:
        values, order = _told(groups[name].to_numpy(str))
        for value in order:
            of_value = is_member & (values == value)
            n, exposed = int(of_value.sum()), int((of_value & is_exposed).sum())
            if n >= FEWEST:
                share = [float(number) for number in proportion(exposed, n)]
                rows.append({"column": name, "value": value, "records": n, "exposed": exposed, "share": share})
    return rows


def _told(column: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """(texts by which records are compared (n,), each of these texts in the order in which they are told)."""
    distinct, counts = np.unique(column, return_counts=True)
    if len(distinct) > MOST_VALUES and (numbers := _numbers(column)) is not None:
        parts = np.searchsorted(np.unique(np.quantile(numbers, np.arange(1, PARTS) / PARTS)), numbers)
        shown = {part: _between(numbers[parts == part]) for part in np.unique(parts)}
        return np.array([shown[part] for part in parts]), list(shown.values())
    frequent = distinct[np.argsort(-counts, kind="stable")[:MOST_VALUES]].tolist()
    told = np.array([value if value in frequent else OTHERS for value in column.tolist()], object)
    told[told == ""] = NOTHING
    return told, [value or NOTHING for value in frequent] + [OTHERS]


def _numbers(texts: np.ndarray) -> np.ndarray | None:
    try:
        found = texts.astype(float)
    except ValueError:
        return None
    return found if np.isfinite(found).all() else None


def _between(numbers: np.ndarray) -> str:
    low, high = numbers.min(), numbers.max()
    return f"{low:g} to {high:g}" if low < high else f"{low:g}"
