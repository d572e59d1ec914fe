"""Jobs that are killed, or that outlive their Snakemake: what was done is not done again, and nothing is spoilt."""

import os
import shutil
import signal

import pytest

from tests.workflow.conftest import make_checkout
from tests.workflow.faulty import MODEL, STUDY, Faulty
from tests.workflow.harness.processes import is_running, parent, wait_for

# An edit of the code of a search, and by other words in the same file it can be taken back.
FEWER_PROBES = "lmia/boundary/schedules.py", "initial_probes=20, growth=0.25", "initial_probes=10, growth=0.25"
POOL = STUDY | {"splits": "pool", "seeds": ["0-5"], "attacks": ["crossed"]}
CROSSED = {"kind": "yoqo", "steps": 20, "end": 1e-9}  # whose searches never end before
CELL = "small/n30-none/0-1/target"
DISTANCES = f"results/distances/{CELL}/boundary.npz"
TARGETS = {  # by script
    "train_model": f"results/models/{CELL}.npz",
    "search_boundary": DISTANCES,
    "query_labels": f"results/answers/{CELL}/noise.npz",
    "query_white_box": f"results/white_box/{CELL}/gradients.npz",
    "craft_queries": "results/crafted/pool/n30-none/crossed.npz",
}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A finished checkout."""
    checkout = Faulty(make_checkout(tmp_path_factory.mktemp("faults") / "whole").path)
    (checkout.path / "plugins").mkdir()
    (checkout.path / "plugins/noted.py").write_text(MODEL)
    changes = {"models": {"noted": {"kind": "plugins.noted"}}, "figures": {}}
    changes["studies"] = {"small": STUDY, "pool": POOL}
    checkout.configure(lambda config: config.update(changes))
    checkout.configure(lambda config: config["queries"].update(crossed=CROSSED))
    checkout.configure(lambda config: config["attacks"].update(crossed={"kind": "kept", "reads": "crossed"}))
    checkout.snakemake("results/models/pool/n30-none/0-5/target.npz")
    checkout.forget()  # its calls are none of those that are counted
    checkout.snakemake(*TARGETS.values())
    return checkout


@pytest.fixture
def faulty(undisturbed, tmp_path):
    shutil.copytree(undisturbed.path, tmp_path / "copy", symlinks=True)
    checkout = Faulty(tmp_path / "copy")
    shutil.copy(undisturbed.noted, checkout.noted)
    yield checkout
    for pid in filter(is_running, checkout.caught):  # whom a failed test left behind
        os.kill(pid, signal.SIGKILL)
    for run in checkout.started:
        run.kill()


@pytest.mark.slow
@pytest.mark.parametrize("script", TARGETS)
def test_a_killed_job_goes_on_and_ends_with_the_same_bytes(faulty, script):
    target = TARGETS[script]
    (whole,) = (n for (_, name), n in faulty.calls().items() if name == script)
    expected = (faulty.path / target).read_bytes()
    faulty.forget(target)
    started = faulty.start(target)
    os.kill(faulty.catch(0.5 * whole), signal.SIGKILL)
    assert started.wait(60) == 1 and not (faulty.path / target).exists()
    before = sum(faulty.calls().values())
    faulty.forget()
    faulty.snakemake(target)
    after = sum(faulty.calls().values())
    assert (faulty.path / target).read_bytes() == expected
    assert after < 0.6 * whole and before + after < 1.2 * whole
    assert not any((faulty.path / "results/.partial").iterdir())
    assert "Nothing to be done" in faulty.snakemake(target)


@pytest.mark.slow
@pytest.mark.parametrize("is_edited", [False, True])
def test_an_orphan_spoils_nothing_and_leaves_its_work_to_its_successor(faulty, is_edited):
    """is_edited: the code of the search was changed after its Snakemake was killed."""
    (whole,) = (n for (_, name), n in faulty.calls().items() if name == "search_boundary")
    old = (faulty.path / DISTANCES).read_bytes()
    faulty.forget(DISTANCES)
    started = faulty.start(DISTANCES)
    orphan = faulty.catch(0.5 * whole)
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    os.kill(orphan, signal.SIGSTOP)
    if is_edited:
        faulty.edit(*FEWER_PROBES)
    faulty.forget()
    faulty.snakemake("--unlock")
    faulty.snakemake(DISTANCES)
    new = (faulty.path / DISTANCES).read_bytes()
    assert (new != old) == is_edited
    assert (sum(faulty.calls().values()) > 0.8 * whole) == is_edited
    os.kill(orphan, signal.SIGCONT)
    wait_for(lambda: not is_running(orphan))
    assert (faulty.path / DISTANCES).read_bytes() == new
    assert not any((faulty.path / "results/.partial").iterdir())
    assert "Nothing to be done" in faulty.snakemake(DISTANCES)


@pytest.mark.slow
def test_with_a_shared_cache_a_successor_does_not_wait_for_the_orphan(faulty):
    old = (faulty.path / DISTANCES).read_bytes()
    faulty.configure(lambda config: config.update(cache="../cache"))
    faulty.forget(DISTANCES)
    started = faulty.start(DISTANCES)
    orphan = faulty.catch(1)
    os.kill(orphan, signal.SIGSTOP)
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    faulty.snakemake("--unlock")
    log = faulty.path / f"results/logs/distances/{CELL}/boundary.log"
    log.unlink()
    successor = faulty.start(DISTANCES)
    assert successor.wait(120) == 0 and is_running(orphan)
    assert "not waiting for an earlier attempt" in log.read_text()
    assert "work goes on" in log.read_text() and (faulty.path / DISTANCES).read_bytes() == old
    os.kill(orphan, signal.SIGCONT)
    wait_for(lambda: not is_running(orphan))
    assert (faulty.path / DISTANCES).read_bytes() == old
    assert [file.suffix for file in (faulty.path.parent / "cache").glob("*/*")] == [".npz"]


@pytest.mark.slow
@pytest.mark.parametrize("is_killed", [False, True])
def test_an_orphan_in_a_cluster_does_not_clean_up_after_its_successor(faulty, is_killed):
    """It is superseded, or killed by the cluster, and its own Snakemake takes it for a failed job."""
    (whole,) = (n for (_, name), n in faulty.calls().items() if name == "search_boundary")
    expected = (faulty.path / DISTANCES).read_bytes()
    faulty.forget(DISTANCES)
    started = faulty.start(DISTANCES, *faulty.cluster())
    orphan = faulty.catch(0.5 * whole)
    nested = parent(parent(orphan))  # its own parent is a shell
    faulty.caught.append(nested)
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    os.kill(orphan, signal.SIGSTOP)
    faulty.snakemake("--unlock")
    faulty.snakemake(DISTANCES)
    os.kill(orphan, signal.SIGKILL if is_killed else signal.SIGCONT)
    wait_for(lambda: not is_running(nested))
    assert (faulty.path / DISTANCES).read_bytes() == expected
    assert "Nothing to be done" in faulty.snakemake(DISTANCES)


@pytest.mark.slow
@pytest.mark.parametrize("is_late", [False, True])
def test_an_orphan_that_waits_in_the_queue_does_nothing(faulty, is_late):
    """It has other settings than its successor, which is at work when it starts, or has ended (is_late)."""
    expected = (faulty.path / DISTANCES).read_bytes()
    faulty.forget(DISTANCES)
    queue, submitted = faulty.path / "queue", faulty.path / "queue-submitted"
    queue.touch()
    changed = ("--config", "save_every=0.1", 'queries={"boundary": {"budget": 60}}')
    started = faulty.start(DISTANCES, *faulty.cluster("queue"), *changed)
    wait_for(lambda: submitted.exists() and submitted.read_text().endswith("\n"))
    faulty.caught.append(orphan := int(submitted.read_text()))
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    faulty.snakemake("--unlock")
    successor = faulty.start(DISTANCES, *faulty.cluster(), delay=0 if is_late else 2)
    assert not is_late or successor.wait(300) == 0
    is_late or faulty.catch(1)
    queue.unlink()
    wait_for(lambda: not is_running(orphan))
    assert successor.poll() == (0 if is_late else None)
    faulty.delay.unlink()
    assert successor.wait(300) == 0
    assert (faulty.path / DISTANCES).read_bytes() == expected
    assert len({pid for pid, _ in faulty.calls()}) == 1  # the successor's
    assert "Nothing to be done" in faulty.snakemake(DISTANCES)


@pytest.mark.slow
@pytest.mark.parametrize("edited", ["settings", "code"])
def test_a_job_of_a_cluster_does_not_run_what_was_edited_since_it_was_planned(faulty, edited):
    """It reads all of it when it starts, and would publish results of two settings as one study."""
    faulty.forget(DISTANCES)
    queue, submitted = faulty.path / "queue", faulty.path / "queue-submitted"
    queue.touch()
    started = faulty.start(DISTANCES, *faulty.cluster("queue"), delay=0)
    wait_for(lambda: submitted.exists() and submitted.read_text().endswith("\n"))
    if edited == "settings":
        faulty.configure(lambda config: config["queries"]["boundary"].update(budget=60))
    else:
        faulty.edit(*FEWER_PROBES)
    queue.unlink()
    assert started.wait(180) == 1 and not (faulty.path / DISTANCES).exists() and not faulty.calls()
    log = (faulty.path / f"results/logs/distances/{CELL}/boundary.log").read_text()
    assert "the configuration, code or a file that this job reads was edited since the workflow was planned" in log
    faulty.snakemake(DISTANCES)
    assert "Nothing to be done" in faulty.snakemake(DISTANCES)


@pytest.mark.slow
def test_what_an_orphan_has_finished_is_not_done_again(faulty):
    expected = (faulty.path / DISTANCES).read_bytes()
    faulty.forget(DISTANCES)
    started = faulty.start(DISTANCES)
    orphan = faulty.catch(1)
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    wait_for(lambda: not is_running(orphan))
    assert (faulty.path / DISTANCES).read_bytes() == expected
    faulty.forget()
    faulty.snakemake("--unlock")
    assert faulty.pending(DISTANCES) == {"search_boundary": 1}  # as Snakemake cannot know better
    faulty.snakemake(DISTANCES)
    assert (faulty.path / DISTANCES).read_bytes() == expected and not faulty.calls()
    assert not any((faulty.path / "results/.partial").iterdir())
    assert "Nothing to be done" in faulty.snakemake(DISTANCES)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before it starts", "while it is at work"])
def test_no_work_of_edited_code_is_gone_on_with(faulty, moment):
    """moment: of the edit of a search's code, with Snakemake at work; later it is taken back."""
    expected = (faulty.path / DISTANCES).read_bytes()
    early = moment == "before it starts"
    faulty.forget(DISTANCES, *[TARGETS["train_model"]] * early)
    started = faulty.start(DISTANCES)
    faulty.catch(1)  # at training, where the model is to be trained first
    faulty.edit(*FEWER_PROBES)
    assert started.wait(120) == 1
    assert "was edited" in (faulty.path / f"results/logs/distances/{CELL}/boundary.log").read_text()
    scripts = {script for _, script in faulty.calls()}
    assert scripts == {"train_model"} if early else {"search_boundary"}
    assert not faulty.journals() and not (faulty.path / DISTANCES).exists()
    file, old, new = FEWER_PROBES
    faulty.edit(file, new, old)
    faulty.snakemake(DISTANCES)
    assert (faulty.path / DISTANCES).read_bytes() == expected
