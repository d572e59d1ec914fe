"""Working folders of tests."""

import pytest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def results(folder):
    """The folder `results` in a working folder of the test's own."""
    (folder / "results").mkdir()
    return folder / "results"
