"""Who is exposed, by the values of columns: counts of records in training, whatever stands in a column."""

import numpy as np
import pandas as pd
import pytest

from lmia.audit.groups import exposed_by_group
from lmia.evaluation.intervals import proportion

N = 400
IS_MEMBER = np.arange(N) % 2 == 0
IS_EXPOSED = np.arange(N) % 8 == 0  # a quarter of those in training


def told(column):
    return exposed_by_group(pd.DataFrame({"it": np.array(column).astype(str)}), IS_MEMBER, IS_EXPOSED)


def test_shares_are_of_records_in_training():
    first, second = told(np.where(np.arange(N) < 300, "a", "b"))
    assert first == {"column": "it", "value": "a", "records": 150, "exposed": 38, "share": list(proportion(38, 150))}
    assert (second["value"], second["records"], second["exposed"]) == ("b", 50, 12)


def test_rare_values_are_pooled_and_those_of_too_few_left_out():
    values = np.array(
        ["a", "a", "b", "b", "c", "c", "d", "d", "e", "e", "f", "f"] * 30 + [f"rare {n}" for n in range(40)]
    )
    rows = told(values)
    assert [row["value"] for row in rows] == [*"abcdef", "(other values)"]
    assert sum(row["records"] for row in rows) == N // 2
    assert told(["a"] * 390 + ["b"] * 10) == told(["a"] * 390 + ["c"] * 10)  # five in training


@pytest.mark.parametrize("scale", [1, 10**9, 0.001])
def test_many_numbers_are_cut_at_their_quartiles(scale):
    rows = told(np.arange(N) * scale)
    assert [row["records"] for row in rows] == [50] * 4 and len({row["value"] for row in rows}) == 4
    if scale == 10**9:
        assert rows[0]["value"].startswith("0 to ") and rows[0]["value"].endswith("000000000")


def test_missing_numbers_are_a_group_of_their_own():
    numbers = np.arange(N).astype(str)
    numbers[:40] = ""
    rows = told(numbers)
    assert len(rows) == 5 and rows[-1]["value"] == "(no value)" and rows[-1]["records"] == 20


def test_numbers_that_are_mostly_one_value_have_fewer_parts():
    rows = told(np.where(np.arange(N) < 380, 0, np.arange(N)))
    assert [row["value"] for row in rows] == ["0", "380 to 399"]
    assert told(["x"] * N)[0]["records"] == N // 2 and exposed_by_group(pd.DataFrame(), IS_MEMBER, IS_EXPOSED) == []
