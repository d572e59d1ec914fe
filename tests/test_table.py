"""Records become numbers and come back as they were, whatever stands in them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmia.table import Table

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=5)
KINDS = {
    "integers": st.integers(-(10**12), 10**12),
    "floats": st.floats(-1e12, 1e12).map(lambda number: number + 0.0),  # and no -0.0
    "truths": st.booleans(),
    "texts": TEXT,
}


@st.composite
def frames(draw):
    """Data frames with columns of all kinds, some values missing."""
    n, columns = draw(st.integers(1, 12)), {}
    for number, kind in enumerate(draw(st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=5))):
        values = draw(st.lists(KINDS[kind], min_size=n, max_size=n))
        column = pd.Series(values)
        if draw(st.booleans()):
            column = column.astype(float if kind in ("integers", "floats") else object)
            column[[False, *draw(st.lists(st.booleans(), min_size=n - 1, max_size=n - 1))]] = np.nan
        columns[f"{kind} {number}"] = column
    return pd.DataFrame(columns)


@settings(max_examples=200, deadline=None)
@given(frames())
def test_records_come_back_value_by_value(frame):
    table = Table.of(frame, pd.Series(["a"] * len(frame)))
    inputs = table.encode(frame)
    assert inputs.dtype == np.float32 and inputs.shape == frame.shape and 0 <= inputs.min() <= inputs.max() <= 1
    for known in (table, Table.from_arrays(table.to_arrays())):
        back = known.decode(inputs)
        assert back.columns.tolist() == frame.columns.tolist()
        for name in frame:
            found, expected = back[name].tolist(), frame[name].tolist()
            assert [value for value in found if not pd.isna(value)] == [v for v in expected if not pd.isna(v)]
            assert back[name].isna().tolist() == frame[name].isna().tolist()


def test_any_number_leads_to_values_that_records_have():
    frame = pd.DataFrame({"rooms": [1, 2, 5], "town": ["Bath", "Ayr", "Ayr"]})
    table = Table.of(frame, pd.Series([0, 1, 1]))
    back = table.decode(np.array([[0.3, 0.4], [-1, 2], [0.74, 0.6]]))
    assert back["rooms"].tolist() == [2, 1, 2] and back["town"].tolist() == ["Ayr", "Bath", "Bath"]


def test_many_different_values_come_back():
    frame = pd.DataFrame({"number": np.random.default_rng(0).permutation(300_000)})
    table = Table.of(frame, pd.Series(np.zeros(300_000, int)))
    assert (table.decode(table.encode(frame))["number"] == frame["number"]).all()


def test_codes_are_no_numbers():
    frame = pd.DataFrame({"zip": [10115, 80331], "age": [3, 4]})
    columns = Table.of(frame, pd.Series([0, 1]), ["zip"]).columns
    assert [column.is_number for column in columns] == [False, True]


@pytest.mark.parametrize(
    "labels, answers, numbers",
    [
        (["no", "yes", "no"], ["yes", "no"], [1, 0]),
        (["no", "yes", "no"], [1, 0], [1, 0]),  # of a model that knows classes by their numbers
        ([7, 3, 3], [3, 7], [0, 1]),
        ([7, 3, 3], [3.0, 7.0], [0, 1]),
        ([7, 3, 11], ["3", "11"], [0, 2]),  # of a JSON, or of a model that was trained on texts
        ([True, False, True], [True, False], [1, 0]),
        ([True, False, True], [1, 0], [1, 0]),
    ],
)
def test_labels_are_taken_as_models_say_them(labels, answers, numbers):
    table = Table.of(pd.DataFrame({"a": [1, 2, 3]}), pd.Series(labels))
    assert table.class_numbers(np.array(answers)).tolist() == numbers


def test_labels_that_no_record_has_are_named():
    table = Table.of(pd.DataFrame({"a": [1, 2]}), pd.Series(["no", "yes"]))
    with pytest.raises(ValueError, match="^expected labels no, yes, got maybe; is it another column"):
        table.class_numbers(["yes", "maybe"])
    numbers = Table.of(pd.DataFrame({"a": [1, 2]}), pd.Series([1, 10]))
    assert numbers.class_numbers(np.array(["10", "1"], object)).tolist() == [1, 0]
    with pytest.raises(ValueError, match="^expected labels 1, 10, got 01;"):
        numbers.class_numbers(["1", "01"])
    with pytest.raises(ValueError, match=r"got an array of shape \(1, 2\)"):
        table.class_numbers([["yes", "no"]])


def test_mistakes_in_a_table_are_named():
    with pytest.raises(ValueError, match="^income: expected a label for each record, row 2 has none"):
        Table.of(pd.DataFrame({"a": [1, 2]}), pd.Series(["no", None], name="income"))
    with pytest.raises(ValueError, match="^a: expected finite numbers, got inf"):
        Table.of(pd.DataFrame({"a": [1, np.inf]}), pd.Series(["no", "yes"]))
    table = Table.of(pd.DataFrame({"a": [1, 2]}), pd.Series(["no", "yes"]))
    for other in (3, np.nan):
        with pytest.raises(ValueError, match="^a: expected values that the data has, got"):
            table.encode(pd.DataFrame({"a": [1.0, other]}))


def test_columns_need_names_of_their_own():
    for columns in (["a", "a"], [0, 1]):
        with pytest.raises(ValueError, match="^expected columns with a name each, as texts, got"):
            Table.of(pd.DataFrame([[1, 2], [3, 4]], columns=columns), ["no", "yes"])


def test_arrays_without_a_table_give_none():
    assert Table.from_arrays({"inputs": np.zeros(3)}) is None
