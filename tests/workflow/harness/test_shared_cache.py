"""Results are shared by what they depend on: computed once, taken verified, and never mistaken for others."""

import contextlib
import errno
import fcntl
import multiprocessing.connection
import os
import stat
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lmia import artifacts
from lmia.memory_batches import Batches
from tests.hungry_network import Hungry
from tests.workflow.harness.made_results import RECORD, made
from tests.workflow.harness.processes import Job, starting
from workflow.harness import result_records, shared_cache
from workflow.harness.job_outputs import Attempt, Superseded
from workflow.harness.journal_file import KeptJournal
from workflow.harness.shared_cache import Entry
from workflow.tools import prune_cache

KEY, OUTPUT = "ab" * 32, "results/one.npz"
LOCK = Path(f"cache/ab/{KEY}.lock")


@pytest.fixture(autouse=True)
def whole_batches(folder, monkeypatch):
    """In a working folder of the test's own, whatever other tests have done."""
    monkeypatch.setattr(Batches, "halved", False)


def entry(key=KEY):
    return Entry(Path("cache"), key, RECORD["key"])


def stored():
    return sorted(file for file in Path("cache").rglob("*") if file.is_file())


def test_what_goes_on_from_work_after_memory_ran_out_is_not_shared(capsys):
    """That was in another process, which was killed."""
    Batches.halved = True
    KeptJournal("journal.npz", every=0).finish({"x": np.ones(1)})
    Batches.halved = False
    assert KeptJournal("journal.npz").get()["x"] == 1
    entry().put(made("output.npz"))
    assert not stored() and "memory ran out on the way" in capsys.readouterr().out


def test_what_was_put_is_taken_as_it_was_and_is_a_file_of_its_own():
    output = made("output.npz")
    assert not entry().take("taken.npz") and not Path("taken.npz").exists()
    entry().put(output)
    (file,) = stored()
    os.utime(file, (0, 0))
    assert entry().take("taken.npz") and Path("taken.npz").read_bytes() == output.read_bytes()
    assert not entry(key="cd" * 32).take("other.npz")
    assert file.stat().st_mtime > 0  # it was in use
    os.utime("taken.npz", (5, 5))
    assert file.stat().st_mtime != 5


@pytest.mark.parametrize("damage", ["byte", "torn", "empty"])
def test_a_damaged_entry_is_ignored_reported_and_replaced(damage, capsys):
    entry().put(made("output.npz"))
    (file,) = stored()
    whole = file.read_bytes()
    changed = bytes([whole[0], whole[1] ^ 1]) + whole[2:]
    file.write_bytes({"byte": changed, "torn": whole[:-100], "empty": b""}[damage])
    assert not entry().take_or_lock("taken.npz")
    assert f"{file}: damaged" in capsys.readouterr().out
    entry().put("output.npz")
    assert entry().take("taken.npz") and Path("taken.npz").read_bytes() == whole


def of_other_settings(path):
    made(path, record=result_records.record_of({"seeds": "1", "code": ["a.py@1"]}, {}))


def without_a_record(path):
    artifacts.save(path, "model", {"weights": np.zeros(3)}, {})


def forged(path):
    """A right provenance over arrays of another file."""
    made("right.npz"), made("wrong.npz", 2.0)
    with np.load("right.npz") as right, np.load("wrong.npz") as wrong:
        own = [name for name in right.files if name != result_records.RECORD]
        np.savez(path, **{name: (right if name.endswith("json") else wrong)[name] for name in own})
    result_records.sign(path, RECORD)


@pytest.mark.parametrize(
    "junk", [lambda path: Path(path).write_bytes(b"junk"), of_other_settings, without_a_record, forged]
)
def test_what_the_job_would_not_make_is_discarded_though_its_name_is_right(junk, capsys):
    junk("junk.npz")
    entry().put("junk.npz")
    (file,) = stored()
    assert not entry().take_or_lock("taken.npz") and not Path("taken.npz").exists()
    assert f"{file}: not what its name says: " in capsys.readouterr().out and not file.exists()


def test_what_was_made_in_halves_of_a_batch_is_not_shared(capsys):
    Batches().run(Hungry(most=7), torch.rand(10, 64))
    entry().put(made("output.npz"))
    assert not stored() and "cache: not shared: memory ran out" in capsys.readouterr().out


def test_who_may_write_to_the_cache_may_write_to_all_of_it():
    Path("cache").mkdir()
    Path("cache").chmod(0o2770)
    before = os.umask(0o077)
    try:
        mine = entry()
        assert not mine.take_or_lock("one.npz")
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in Path("cache").rglob("*")}
        assert modes == {"ab": 0o2770, f"{KEY}.lock": 0o660}
        with mine.kept("one.npz"):
            made("one.npz")
    finally:
        os.umask(before)
    (file,) = stored()
    assert stat.S_IMODE(file.stat().st_mode) == 0o660


def test_a_use_that_cannot_be_noted_is_told(monkeypatch, capsys):
    entry().put(made("output.npz"))
    monkeypatch.setattr(os, "utime", refuse)
    assert entry().take("taken.npz")
    assert "cache: cannot note that it is in use, so pruning may remove it: another user's" in capsys.readouterr().out


def refuse(*_, **__):
    raise PermissionError("another user's")


def take(attempt, folder, output=OUTPUT):
    job = SimpleNamespace(config={"cache": folder}, output=[attempt.path(output)], threads=1)
    return shared_cache.take_shared(job, attempt, torch.device("cpu"))


@pytest.fixture
def hurry(monkeypatch):
    """Nobody waits."""

    def sleep(_):
        raise AssertionError("it waits")

    monkeypatch.setattr(shared_cache, "time", SimpleNamespace(sleep=sleep))


UNUSABLE = ["~nobody-at-all/x", "x" * 300, "a\0b", "a\udcffb", "/dev/null/x", "file", "file/x", "link", "loop"]


@pytest.mark.parametrize("root", UNUSABLE)
def test_a_folder_that_cannot_be_is_told_and_costs_nothing_else(root, hurry, capsys):
    Path("file").write_text("mine")
    Path("link").symlink_to("nowhere/at/all")
    Path("loop").symlink_to("loop")
    attempt = Attempt([OUTPUT], RECORD)
    with attempt.running():
        assert not take(attempt, root)
        made(attempt.path(OUTPUT))
    told = capsys.readouterr().out
    told.encode()
    assert told.startswith("cache: ") and Path(OUTPUT).exists() and Path("file").read_text() == "mine"
    assert sorted(path.name for path in Path().iterdir()) == ["file", "link", "loop", "results"]


def test_who_is_at_work_may_have_any_folder(folder, monkeypatch):
    strange = folder / "home\udcff\n x"
    strange.mkdir()
    monkeypatch.chdir(strange)
    assert not entry().take_or_lock("one.npz") and len(LOCK.read_text().splitlines()) == 1


def endless(path):
    path.symlink_to("/dev/zero")


def sparse(path):
    with open(path, "wb") as file:
        file.truncate(shared_cache.MAX_BYTES + 1)


@pytest.mark.parametrize("junk", [os.mkfifo, endless, sparse, lambda path: path.symlink_to("nowhere"), Path.mkdir])
def test_only_moderate_regular_files_are_taken(junk, capsys):
    """Half a minute is far more than a look takes: a pipe would wait for ever, a device fill the disk."""
    Path("cache/ab").mkdir(parents=True)
    junk(Path(f"cache/ab/{KEY}-{'cd' * 32}.npz"))
    start = time.monotonic()
    assert not entry().take_or_lock("taken.npz") and not Path("taken.npz").exists()
    assert time.monotonic() - start < 30 and "cache: " in capsys.readouterr().out


def test_an_entry_may_be_a_link_to_a_file():
    entry().put(made("output.npz"))
    (file,) = stored()
    file.rename("elsewhere.npz")
    file.symlink_to(Path("elsewhere.npz").absolute())
    assert entry().take("taken.npz") and Path("taken.npz").read_bytes() == Path("output.npz").read_bytes()


def test_what_nobody_would_take_is_not_put(monkeypatch, capsys):
    monkeypatch.setattr(shared_cache, "MAX_BYTES", 100)
    entry().put(made("output.npz"))
    assert not stored() and "cache: not shared: " in capsys.readouterr().out


@pytest.mark.parametrize("junk", [os.mkfifo, endless, sparse, lambda path: path.symlink_to("nowhere"), Path.mkdir])
def test_what_is_no_lock_holds_nobody_up(junk, hurry):
    LOCK.parent.mkdir(parents=True)
    junk(LOCK)
    mine = entry()
    assert not mine.take_or_lock("one.npz")
    with mine.kept("one.npz"):
        made("one.npz")
    assert entry().take("two.npz")


def test_what_a_killed_writer_left_is_not_taken():
    Path("cache/ab").mkdir(parents=True)
    Path("cache/ab/.1234.part").write_bytes(made("output.npz").read_bytes()[:500])
    assert not entry().take("taken.npz")


def need(told, output):
    """Need an entry, and tell whether it is "took" or "makes"; who makes it waits until it may end."""
    mine = entry()
    if mine.take_or_lock(output):
        told.send("took")
    else:
        with mine.kept(output):
            told.send("makes")
            told.recv()
            made(output)
        told.send("made")
    told.recv()


@pytest.fixture
def start(monkeypatch):
    monkeypatch.setattr(shared_cache, "PAUSES", (0.01, 0.05))
    with starting(lambda output, work=need: Job(work, output)) as start:
        yield start


def maker_of(jobs):
    """The one of some jobs that makes the entry; the others wait."""
    multiprocessing.connection.wait([job.told for job in jobs], 30)
    said = [job.says(0.3) for job in jobs]
    assert sorted(filter(None, said)) == ["makes"]
    return jobs[said.index("makes")]


def test_of_many_who_need_the_same_one_makes_it_and_all_get_it(start):
    jobs = [start(f"output{number}.npz") for number in range(4)]
    maker_of(jobs).goes_on()
    assert sorted(job.says() for job in jobs) == ["made", "took", "took", "took"]
    assert len({Path(f"output{number}.npz").read_bytes() for number in range(4)}) == 1
    assert [file.suffix for file in stored()] == [".npz"]


def test_who_waits_says_so_once_and_the_lock_names_who_is_waited_for(start, monkeypatch, capsys):
    owner, pauses = start("one.npz"), []
    assert owner.says() == "makes"
    assert LOCK.read_text().startswith(f"process {owner.process.pid} on ")

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 5:
            owner.goes_on()
            assert owner.says() == "made"

    monkeypatch.setattr(shared_cache, "time", SimpleNamespace(sleep=sleep))
    assert entry().take_or_lock("two.npz")
    assert capsys.readouterr().out.splitlines() == [
        f"cache: waiting for the job that makes the same: {LOCK}",
        f"cache: taken from {stored()[0]}",
    ]
    assert pauses == sorted(pauses) and len(set(pauses)) > 1 and pauses[-1] == shared_cache.PAUSES[1]


def test_after_a_kill_who_waits_goes_on_at_once_and_so_does_who_comes(start, hurry):
    owner = start("one.npz")
    assert owner.says() == "makes"
    owner.kill()
    assert LOCK.exists() and not entry().take_or_lock("two.npz")


def test_a_kill_lets_one_of_those_who_wait_work(start):
    owner = start("one.npz")
    assert owner.says() == "makes"
    waiting = [start("two.npz"), start("three.npz")]
    assert [job.says(0.5) for job in waiting] == [None, None]
    owner.kill()
    maker_of(waiting).goes_on()
    assert sorted(job.says() for job in waiting) == ["made", "took"]


def test_a_lock_that_was_removed_is_nobodys(start):
    """As who waits may do for a job that hangs."""
    owner = start("one.npz")
    assert owner.says() == "makes"
    waiting = start("two.npz")
    assert waiting.says(0.5) is None
    LOCK.unlink()
    assert waiting.says() == "makes"
    for job in (owner, waiting):
        job.goes_on()
        assert job.says() == "made"
    assert entry().take("three.npz")


def test_what_is_put_just_before_the_lock_is_free_is_taken(monkeypatch):
    lock = Entry._is_our_turn

    def put_and_lock(late):
        entry().put(made("one.npz"))
        return lock(late)

    monkeypatch.setattr(Entry, "_is_our_turn", put_and_lock)
    assert entry().take_or_lock("two.npz") and [file.suffix for file in stored()] == [".npz"]


def test_a_lock_that_cannot_be_removed_is_free_all_the_same(hurry, monkeypatch):
    owner = entry()
    assert not owner.take_or_lock("one.npz")
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(KeyError), owner.kept("one.npz"):
        raise KeyError
    assert LOCK.exists() and not entry().take_or_lock("two.npz")


@pytest.mark.parametrize("error", [errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK])
def test_without_locks_each_makes_it(error, hurry, monkeypatch, capsys):
    def flock(*_):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(fcntl, "flock", flock)
    one, two = entry(), entry()
    for number, each in enumerate((one, two)):
        assert not each.take_or_lock(f"{number}.npz")
        assert capsys.readouterr().out.startswith("cache: no lock, so other jobs may make the same beside this one: ")
    for number, each in enumerate((one, two)):
        with each.kept(f"{number}.npz"):
            made(f"{number}.npz")
    assert entry().take("taken.npz") and Path("taken.npz").read_bytes() == Path("0.npz").read_bytes()
    for file in stored():
        os.utime(file, (0, 0))
    prune_cache.main(["cache", "--prune", "1"])
    assert not stored()


def orphan(told, output):
    """A job whose Snakemake was killed; it saves when it is told to, and lives on."""
    attempt = Attempt([output], RECORD)
    with contextlib.suppress(Superseded), attempt.running():
        assert not take(attempt, "cache", output)
        told.send("makes")
        told.recv()
        made(attempt.journal)
        told.send("saved")
    told.send("ended")
    told.recv()


def test_a_successor_does_not_wait_for_the_orphan(start, hurry, capsys):
    """Which may hang, and can publish nothing."""
    earlier = start(OUTPUT, orphan)
    assert earlier.says() == "makes"
    attempt = Attempt([OUTPUT], RECORD)
    with attempt.running():
        assert not take(attempt, "cache")
        assert "cache: not waiting for an earlier attempt at this job: cache/" in capsys.readouterr().out
        made(attempt.path(OUTPUT))
    (shared,) = [file for file in stored() if file.suffix != ".lock"]
    assert Path(OUTPUT).read_bytes() == shared.read_bytes()
    earlier.goes_on()
    assert earlier.says() == "ended"
    assert stored() == [shared]


def test_a_repeated_job_waits_for_another(start, monkeypatch):
    """The lock says whose it is, and that is not its own earlier attempt, which has left no more than a folder."""
    other, pauses = start("results/other.npz", orphan), []
    assert other.says() == "makes"
    Attempt([OUTPUT], RECORD)
    attempt = Attempt([OUTPUT], RECORD)
    assert attempt.is_repeat

    def sleep(seconds):
        pauses.append(seconds)
        other.kill()

    monkeypatch.setattr(shared_cache, "time", SimpleNamespace(sleep=sleep))
    assert not take(attempt, "cache") and len(pauses) == 1


def test_a_failure_shares_nothing_and_lets_the_next_one_work():
    failing = entry()
    assert not failing.take_or_lock("one.npz")
    with pytest.raises(KeyError), failing.kept("one.npz"):
        raise KeyError
    assert not stored() and not entry().take_or_lock("two.npz")


def test_a_cache_that_cannot_be_used_costs_nothing_but_a_line(capsys):
    Path("cache").write_text("no folder")
    made("one.npz")
    mine = entry()
    assert not mine.take_or_lock("one.npz")
    with mine.kept("one.npz"):
        pass
    assert "cache: not shared: " in capsys.readouterr().out


def test_pruning_takes_what_was_long_unused_and_old_leftovers(capsys):
    for number, days in enumerate((1, 50, 100)):
        entry(key=f"{number:064x}").put(made("output.npz", number))
        (file,) = Path("cache").rglob(f"{number:064x}-*")
        os.utime(file, (time.time() - 86400 * days,) * 2)
    for name, days in (("a.lock", 3), ("b.lock", 0), (".c.part", 3)):
        Path("cache/00", name).touch()
        os.utime(Path("cache/00", name), (time.time() - 86400 * days,) * 2)
    at_work = entry(key=f"{3:064x}")
    assert not at_work.take_or_lock("output.npz")
    os.utime(f"cache/00/{3:064x}.lock", (time.time() - 86400 * 3,) * 2)
    Path("cache/mine.txt").touch()
    os.utime("cache/mine.txt", (0, 0))
    prune_cache.main(["cache"])
    assert "3 results" in capsys.readouterr().out and len(stored()) == 8
    prune_cache.main(["cache", "--prune", "30"])
    left = {file.name.partition("-")[0] for file in stored()}
    assert left == {f"{0:064x}", "b.lock", f"{3:064x}.lock", "mine.txt"}


def test_pruning_goes_on_where_a_file_vanishes_or_stays(monkeypatch, capsys):
    for number in range(2):
        entry(key=f"{number:064x}").put(made("output.npz", number))
    Path("cache/00/gone.lock").symlink_to("nowhere")  # as one that vanishes between two looks
    for file in stored():
        os.utime(file, (0, 0))
    first, removed = stored()[0], Path.unlink
    monkeypatch.setattr(Path, "unlink", lambda file, **rest: refuse() if file == first else removed(file, **rest))
    with pytest.raises(SystemExit, match=f"1 files could not be removed, the first of them {first}"):
        prune_cache.main(["cache", "--prune", "1"])
    assert stored() == [first] and "removed: 1 results" in capsys.readouterr().out


def test_without_a_cache_nothing_is_shared():
    Path("results").mkdir()
    assert not take(Attempt([OUTPUT], RECORD), None) and not Path("cache").exists()


def test_what_a_job_puts_to_the_cache_has_its_record():
    Path("results").mkdir()
    attempt = Attempt([OUTPUT], RECORD)
    with attempt.running():
        assert not take(attempt, "cache")
        artifacts.save(attempt.path(OUTPUT), "model", {"weights": np.zeros(3)}, {})
    (file,) = stored()
    assert result_records.read(file) == RECORD and file.read_bytes() == Path(OUTPUT).read_bytes()
    assert take(Attempt([OUTPUT], RECORD), "cache")
