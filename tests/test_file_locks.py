"""Locks end with the process that holds them, or there are none, which is told."""

import errno
import fcntl
import os

import numpy as np
import pytest

from lmia.data import archives
from lmia.file_locks import locked
from lmia.targets import http


@pytest.fixture
def without_locks(monkeypatch):
    """As on a file system that is mounted without them."""

    def refuse(file, operation):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", refuse)


def test_a_lock_is_held_in_the_body_alone(tmp_path):
    for _ in range(2):
        with locked(tmp_path / "a.lock", ""), open(tmp_path / "a.lock") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_job_that_was_killed_on_another_machine_is_not_waited_for(tmp_path, without_locks):
    (tmp_path / "a.lock").write_text("12345\nanother-machine\n")
    with (
        pytest.raises(OSError, match="a.lock: its file system has no locks .Function not implemented.; move it$"),
        locked(tmp_path / "a.lock", "move it"),
    ):
        pytest.fail("nothing keeps others out")


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(IsADirectoryError), locked(tmp_path, ""):
        pass


def test_nothing_is_paid_without_a_lock(tmp_path, without_locks, monkeypatch):
    monkeypatch.chdir(tmp_path)
    predict = http.build((2,), 3, "http://127.0.0.1:9/none", patience=0.0)
    with pytest.raises(OSError, match="has no locks .*; two jobs could pay for the same: run in a folder on another"):
        predict(np.zeros((1, 2), np.float32))


def test_no_file_is_fetched_without_a_lock(tmp_path, without_locks, monkeypatch):
    """All jobs would write into the same .part file."""
    monkeypatch.setenv(archives.CACHE_VARIABLE, str(tmp_path))
    with pytest.raises(OSError, match="has no locks .*; let LMIA_DATA name a folder on another, or set `path`"):
        archives.originals("http://127.0.0.1:9/", {"a.bin": "0" * 64})
