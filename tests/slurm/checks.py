"""A small study through a real Slurm, while a job, a node and Snakemake itself are lost. Started by run.sh."""

import os
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.workflow.conftest import ROOT, make_checkout

# What a user of this cluster would export.
SITE = {"SBATCH_PARTITION": "all", "LMIA_GPU_PARTITION": "gpu", "LMIA_SCHEDULER": "slurm"}
# Less waiting than the profile prescribes, for the sake of a controller that others use too.
PATIENCE = "--seconds-between-status-checks 1 --latency-wait 10"
MODEL = "models/small/n60-none/0-1/target"
GPU_RULES = {"train_model", "query_labels", "search_boundary"}


def small(config):
    """Few jobs, as each costs Slurm 5 s, and a search that lasts long enough to be interrupted."""
    config["queries"] = {"original": {"kind": "original"}, "boundary": {"kind": "hopskipjump", "budget": 1000}}
    config["attacks"] = {
        "gap": {"kind": "gap", "reads": "original"},
        "boundary": {"kind": "distance", "reads": "boundary"},
    }
    config["figures"] = {}


def readme_command():
    """The line of README.md that runs the study of config.yaml on a cluster."""
    (command,) = re.findall(r"^snakemake --profile profiles/slurm$", (ROOT / "README.md").read_text(), re.M)
    return command


def start(checkout, command, nice=0):
    """A command in a checkout, in the background, with its output in run.log."""
    with open(checkout.path / "run.log", "w") as log:
        environment = os.environ | SITE
        arguments = ["nice", "-n", str(nice), sys.executable, "-m", *command.split()]
        return subprocess.Popen(arguments, cwd=checkout.path, stdout=log, stderr=log, env=environment)


def finish(run, checkout, seconds=900):
    try:
        assert run.wait(seconds) == 0, (checkout.path / "run.log").read_text()[-5000:]
    finally:
        run.kill()


def wait_for(condition, run, seconds=300):
    for _ in range(5 * seconds):
        if found := condition():
            return found
        assert run.poll() is None, "the run ended before it could be disturbed"
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s")


def records():
    """What Slurm knows of each job since it started, with the rule (or group of rules) and what it was made for."""
    shown = subprocess.run(["scontrol", "-o", "show", "job"], capture_output=True, text=True, check=True, timeout=20)
    lines = [line for line in shown.stdout.splitlines() if "Comment=" in line]
    jobs = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in lines]
    for job in jobs:
        job["rule"] = re.match("rule_(splitting|scoring|GROUP|[a-z]+_[a-z]+)", job["Comment"])[1]
    return jobs


def running(rule, checkout, log):
    """Slurm's records of the jobs of a rule that are in the middle of their work, as their log says."""
    found = [job for job in records() if job["rule"] == rule and job["JobState"] == "RUNNING"]
    return found if (checkout.path / "results/logs" / log).exists() else []


def disturb(run, checkout):
    """Cancel a training and cut a node's power during a search; returns what was finished before that."""
    (job, *_) = wait_for(lambda: running("train_model", checkout, f"{MODEL}.log"), run)
    subprocess.run(["scancel", job["JobId"]], check=True, timeout=20)
    (job, *_) = wait_for(
        lambda: running("search_boundary", checkout, "distances/small/n60-none/0-1/target/boundary.log"), run
    )
    names = ("data/digits", *(f"splits/small/n60-none/0-1/{role}" for role in ("target", "shadow0")), MODEL)
    finished = {file: file.stat().st_mtime_ns for file in (checkout.path / f"results/{name}.npz" for name in names)}
    cluster = ["bash", ROOT / "tests/slurm/cluster.sh"]
    folder = Path("/etc/slurm/slurm.conf").resolve().parent
    subprocess.run([*cluster, "kill-node", folder, job["NodeList"]], check=True)
    wait_for(lambda: [lost for lost in records() if lost["JobState"] == "NODE_FAIL"], run)
    subprocess.run([*cluster, "start-node", folder, job["NodeList"]], check=True)
    return finished


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The study as Slurm ran it and as this machine did, and the files that were finished before a node was lost."""
    checkouts = [make_checkout(tmp_path_factory.mktemp(name) / "study") for name in ("cluster", "local")]
    for checkout in checkouts:
        checkout.configure(small)
    cluster, local = checkouts
    remote = start(cluster, f"{readme_command()} --slurm-init-seconds-before-status-checks 1 {PATIENCE}")
    here = start(local, "snakemake --cores 2", nice=10)
    try:
        finished = disturb(remote, cluster)
    except BaseException:
        remote.kill()
        raise
    finally:
        finish(here, local)
    finish(remote, cluster)
    return cluster, local, finished


def test_every_job_ran_in_slurm_and_was_finished_once(study):
    rules = Counter(job["rule"] for job in records() if job["JobState"] == "COMPLETED")
    expected = {"prepare_dataset": 1, "check_study": 1, "train_model": 2, "query_labels": 2, "search_boundary": 2}
    expected |= {"splitting": 1, "scoring": 1, "tabulate_study": 1, "tabulate_metrics": 1}  # two and five jobs in one
    assert rules == expected
    assert {job["NodeList"] for job in records()} == {"n1", "n2"}


def test_results_are_those_of_a_local_run(study):
    cluster, local, _ = study
    folders = (
        "metrics.csv",
        *(f"{name}/**/*" for name in ("data", "splits", "models", "answers", "distances", "scores")),
    )
    ours, theirs = cluster.results(*folders), local.results(*folders)
    assert ours.keys() == theirs.keys() and len(ours) == 1 + 1 + 2 + 2 + 2 + 2 + 2
    assert [name for name in ours if ours[name] != theirs[name]] == []


def test_gpus_are_asked_for_by_exactly_the_rules_that_declare_them(study):
    for job in records():
        asked = (job.get("TresPerJob"), job["Partition"])
        assert asked == (("gres:gpu:1", "gpu") if job["rule"] in GPU_RULES else (None, "all")), job


def test_a_cancelled_job_and_a_lost_node_cost_what_ran_there_alone(study):
    cluster, _, finished = study
    assert {file: file.stat().st_mtime_ns for file in finished} == finished
    tries = defaultdict(list)
    for job in sorted(records(), key=lambda job: int(job["JobId"])):
        tries[job["Comment"]].append(job)
    again = [jobs for jobs in tries.values() if len(jobs) > 1]
    lost = {job["JobState"] for *earlier, _ in again for job in earlier}  # a second try may be on the lost node, too
    # FAILED: sent to a node that was gone, before Slurm knew.
    assert {"CANCELLED", "NODE_FAIL"} <= lost <= {"CANCELLED", "NODE_FAIL", "FAILED"} and len(again) <= 3
    for jobs in again:  # each asks for more
        assert jobs[-1]["JobState"] == "COMPLETED" and len({job["TimeLimit"] for job in jobs}) == len(jobs)
        memory = [int(re.search(r"mem=(\d+)M", job["TRES"])[1]) for job in jobs]
        assert memory == [4000 * (number + 1) for number in range(len(jobs))]
    assert "Nothing to be done" in cluster.snakemake()


def test_jobs_see_the_gpus_that_slurm_gives_them(study):
    cluster, local, _ = study

    def shown(checkout):
        logs = [file.read_text() for file in (checkout.path / "results/logs/models").rglob("*.log")]
        worked = [text for text in logs if "taken from what was made before" not in text]  # or cancelled as it ended
        found = [re.search("^device: cpu; CUDA_VISIBLE_DEVICES: (.*)$", text, re.M) for text in worked]
        assert len(logs) == 2 and worked and all(found), logs
        return {one[1] for one in found}

    assert shown(cluster) <= {"0", "1"}
    assert shown(local) == {os.environ.get("CUDA_VISIBLE_DEVICES", "not set")}


def long_trainings(config):
    """Twice as many as there are GPUs, so that some wait in the queue."""
    small(config)
    config["studies"]["small"] |= {"seeds": ["0-1", "2-3"], "training": {"max_epochs": 14000, "patience": 14000}}


def test_snakemake_is_killed_and_the_same_command_loses_nothing(tmp_path):
    """Its running jobs live on beside those that the second one submits for the same files; pending ones do nothing.

    The second one's need no GPU, and so need not wait for the GPUs of the earlier ones.
    """
    cluster, local = [make_checkout(tmp_path / name) for name in ("cluster", "local")]
    for checkout in (cluster, local):
        checkout.configure(long_trainings)
    models = [f"results/models/small/n60-none/{s}/{r}.npz" for s in ("0-1", "2-3") for r in ("target", "shadow0")]
    here = start(local, f"snakemake --cores 1 {' '.join(models)}", nice=10)
    before = {job["JobId"] for job in records()}

    def trainings():
        return [job for job in records() if job["rule"] == "train_model" and job["JobId"] not in before]

    options = f"--slurm-init-seconds-before-status-checks 1 {PATIENCE}"
    command = f"snakemake --profile profiles/slurm {' '.join(models)} {options}"
    run = start(cluster, command)
    wait_for(lambda: sorted(job["JobState"] for job in trainings()) == ["PENDING"] * 2 + ["RUNNING"] * 2, run)
    logs = cluster.path / "results/logs/models"
    wait_for(lambda: sum("device:" in log.read_text() for log in logs.rglob("*.log")) == 2, run)  # at work
    run.kill()
    run.wait()
    orphans = {job["JobId"]: job["JobState"] for job in trainings()}
    pending, at_work = [[name for name in orphans if orphans[name] == state] for state in ("PENDING", "RUNNING")]
    subprocess.run(["scontrol", "hold", *pending], check=True, timeout=20)
    subprocess.run(["scancel", "--signal=STOP", *at_work], check=True, timeout=20)  # or it ends before its successor is
    of_orphans = list((cluster.path / "results/.partial").iterdir())
    cluster.snakemake("--unlock")
    second = start(cluster, f"{command} --set-resources train_model:gpu=0")
    wait_for(lambda: not any(folder.exists() for folder in of_orphans), second)  # successors have taken over
    subprocess.run(["scancel", "--signal=CONT", *at_work], check=True, timeout=20)
    subprocess.run(["scontrol", "release", *pending], check=True, timeout=20)
    finish(second, cluster)
    for _ in range(600):
        if not {"RUNNING", "PENDING", "COMPLETING"} & {job["JobState"] for job in trainings()}:
            break
        time.sleep(0.5)
    ended = {job["JobId"]: job["JobState"] for job in trainings()}
    assert {ended.pop(name) for name in pending} == {"FAILED"}  # before it has touched anything
    # Those that were at work stop at their next save. Where the outputs come later than a Snakemake waits for them, its
    # job ends FAILED and removes nothing. Their successors end well, at the first try.
    assert {ended.pop(name) for name in at_work} <= {"COMPLETED", "FAILED"}
    assert len(at_work) == len(of_orphans) == 2 and list(ended.values()) == ["COMPLETED"] * 4
    finish(here, local)
    ours, theirs = (checkout.results("data/**/*", "splits/**/*", "models/**/*") for checkout in (cluster, local))
    assert ours.keys() == theirs.keys() and len(ours) == 1 + 4 + 4
    assert [name for name in ours if ours[name] != theirs[name]] == []
    assert "Nothing to be done" in cluster.snakemake(*models)


def test_the_generic_executor_repeats_a_cancelled_job_too(tmp_path):
    checkout = make_checkout(tmp_path / "study")
    checkout.configure(small)
    before = {job["JobId"] for job in records()}
    run = start(checkout, f"snakemake --profile profiles/cluster-generic results/{MODEL}.npz {PATIENCE}")
    (job, *_) = wait_for(lambda: running("train_model", checkout, f"{MODEL}.log"), run)
    subprocess.run(["scancel", job["JobId"]], check=True, timeout=20)
    finish(run, checkout)
    jobs = [job for job in records() if job["JobId"] not in before]
    asked = Counter((job["rule"], job.get("TresPerJob"), job["JobState"]) for job in jobs)
    assert asked == {
        ("prepare_dataset", None, "COMPLETED"): 1,
        ("GROUP", None, "COMPLETED"): 1,  # of one split
        ("train_model", "gres:gpu:1", "CANCELLED"): 1,
        ("train_model", "gres:gpu:1", "COMPLETED"): 1,
    }
