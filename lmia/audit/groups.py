"""Who is exposed: how many of the records in training, by the values of columns that the user names."""

from typing import Any

import numpy as np
import pandas as pd

from lmia.evaluation.intervals import proportion

MOST_VALUES = 6  # of one column that are told; of the others together
FEWEST = 10  # records in training that a share is told of
PARTS = 4  # of columns with more numbers than that
OTHERS, NOTHING = "(other values)", "(no value)"


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
    numbers = _numbers(column)
    if numbers is not None and len(np.unique(numbers[~np.isnan(numbers)])) > MOST_VALUES:
        return _in_parts(numbers)
    distinct, counts = np.unique(column, return_counts=True)
    frequent = distinct[np.argsort(-counts, kind="stable")[:MOST_VALUES]].tolist()
    told = np.array([value if value in frequent else OTHERS for value in column.tolist()], object)
    told[told == ""] = NOTHING
    return told, list(dict.fromkeys([value or NOTHING for value in frequent] + [OTHERS]))


def _in_parts(numbers: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """As `_told`, by quartiles; missing numbers, NaN, are a group of their own."""
    is_there = ~np.isnan(numbers)
    inner = np.unique(np.quantile(numbers[is_there], np.arange(1, PARTS) / PARTS))
    told, order = np.full(len(numbers), NOTHING, object), []
    parts = np.searchsorted(inner, numbers)
    for part in np.unique(parts[is_there]):
        rows = is_there & (parts == part)
        ends = dict.fromkeys(_shown(end) for end in (numbers[rows].min(), numbers[rows].max()))
        order.append(" to ".join(ends))
        told[rows] = order[-1]
    return told, list(dict.fromkeys([*order, NOTHING]))


def _numbers(texts: np.ndarray) -> np.ndarray | None:
    """Texts as floats, NaN where there is none; None where any is no finite number."""
    try:
        found = np.array([float(text) if text else np.nan for text in texts.tolist()])
    except ValueError:
        return None
    return None if np.isinf(found).any() else found


def _shown(number: float) -> str:
    return f"{number:.0f}" if number == round(number) else f"{number:.9g}"
