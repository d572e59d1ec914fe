"""What runs is what was hashed, also where an edit keeps a source's size and time."""

import importlib.util
import io
import os
import py_compile
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.workflow.edits import edit_unseen
from workflow.harness import bytecode, fingerprint

NOISE = "results/answers/small/n60-none/0-1/target/noise.npz"


def test_an_edit_that_keeps_size_and_time_takes_effect(copy):
    before = copy.results("answers/**/noise.npz")
    edit_unseen(copy, "lmia/perturbations/gaussian.py", "alpha=sigma", "alpha=9.999")
    assert copy.pending(NOISE) == {"query_labels": 1}
    copy.snakemake(NOISE)
    assert copy.results("answers/**/noise.npz")[NOISE] != before[NOISE]
    changed = (copy.path / NOISE).read_bytes()
    copy.edit("lmia/perturbations/gaussian.py", "alpha=9.999", "alpha=9.9990")  # the same, seen by all
    copy.snakemake(NOISE)
    with_time = (copy.path / NOISE).read_bytes()
    assert labels(with_time) == labels(changed)


def labels(content):
    return np.load(io.BytesIO(content))["labels"].tolist()


def test_an_edit_of_the_configurations_own_code_takes_effect_too(copy):
    edit_unseen(copy, "workflow/config/schema/studies.py", "patience: Count = Field(20", "patience: Count = Field(21")
    assert copy.pending()["train_model"] == 2


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "one.py").write_text("x = 1\n")
    return tmp_path / "one.py"


def flags(source):
    with open(importlib.util.cache_from_source(source), "rb") as file:
        return file.read(8)[4:]


def test_bytecode_is_made_to_be_checked_and_left_alone_then(source):
    bytecode.check_by_hash([source])
    kept = importlib.util.cache_from_source(source)
    assert flags(source) == bytecode.CHECKED_HASH
    before = os.stat(kept).st_mtime_ns
    bytecode.check_by_hash([source])
    assert os.stat(kept).st_mtime_ns == before
    py_compile.compile(str(source), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    bytecode.check_by_hash([source])
    assert flags(source) == bytecode.CHECKED_HASH


def test_bytecode_of_a_module_that_is_a_link_is_checked_where_python_keeps_it(source, monkeypatch):
    (source.parent / "code").mkdir()
    (source.parent / "code/linked.py").symlink_to(source)
    monkeypatch.syspath_prepend(source.parent / "code")
    bytecode.check_by_hash([fingerprint.locate("linked")])
    assert flags(source.parent / "code/linked.py") == bytecode.CHECKED_HASH


def test_what_is_no_python_is_told_by_others(source):
    source.write_text("x = \n")
    compiled = Path(importlib.util.cache_from_source(source))
    compiled.unlink(missing_ok=True)
    bytecode.check_by_hash([source, source.with_suffix(".so")])
    assert not compiled.exists()


def test_other_bytecode_that_cannot_be_replaced_is_refused(source, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(13, "read only")

    bytecode.check_by_hash([source])
    monkeypatch.setattr(py_compile, "compile", refused)
    bytecode.check_by_hash([source])  # is checked by now
    Path(importlib.util.cache_from_source(source)).write_bytes(b"of whatever source")
    with pytest.raises(RuntimeError, match="perhaps of an older source, and it cannot be replaced .read only."):
        bytecode.check_by_hash([source])
