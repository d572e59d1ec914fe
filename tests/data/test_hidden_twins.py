"""Records that are equal but for a name are counted, where a column may be one."""

import numpy as np
import pandas as pd
import pytest

from lmia.data.hidden_twins import count_hidden_twins, naming_columns
from lmia.data.warnings import remarks
from lmia.table import Table

N = 60
AGE = np.r_[np.arange(30) / 7, np.arange(30) / 7]  # the records of the second half equal those of the first
MEMBERS, OTHERS = np.arange(20), np.r_[30:35, 50:60]  # five of which equal a member
NAMES = {
    "numbers": np.random.default_rng(0).permutation(10 * N)[:N],
    "texts": np.array([f"p{i}" for i in range(N)]),
    "measured": np.random.default_rng(0).random(N),
    "of two": np.r_[0, np.arange(N - 1)],
    "missing": pd.array([pd.NA, *range(N - 1)], dtype="Int64").astype(object),
}


def table_of(**columns):
    frame = pd.DataFrame({"age": AGE} | columns)
    table = Table.of(frame, np.arange(N) % 2)
    return table, table.encode(frame)


@pytest.mark.parametrize(("kind", "is_name"), [(kind, kind in ("numbers", "texts")) for kind in NAMES])
def test_whole_numbers_and_texts_of_which_none_occurs_twice_may_be_names(kind, is_name):
    table, inputs = table_of(pid=NAMES[kind])
    assert naming_columns(table, N) == ["pid"] * is_name
    assert count_hidden_twins(table, inputs, MEMBERS, OTHERS) == 5 * is_name


def test_two_names_hide_no_more_than_one():
    table, inputs = table_of(pid=NAMES["numbers"], person=NAMES["texts"])
    assert naming_columns(table, N) == ["pid", "person"]
    assert count_hidden_twins(table, inputs, MEMBERS, OTHERS) == 5


def test_where_all_columns_are_names_nothing_is_left_to_be_equal_in():
    frame = pd.DataFrame({"pid": NAMES["numbers"]})
    table = Table.of(frame, np.arange(N) % 2)
    assert count_hidden_twins(table, table.encode(frame), MEMBERS, OTHERS) == 0


def test_it_is_remarked_before_anything_is_asked():
    table, inputs = table_of(pid=NAMES["numbers"])
    found = remarks(inputs, np.arange(N) % 2, MEMBERS, OTHERS, table)
    assert found[0] == (
        "pid: another value in each record, and 5 of 15 non-members equal a member in all else; if it is a name of "
        "records, let `id` name it, or leave it out"
    )
    table, inputs = table_of()
    assert not [line for line in remarks(inputs, np.arange(N) % 2, MEMBERS, OTHERS, table) if "`id`" in line]
