"""Results are taken by what they were made from: whole, sound, and as what they say they are."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from lmia import artifacts
from tests.workflow.harness.attempts import OUTPUTS, RECORD, begin, write
from workflow.harness import checksums, local_store, result_records
from workflow.harness.job_outputs import Attempt, Superseded

pytestmark = pytest.mark.usefixtures("results")


def test_an_artifact_is_taken_by_what_it_was_made_from_and_not_once_it_is_damaged(capsys):
    first, other = [OUTPUTS[0]], ["results/other.npz"]
    attempt = begin(first)
    assert not attempt.take()
    with attempt.running():
        artifacts.save(attempt.path(first[0]), "text", {"text": "a"}, {})
    assert not Attempt(other, result_records.record_of({"n": 2}, {})).take()
    assert begin(other).take() and Path(other[0]).samefile(first[0])
    Path(first[0]).unlink()  # as Snakemake does before it starts a job
    assert begin(first).take() and result_records.read(first[0]) == RECORD
    local_store.prune()
    assert begin(first).take()
    in_place = Path(first[0]).read_bytes()  # and so under its other names as well
    Path(first[0]).write_bytes(in_place.replace("a".encode("utf-32-le"), "b".encode("utf-32-le")))
    Path(first[0]).unlink()
    assert not begin(first).take() and "made anew: " in capsys.readouterr().out
    assert not begin(first).take() and not capsys.readouterr().out


def test_what_another_result_has_overwritten_in_place_is_not_taken():
    """As `cp` of other results over these does, since all names of a result are one file."""
    first, other = [OUTPUTS[0]], ["results/other.npz"]
    for outputs, record in ((first, RECORD), (other, result_records.record_of({"n": 2}, {}))):
        attempt = Attempt(outputs, record)
        with attempt.running():
            artifacts.save(attempt.path(outputs[0]), "text", {"text": outputs[0]}, {})
    Path(first[0]).write_bytes(Path(other[0]).read_bytes())
    assert not begin(first).take()


def test_tables_and_figures_are_taken_all_or_none_and_only_as_they_were_made():
    attempt = begin()
    with attempt.running():
        write(attempt, "a")
    others = [f"results/other{Path(output).suffix}" for output in OUTPUTS]
    assert begin(others).take() and [result_records.read(other) for other in others] == [RECORD, RECORD]
    checksums.check(others[1])
    Path(OUTPUTS[1]).write_text("b")
    again = begin(OUTPUTS)
    assert not again.take() and not Path(again.path(OUTPUTS[0])).exists()


def test_what_is_kept_keeps_its_second_name_where_it_cannot_have_it_again(monkeypatch):
    attempt = begin([OUTPUTS[0]])
    with attempt.running():
        artifacts.save(attempt.path(OUTPUTS[0]), "text", {"text": "a"}, {})
    shutil.copy(OUTPUTS[0], "copy.npz")
    monkeypatch.setattr(os, "link", no_link)
    local_store.keep(RECORD, ["copy.npz"], [OUTPUTS[0]])
    Path(OUTPUTS[0]).unlink()
    assert begin([OUTPUTS[0]]).take(), "by a copy"


def test_a_superseded_run_takes_nothing_and_disturbs_nothing(monkeypatch):
    """Whether its successor has begun before it takes, or between that and its end."""
    attempt = begin([OUTPUTS[0]])
    with attempt.running():
        artifacts.save(attempt.path(OUTPUTS[0]), "text", {"text": "a"}, {})
    early = begin([OUTPUTS[0]])
    begin([OUTPUTS[0]])
    with pytest.raises(Superseded):
        early.take()
    late, take = begin([OUTPUTS[0]]), local_store.take
    with monkeypatch.context() as patched, pytest.raises(Superseded):
        patched.setattr(local_store, "take", lambda *arguments: take(*arguments) and bool(begin([OUTPUTS[0]])))
        late.take()
    assert result_records.read(OUTPUTS[0]) == RECORD and local_store.has(RECORD["key"], [OUTPUTS[0]])


def no_link(source, target):
    raise PermissionError(errno.EPERM, "no hard links here")


def test_what_has_no_other_name_any_more_is_pruned():
    attempt = begin([OUTPUTS[0]])
    with attempt.running():
        artifacts.save(attempt.path(OUTPUTS[0]), "text", {"text": "a"}, {})
    Path(OUTPUTS[0]).unlink()
    local_store.prune()
    assert not any(local_store.STORE.rglob("*.npz")) and not begin([OUTPUTS[0]]).take()


def test_what_goes_while_it_is_taken_leaves_nothing_to_write_to(monkeypatch):
    """Or the job would write to what is kept, as both names are one file."""
    attempt = begin()
    with attempt.running():
        write(attempt, "a")
    again, put = begin(), local_store.put
    gone = [local_store.places(RECORD["key"], OUTPUTS)[1]]

    def put_until_gone(source, path):
        put(source if source not in gone else "results/nothing", path)

    monkeypatch.setattr(local_store, "put", put_until_gone)
    assert not again.take() and not Path(again.path(OUTPUTS[0])).exists()


def test_a_link_to_nothing_among_results_is_passed_over():
    attempt = begin([OUTPUTS[0]])
    with attempt.running():
        artifacts.save(attempt.path(OUTPUTS[0]), "text", {"text": "a"}, {})
    Path("results/scores").mkdir()
    Path("results/scores/dangling.npz").symlink_to("nowhere")
    shutil.copy(OUTPUTS[0], "results/scores/copy.npz")
    assert local_store.strays() == {RECORD["key"]: Path("results/scores/copy.npz")}
