"""Estimators of scikit-learn answer as they do there, are kept as their bytes, and run nothing that is not trusted."""

import os
import pickle

import joblib
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from lmia.table import Table
from tests.targets.other_files import (
    DIGITS,
    LABELS,
    PIXELS,
    RECORDS,
    TABLE,
    check,
    need,
    numbered,
    opened,
    pipeline,
    trusted,
)


def test_a_pipeline_on_records_as_joblib_writes_it(tmp_path):
    model, path = pipeline(RandomForestClassifier(20, random_state=0)), tmp_path / "it.joblib"
    joblib.dump(model, path)
    check(opened("sklearn", path, 2, TABLE, **trusted(path)), TABLE.encode(RECORDS), numbered(model.predict(RECORDS)))


def test_a_function_of_the_program_that_wrote_a_file_is_told_as_such(tmp_path):
    path = tmp_path / "it.joblib"
    path.write_bytes(b"c__main__\nclean\n.")  # as pickle names a function of a script
    with pytest.raises(ValueError, match="__main__.*; move its functions to a module that can be imported, or save it"):
        opened("sklearn", path, 2, TABLE, **trusted(path))


def test_what_cannot_be_asked_is_told_what_it_was_given(tmp_path):
    model, path = pipeline(DecisionTreeClassifier()), tmp_path / "it.joblib"
    joblib.dump(model, path)
    table = Table.of(RECORDS.drop(columns="home-town").assign(zip=10115), LABELS)
    with pytest.raises(ValueError, match=r"^cannot be asked .*home-town.*; it was given age: int64, income: .*64, zip"):
        opened("sklearn", path, 2, table, **trusted(path))[0](torch.zeros(2, 3))


def test_a_pipeline_on_records_as_skops_writes_it(tmp_path):
    need("skops")
    import skops.io

    model, path = pipeline(RandomForestClassifier(20, random_state=0)), tmp_path / "it.skops"
    skops.io.dump(model, path)
    types = skops.io.get_untrusted_types(file=path)
    expected = numbered(model.predict(RECORDS))
    check(opened("sklearn", path, 2, TABLE, types=types), TABLE.encode(RECORDS), expected)
    with pytest.raises(ValueError, match=r"types that skops does not know; write types: \[sklearn.tree._tree.Tree\]"):
        opened("sklearn", path, 2, TABLE)


def test_an_estimator_on_numbers_and_on_images(tmp_path):
    model, path = LogisticRegression(max_iter=300).fit(PIXELS, DIGITS), tmp_path / "it.joblib"
    joblib.dump(model, path)
    for inputs in (PIXELS, PIXELS.reshape(-1, 1, 8, 8)):
        check(opened("sklearn", path, 10, **trusted(path)), inputs, model.predict(PIXELS))


class Payload:
    """Writes a file when it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch canary",)


@pytest.mark.parametrize("content", [pickle.dumps(Payload()), b"", b"PK\x03\x04 no zip", bytes(1000)])
def test_what_is_not_trusted_is_not_run(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "it.joblib"
    path.write_bytes(content)
    for trust in ({}, {"trust": "0" * 64}):
        with pytest.raises(
            ValueError, match="^expected a file of skops', or the one whose SHA-256 is .*; it is not run"
        ):
            opened("sklearn", path, 2, **trust)
    assert not (tmp_path / "canary").exists()


def test_what_is_trusted_is_run(tmp_path, monkeypatch):
    """So the test above can fail."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "it.joblib"
    path.write_bytes(pickle.dumps(Payload()))
    with pytest.raises(ValueError, match="^expected an estimator with predict, got int"):
        opened("sklearn", path, 2, **trusted(path))
    assert (tmp_path / "canary").exists()


def test_a_payload_in_a_file_of_skops_is_not_run(tmp_path, monkeypatch):
    need("skops")
    import skops.io

    monkeypatch.chdir(tmp_path)
    skops.io.dump(os.system, tmp_path / "it.skops")
    with pytest.raises(ValueError, match="^the file has types that skops does not know; write types: .*system"):
        opened("sklearn", tmp_path / "it.skops", 2)


@pytest.mark.parametrize("content", [b"{}", b"[]", b'{"__class__": "x"}', b"no json"])
def test_damaged_files_of_skops_are_refused_with_one_line(content, tmp_path):
    need("skops")
    import zipfile

    with zipfile.ZipFile(tmp_path / "it.skops", "w") as archive:
        archive.writestr("schema.json", content)
    with pytest.raises(ValueError, match="^expected an estimator, as skops.io.dump writes it") as error:
        opened("sklearn", tmp_path / "it.skops", 2)
    assert "\n" not in str(error.value)
