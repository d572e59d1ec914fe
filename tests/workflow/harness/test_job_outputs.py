"""Of two runs of the same job the later one wins, whenever the earlier one notices."""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.iocontainers import InputFiles, OutputFiles, Params

import workflow.harness.job
from lmia import artifacts
from tests.workflow.harness.attempts import OUTPUTS, RECORD, begin, write
from workflow.harness import checksums, result_records, superseded_jobs
from workflow.harness.job import job
from workflow.harness.job_outputs import PARTIAL, Attempt, Superseded
from workflow.harness.journal_file import KeptJournal

pytestmark = pytest.mark.usefixtures("results")


def written():
    return {str(artifacts.load(OUTPUTS[0])[0]["text"]), Path(OUTPUTS[1]).read_text()}


def test_outputs_appear_at_the_end_and_nothing_else_stays():
    attempt = begin()
    with attempt.running():
        write(attempt, "a")
        assert not any(Path(output).exists() for output in OUTPUTS)
    assert written() == {"a"} and not list(PARTIAL.iterdir())


@pytest.mark.parametrize("is_nested", [True, False])
def test_a_superseded_job_fails_but_in_a_cluster(monkeypatch, is_nested):
    """There it ends as if all were well, or who still waits for it would remove its successor's outputs."""
    with pytest.raises(SystemExit if is_nested else Superseded) as ended, fake_job(monkeypatch, is_nested) as earlier:
        write(earlier, "a")
        later = begin()
        with later.running():
            write(later, "b")
    assert written() == {"b"} and "Superseded" in Path("log").read_text()
    assert not is_nested or ended.value.code == 0


def fake_job(monkeypatch, is_nested):
    monkeypatch.setattr(workflow.harness.job, "_check_code", lambda *_: None)  # there is no script
    given = {"log": ["log"], "output": OutputFiles(OUTPUTS), "threads": 1, "input": InputFiles([]), "params": Params()}
    return job(SimpleNamespace(**given, config={"is_nested": is_nested}))


@pytest.fixture
def submitted(monkeypatch):
    """A job's run, which has begun for the sake of OUTPUTS."""
    monkeypatch.setenv(superseded_jobs.VARIABLE, "")  # so that it is as before in the end
    superseded_jobs.begin(dict.fromkeys(OUTPUTS, ""))
    return os.environ[superseded_jobs.VARIABLE]


@pytest.mark.parametrize("is_nested", [True, False])
@pytest.mark.parametrize("moment", ["before", "as it begins", "never"])
def test_a_job_in_a_cluster_does_nothing_once_another_run_makes_its_outputs(monkeypatch, submitted, is_nested, moment):
    """One of this machine is no Snakemake of its own, and never waits in a queue."""

    def later():
        superseded_jobs.begin(dict.fromkeys(["results/other", OUTPUTS[1]], ""))
        monkeypatch.setenv(superseded_jobs.VARIABLE, submitted)

    def begun(outputs, record):
        attempt = Attempt(outputs, record)
        moment == "as it begins" and later()
        return attempt

    monkeypatch.setattr(workflow.harness.job, "Attempt", begun)
    moment == "before" and later()
    is_late = is_nested and moment != "never"
    with pytest.raises(SystemExit) if is_late else contextlib.nullcontext() as ended:
        with fake_job(monkeypatch, is_nested) as attempt:
            write(attempt, "a")
    assert not is_late or (ended.value.code == 0 and "Superseded" in Path("log").read_text())
    assert Path(OUTPUTS[1]).exists() != is_late and not (PARTIAL.exists() and any(PARTIAL.iterdir()))


def test_runs_that_make_other_files_or_none_outdate_nobody(monkeypatch, submitted):
    superseded_jobs.begin({"results/other": ""})
    superseded_jobs.begin({})
    assert len(list(superseded_jobs.FOLDER.iterdir())) == 2
    superseded_jobs.end()
    assert [file.name for file in superseded_jobs.FOLDER.iterdir()] == [submitted]
    assert not superseded_jobs.is_outdated()  # nobody knows
    monkeypatch.setenv(superseded_jobs.VARIABLE, submitted)
    assert not superseded_jobs.is_outdated()
    superseded_jobs.end()
    monkeypatch.setenv(superseded_jobs.VARIABLE, submitted)
    assert superseded_jobs.is_outdated()


def test_what_carries_no_checksum_gets_one_beside_it():
    attempt = begin()
    with attempt.running():
        write(attempt, "a")
    assert checksums.place_of(OUTPUTS[1]).read_text().split() == [hashlib.sha256(b"a").hexdigest(), OUTPUTS[1]]
    assert not checksums.place_of(OUTPUTS[0]).exists()  # an artifact
    checksums.check(OUTPUTS[1])
    record = checksums.place_of(OUTPUTS[1])
    flipped = bytes([record.read_bytes()[0] ^ 0x80]) + record.read_bytes()[1:]  # is no text
    for damage in (lambda: record.write_bytes(flipped), lambda: Path(OUTPUTS[1]).write_text("b"), record.unlink):
        damage()
        with pytest.raises(checksums.ChecksumError, match=f"{OUTPUTS[1]}: checksum: expected .*, found"):
            checksums.check(OUTPUTS[1])


def test_every_output_says_what_it_was_made_from_as_long_as_it_is_what_was_made():
    attempt = begin()
    with attempt.running():
        write(attempt, "a")
    assert [result_records.read(output) for output in OUTPUTS] == [RECORD, RECORD]
    assert str(artifacts.load(OUTPUTS[0])[0]["text"]) == "a"
    Path(OUTPUTS[1]).write_text("b")
    assert result_records.read(OUTPUTS[1]) is None and result_records.read("results/three.txt") is None


def test_a_failure_leaves_old_outputs_and_the_journal():
    for text, kept in (("a", 0), ("b", 1)):
        attempt = begin()
        with pytest.raises(KeyError), attempt.running():
            write(attempt, text)
            if kept:
                KeptJournal(attempt.journal, every=0).finish({"x": text})
            raise KeyError
        assert len(list(PARTIAL.iterdir())) == kept
    assert not Path(OUTPUTS[0]).exists()
    assert KeptJournal(begin().journal).get()["x"] == "b"


def test_a_run_that_is_killed_while_it_takes_over_loses_nothing(monkeypatch):
    """At whichever of the moments when it moves something."""
    first = begin()
    KeptJournal(first.journal, every=0).finish({"x": 1})
    for moves in (1, 0, 2):
        with monkeypatch.context() as patched:
            left = iter(range(moves))
            for name in ("rename", "replace"):
                patched.setattr(os, name, mortal(getattr(os, name), left))
            with pytest.raises(KeyboardInterrupt):
                begin()
    assert KeptJournal(begin().journal).get()["x"] == 1
    assert len(list(PARTIAL.iterdir())) == 1


def mortal(function, left):
    """The function, which dies once `left` is used up."""

    def call(*arguments):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return function(*arguments)

    return call


def test_what_cannot_be_trusted_is_not_gone_on_with():
    attempt = begin()
    with pytest.raises(RuntimeError), attempt.running():
        KeptJournal(attempt.journal, every=0).finish({"x": 1})
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
    attempt = begin()
    with attempt.running():
        write(attempt, "a")
    assert written() == {"a"}
    assert {Path(folder).stat().st_ino for folder in ("results", checksums.FOLDER)} <= synced


@pytest.mark.parametrize("late", [True, False])
def test_an_earlier_run_can_neither_publish_nor_keep_nor_resume(late):
    """late: the earlier run has written everything, and only the last step is missing; else it has still to write."""
    orphan, other = begin(), begin(["results/other"])
    journal = KeptJournal(orphan.journal, every=0)
    journal.part("a").finish({"x": 1})
    with pytest.raises(Superseded), orphan.running():
        if late:
            write(orphan, "old")
        successor = begin()
        assert KeptJournal(successor.journal).part("a").get() is not None
        if not late:
            with pytest.raises(FileNotFoundError):
                journal.part("b").finish({"x": 2})
            write(orphan, "old")
    with successor.running():
        write(successor, "new")
    assert written() == {"new"}
    assert other.journal.parent.exists() and len(list(PARTIAL.iterdir())) == 1  # another job is left alone


def test_an_orphan_that_ends_after_its_successor_changes_nothing():
    orphan = begin()
    with pytest.raises(Superseded), orphan.running():
        write(orphan, "old")
        successor = begin()
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
        attempt = begin(["results/far/one.txt"])
        with pytest.raises(Superseded) if is_late else contextlib.nullcontext(), attempt.running():
            Path(attempt.path("results/far/one.txt")).write_text("whole")
            if is_late:
                begin(["results/far/one.txt"])
        assert [file.read_text() for file in Path(disk).iterdir()] == ["whole"] * (not is_late)
        assert is_late or not any(PARTIAL.iterdir())  # no second copy is kept
