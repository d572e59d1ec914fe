"""A table of a user's: which columns the model is given, what is known of members, and what is wrong with a file."""

import os

import numpy as np
import pandas as pd
import pytest

from lmia.data.csv import describe, load, load_columns, load_known

TEXT = """who,age,town,income,used
007,41,Ayr,low,1
008,25,Bath,high,0
009,41,,low,
"""


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.csv").write_text(TEXT)


def test_the_model_is_given_all_other_columns():
    inputs, classes, table = load("people.csv", "income", "used", "who")
    assert [column.name for column in table.columns] == ["age", "town"] and classes.tolist() == [1, 0, 1]
    assert table.classes.tolist() == ["high", "low"]
    back = table.decode(inputs)
    assert back["age"].tolist() == [41, 25, 41] and back["town"].tolist()[:2] == ["Ayr", "Bath"]
    assert back["town"].isna().tolist() == [False, False, True]
    assert describe("people.csv", label="income", membership="used", id="who") == (3, (2,))
    assert load("people.csv", "income", leave_out=["who", "used", "town"])[0].shape == (3, 1)


def test_codes_that_are_texts_keep_their_zeros(tmp_path):
    (tmp_path / "codes.csv").write_text("zip,age,y\n01067,1,no\n10115,2,yes\n,3,no\n")
    inputs, _, table = load("codes.csv", "y", as_text=["zip"], categories=["zip"])
    back = table.decode(inputs)["zip"]
    assert back[:2].tolist() == ["01067", "10115"] and back.isna().tolist() == [False, False, True]
    with pytest.raises(ValueError, match="^codes.csv: texts: zip: is under as_text, too; name it in one of them"):
        load("codes.csv", "y", as_text=["zip"], texts=["zip"])
    with pytest.raises(ValueError, match="^codes.csv: as_text: y: the model is not given that column"):
        load("codes.csv", "y", as_text=["y"])


def test_what_is_known_is_read_in_all_ways_to_say_it():
    assert load_known("people.csv", "used").tolist() == [1, 0, -1]
    for texts, known in ((["True", "false", ""], [1, 0, -1]), (["1.0", "0", "-1"], [1, 0, -1])):
        pd.DataFrame({"used": texts, "income": "low"}).to_csv("said.csv", index=False)
        assert load_known("said.csv", "used").tolist() == known and load_known("said.csv", "used").dtype == np.int8
    pd.DataFrame({"used": ["1", "maybe"]}).to_csv("said.csv", index=False)
    with pytest.raises(ValueError, match="^said.csv: used: expected 1 in training, 0 not, .* got maybe$"):
        load_known("said.csv", "used")


def test_names_stay_as_they_are_written():
    assert load_columns("people.csv", ["who", "town"]).to_numpy().tolist() == [
        ["007", "Ayr"],
        ["008", "Bath"],
        ["009", ""],
    ]


def test_a_file_that_changes_is_read_again():
    assert len(load("people.csv", "income")[0]) == 3
    with open("people.csv", "a") as file:
        file.write("010,1,Ayr,low,1\n")
    assert len(load("people.csv", "income")[0]) == 4


@pytest.mark.parametrize(
    "options, message",
    [
        ({"label": "wage"}, "people.csv: no column wage; it has who, age, town, income, used"),
        ({"label": "income", "membership": "known"}, "people.csv: no column known; it has"),
        (
            {"label": "income", "leave_out": ["who", "age", "town", "used"]},
            "people.csv: expected at least one record and",
        ),
        ({"label": "town"}, "people.csv: town: expected a label for each record, row 3 has none"),
        ({"label": "income", "categories": ["income"]}, "people.csv: categories: income: the model is not given that"),
    ],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(ValueError) as error:
        load("people.csv", **options)
    assert str(error.value).startswith(message)


def test_rows_with_more_values_than_names_are_refused(tmp_path):
    """pandas would take the first value for a name, and give each column the values of the next."""
    for text in ("a,b,y\n1,5,no,1\n2,6,yes,0\n", "a,b,y\n0,5,6,no\n1,6,7,yes\n"):
        (tmp_path / "other.csv").write_text(text)
        with pytest.raises(ValueError, match="rows have more values than the header has names"):
            load("other.csv", "y")
        with pytest.raises(ValueError, match="rows have more values than the header has names"):
            load_known("other.csv", "y")


def test_columns_that_models_cannot_be_given_are_named(tmp_path):
    for text, message in (
        (",a,y\n0,1,no\n1,2,yes\n", "other.csv: column 1 has no name"),
        (",Unnamed: 0,a,y\n0,0,1,no\n1,1,2,yes\n", "other.csv: column 1 has no name"),
        ("a,b,y\n1,,no\n2,,yes\n", "other.csv: b: no record has a value; leave it out"),
        (f"a,y\n{10**30},no\n2,yes\n", "other.csv: a: expected numbers of up to 64 bits, or texts"),
        ("a,y\n1,0.5\n2,0.7\n", "other.csv: y: expected classes, got numbers with fractions, 0.5 to 0.7"),
    ):
        (tmp_path / "other.csv").write_text(text)
        with pytest.raises(ValueError, match=f"^{message}"):
            load("other.csv", "y")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01", b'a,b\n"1,2\n3', b"a,b\n1,2,3\n4,5,6,7\n"])
def test_files_that_are_none_are_refused_in_one_line(content, tmp_path):
    (tmp_path / "other.csv").write_bytes(content)
    with pytest.raises(ValueError, match="^other.csv: ") as error:
        load("other.csv", "a")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"a;y\n1,5;no\n2,5;yes\n", "expected commas between columns, found semicolons; save it with commas"),
        (b"a\ty\n1,5\tno\n2,5\tyes\n", "expected commas between columns, found tabs; save it with commas"),
        ("a,y\nKöln,no\nUlm,yes\n".encode("latin-1"), "expected comma-separated values in UTF-8 .*; save it as UTF-8$"),
        ("a,y\nKöln,no\nUlm,yes\n".encode("utf-16"), "expected comma-separated values in UTF-8 .*; save it as UTF-8$"),
        (b'a,y\n"83,0",no\n71,yes\n', "a: has numbers with commas, as 83,0; save them with points"),
    ],
)
def test_other_ways_to_write_a_table_are_named(content, message, tmp_path):
    (tmp_path / "other.csv").write_bytes(content)
    with pytest.raises(ValueError, match=f"^other.csv: {message}"):
        load("other.csv", "y")


def test_codes_with_commas_may_be_named(tmp_path):
    (tmp_path / "other.csv").write_text('a,b,y\n"83,0","1,5",no\n71,2,yes\n')
    assert len(load("other.csv", "y", as_text=["a"], texts=["b"])[0]) == 2


@pytest.mark.parametrize("name, near", [("Age", "age"), ("town ", "town"), ("incom", "income")])
def test_a_column_of_nearly_that_name_is_offered(name, near):
    with pytest.raises(ValueError, match=f"^people.csv: no column '{name}'; did you mean '{near}'[?]$"):
        load("people.csv", "income", categories=[name])


def test_nothing_is_fetched_or_waited_for(tmp_path):
    with pytest.raises(FileNotFoundError):
        load("https://127.0.0.1:9/people.csv", "income")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(ValueError, match="^pipe.csv: expected a .csv file, found a folder, pipe or device"):
        load("pipe.csv", "income")
    pd.read_csv("people.csv").to_csv("people.csv.gz", index=False)
    with pytest.raises(ValueError, match="people.csv.gz: expected comma-separated values"):
        load("people.csv.gz", "income")
