"""Columns that tell each record of a table from all others, as its name does: equal records look different by them."""

import numpy as np

from lmia.data.equal_inputs import number_inputs
from lmia.table import Column, Table


def naming_columns(table: Table, n: int) -> list[str]:
    """Names of the columns with a whole number or a text of its own for each of n records."""
    return [one.name for _, one in table.values if _names(one, n)]


def count_hidden_twins(table: Table, inputs: np.ndarray, members: np.ndarray, nonmembers: np.ndarray) -> int:
    """How many of the non-members equal a member in all columns but those that name records.

    inputs: float32 (n, width), of the table; members, nonmembers: ids among them. 0 where no column names records, or
    every one does.
    """
    rest = np.ones(table.width, bool)
    for place, one in table.values:
        rest[place] = not _names(one, len(inputs))
    if rest.all() or not rest.any():
        return 0
    same = number_inputs(inputs[:, rest])
    return int(np.isin(same[nonmembers], same[members]).sum())


def _names(one: Column, n: int) -> bool:
    return one.values.dtype.kind in "iuU" and len(one.values) == n
