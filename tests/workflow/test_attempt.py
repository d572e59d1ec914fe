"""Of two runs of the same job the later one wins, whenever the earlier one notices."""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.iocontainers import OutputFiles

import workflow.job
from lmia import artifacts
from lmia.journal import Journal
from workflow import checksums
from workflow.attempt import PARTIAL, Attempt, Superseded
from workflow.job import job

OUTPUTS = ["results/one.npz", "results/two.txt"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("results").mkdir()


def write(attempt, text):
    artifacts.save(attempt.path(OUTPUTS[0]), "text", {"text": text}, {})
    Path(attempt.path(OUTPUTS[1])).write_text(text)


def written():
    return {str(artifacts.load(OUTPUTS[0])[0]["text"]), Path(OUTPUTS[1]).read_text()}


def test_outputs_appear_at_the_end_and_nothing_else_stays():
    attempt = Attempt(OUTPUTS)
    with attempt.running():
        write(attempt, "a")
        assert not any(Path(output).exists() for output in OUTPUTS)
    assert written() == {"a"} and not list(PARTIAL.iterdir())


@pytest.mark.parametrize("is_nested", [True, False])
def test_a_superseded_job_fails_but_in_a_cluster(monkeypatch, is_nested):
    """There it ends as if all were well, or its own Snakemake would remove its successor's outputs."""
    monkeypatch.setattr(workflow.job, "_check_code", lambda *_: None)  # there is no script
    given = {"log": ["log"], "output": OutputFiles(OUTPUTS), "threads": 1, "input": []}
    fake = SimpleNamespace(**given, config={"is_nested": is_nested})
    with contextlib.nullcontext() if is_nested else pytest.raises(Superseded), job(fake) as earlier:
        write(earlier, "a")
        later = Attempt(OUTPUTS)
        with later.running():
            write(later, "b")
    assert written() == {"b"} and "Superseded" in Path("log").read_text()


def test_what_carries_no_checksum_gets_one_beside_it():
    attempt = Attempt(OUTPUTS)
    with attempt.running():
        write(attempt, "a")
    assert checksums.record_of(OUTPUTS[1]).read_text().split() == [hashlib.sha256(b"a").hexdigest(), OUTPUTS[1]]
    assert not checksums.record_of(OUTPUTS[0]).exists()  # an artifact
    checksums.check(OUTPUTS[1])
    record = checksums.record_of(OUTPUTS[1])
    flipped = bytes([record.read_bytes()[0] ^ 0x80]) + record.read_bytes()[1:]  # is no text
    for damage in (lambda: record.write_bytes(flipped), lambda: Path(OUTPUTS[1]).write_text("b"), record.unlink):
        damage()
        with pytest.raises(checksums.ChecksumError, match=f"{OUTPUTS[1]}: checksum: expected .*, found"):
            checksums.check(OUTPUTS[1])


def test_a_failure_leaves_old_outputs_and_the_journal():
    for text, kept in (("a", 0), ("b", 1)):
        attempt = Attempt(OUTPUTS)
        with pytest.raises(KeyError), attempt.running():
            write(attempt, text)
            if kept:
                Journal(attempt.journal, every=0).finish({"x": text})
            raise KeyError
        assert len(list(PARTIAL.iterdir())) == kept
    assert not Path(OUTPUTS[0]).exists()
    assert Journal(Attempt(OUTPUTS).journal).get()["x"] == "b"


def test_a_run_that_is_killed_while_it_takes_over_loses_nothing(monkeypatch):
    """At whichever of the moments when it moves something."""
    first = Attempt(OUTPUTS)
    Journal(first.journal, every=0).finish({"x": 1})
    for moves in (1, 0, 2):
        with monkeypatch.context() as patched:
            left = iter(range(moves))
            for name in ("rename", "replace"):
                patched.setattr(os, name, mortal(getattr(os, name), left))
            with pytest.raises(KeyboardInterrupt):
                Attempt(OUTPUTS)
    assert Journal(Attempt(OUTPUTS).journal).get()["x"] == 1
    assert len(list(PARTIAL.iterdir())) == 1


def mortal(function, left):
    """The function, which dies once `left` is used up."""

    def call(*arguments):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return function(*arguments)

    return call


def test_what_cannot_be_trusted_is_not_gone_on_with():
    attempt = Attempt(OUTPUTS)
    with pytest.raises(RuntimeError), attempt.running():
        Journal(attempt.journal, every=0).finish({"x": 1})
        with attempt.nothing_kept_on_failure():
            raise RuntimeError
    assert not any(PARTIAL.iterdir())


def test_all_bytes_are_on_the_disk_before_they_have_their_name(monkeypatch):
    """Or else a loss of power could leave an empty file."""
    synced, fsync, replace = set(), os.fsync, os.replace

    def note(opened):
        fsync(opened)
        synced.add(os.fstat(opened).st_ino)

    def check(source, target):
        assert os.stat(source).st_ino in synced, target
        replace(source, target)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(os, "replace", check)
    attempt = Attempt(OUTPUTS)
    with attempt.running():
        write(attempt, "a")
    assert written() == {"a"}
    assert {Path(folder).stat().st_ino for folder in ("results", checksums.FOLDER)} <= synced


@pytest.mark.parametrize("late", [True, False])
def test_an_earlier_run_can_neither_publish_nor_keep_nor_resume(late):
    """late: the earlier run has written everything, and only the last step is missing; else it has still to write."""
    orphan, other = Attempt(OUTPUTS), Attempt(["results/other"])
    journal = Journal(orphan.journal, every=0)
    journal.part("a").finish({"x": 1})
    with pytest.raises(Superseded), orphan.running():
        if late:
            write(orphan, "old")
        successor = Attempt(OUTPUTS)
        assert Journal(successor.journal).part("a").get() is not None
        if not late:
            with pytest.raises(FileNotFoundError):
                journal.part("b").finish({"x": 2})
            write(orphan, "old")
    with successor.running():
        write(successor, "new")
    assert written() == {"new"}
    assert other.journal.parent.exists() and len(list(PARTIAL.iterdir())) == 1  # another job is left alone


def test_an_orphan_that_ends_after_its_successor_changes_nothing():
    orphan = Attempt(OUTPUTS)
    with pytest.raises(Superseded), orphan.running():
        write(orphan, "old")
        successor = Attempt(OUTPUTS)
        with successor.running():
            write(successor, "new")
    assert written() == {"new"} and not list(PARTIAL.iterdir())


@pytest.mark.parametrize("is_late", [True, False])
def test_results_may_lie_on_another_disk(is_late):
    """is_late: a later run has begun before the outputs are moved."""
    if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == os.stat(".").st_dev:
        pytest.skip("there is no second file system")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as disk:
        Path("results/far").symlink_to(disk)
        attempt = Attempt(["results/far/one.txt"])
        attempt.key = "0"
        with pytest.raises(Superseded) if is_late else contextlib.nullcontext(), attempt.running():
            Path(attempt.path("results/far/one.txt")).write_text("whole")
            if is_late:
                Attempt(["results/far/one.txt"])
        assert [file.read_text() for file in Path(disk).iterdir()] == ["whole"] * (not is_late)
        assert is_late or not any(PARTIAL.iterdir())  # no second copy is kept
