"""What rules ask for, what profiles make of it, and what jobs then used."""

import os
import re
import shutil
import subprocess
import sys
import time

import pytest
import yte
from snakemake.profiles import ProfileConfigFileParser
from snakemake.resources import Resource

from tests.workflow.conftest import Checkout, make_checkout
from workflow.harness.fingerprint import ROOT, closure

RULES = "".join(file.read_text() for file in sorted((ROOT / "workflow/rules").glob("*.smk")))
# Name -> text of every rule that runs a script.
JOBS = {
    name: text for name, text in re.findall(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", RULES, re.M | re.S) if "script:" in text
}
ON_GPU = {name for name, text in JOBS.items() if "gpu=1" in text}
CLUSTERS = ("slurm", "cluster-generic")


def profile(name):
    with open(ROOT / f"profiles/{name}/config.yaml") as file:
        return yte.process_yaml(file, require_use_yte=True)


def requested(folder, *arguments):
    command = [sys.executable, "-m", "workflow.tools.resource_usage", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("name", JOBS)
def test_every_rule_declares_what_it_needs(name):
    """CPUs, memory and time, which grow when a job is tried again; a GPU where a network is built."""
    for resource in (r"threads: \d", r"mem_mb=growing\(\d+\)", r"runtime=growing\(\d+\)"):
        assert re.search(resource, JOBS[name]), resource
    (script,) = re.findall(r"scripts/\w+\.py", JOBS[name])
    builds_network = ROOT / "lmia/models/checkpoints.py" in closure(ROOT / "workflow" / script)
    assert builds_network == (name in ON_GPU)


def test_all_that_read_a_data_set_beside_a_model_ask_for_the_same_memory():
    readers = [text for name, text in JOBS.items() if name in ON_GPU | {"check_study"}]
    assert all("dataset=PATHS.dataset" in text for text in readers)
    assert {re.search(r"mem_mb=growing\((\d+)\)", text)[1] for text in readers} == {"4000"}


def planned(checkout, *arguments):
    """Rule -> resource -> value as text, of a plan for Slurm."""
    for file in (checkout.path / "workflow/rules").glob("*.smk"):  # a rule with a message is shown without resources
        file.write_text(re.sub(r"    message:\n.*\n", "", file.read_text()))
    text = checkout.snakemake("-n", "--profile", "profiles/slurm", *arguments)
    shown = re.findall(r"^rule (\w+):\n(?:    .*\n)*?    resources: (.*)$", text, re.M)
    return {rule: dict(entry.split("=", 1) for entry in resources.split(", ")) for rule, resources in shown}


# A partition of that name would be Python's function, if Snakemake evaluated it.
@pytest.mark.parametrize("partition", ["fast", "all"])
def test_rules_on_a_gpu_have_their_partition_whatever_else_is_set(fresh, monkeypatch, partition):
    """Snakemake takes all of --set-resources from the command line, or all from the profile."""
    monkeypatch.setenv("SBATCH_PARTITION", "small")
    monkeypatch.setenv("LMIA_GPU_PARTITION", partition)
    more = [f"search_boundary:{resource}*attempt" for resource in ("mem_mb=8000", "runtime=3000")]
    found = planned(fresh, "--set-resources", *more, "train_model:gpu=0", "query_labels:slurm_partition=mine")
    of_gpu = {rule: resources["slurm_partition"] for rule, resources in found.items() if rule in ON_GPU}
    assert len(of_gpu) > 4 and of_gpu.pop("query_labels") == "mine" and set(of_gpu.values()) == {partition}
    assert {found[rule]["slurm_partition"] for rule in found.keys() - ON_GPU} == {"small"}
    assert found["search_boundary"].items() >= {"mem_mb": "8000", "runtime": "3000"}.items()
    assert found["train_model"]["gpu"] == "0"


def test_every_rule_on_a_gpu_takes_their_partition_and_no_other_rule_does():
    assert {name for name, text in JOBS.items() if "**GPU_PARTITION," in text} == ON_GPU


def as_snakemake_reads(option):
    """Resource -> value of an option of the profile for Slurm, which Snakemake evaluates as Python."""
    with open(ROOT / "profiles/slurm/config.yaml") as file:
        given = ProfileConfigFileParser().parse(file)[option]
    found = {}
    for name, value in (entry.split("=", 1) for entry in given):
        found[name] = Resource.cli_evaluator(name, value, wildcards=None, input=None, attempt=1, async_run=None)
    return found


# Texts that are also Python, as `all` is, which many sites call a partition.
@pytest.mark.parametrize("account, partition", [("us", "small"), ("max", "all"), ("1", "1e3")])
def test_partition_and_account_come_from_the_environment(monkeypatch, account, partition):
    monkeypatch.setenv("SBATCH_ACCOUNT", account)
    monkeypatch.setenv("SBATCH_PARTITION", partition)
    made = as_snakemake_reads("default-resources")
    assert (made["slurm_account"], made["slurm_partition"]) == (account, partition)


def test_without_names_the_cluster_decides(fresh, monkeypatch):
    for name in ("SBATCH_ACCOUNT", "SBATCH_PARTITION", "LMIA_GPU_PARTITION"):
        monkeypatch.delenv(name, raising=False)
    assert as_snakemake_reads("default-resources")["slurm_partition"] is None
    assert not any("slurm_partition" in resources for resources in planned(fresh).values())


@pytest.mark.parametrize("name", CLUSTERS)
def test_only_cheap_jobs_share_one_job(name):
    """When one of a group fails, all of it is done again."""
    assert set(profile(name)["groups"]) < JOBS.keys() - ON_GPU


@pytest.mark.parametrize("name", CLUSTERS)
def test_many_jobs_of_seconds_are_few_jobs_of_the_cluster(name):
    """All that a study has once for each of its models, attacks or figures, but for what runs a model."""
    many = {rule for rule, text in JOBS.items() if re.search(r"results/[^\n]*(\{cell\}|\{figure\})", text)}
    assert set(profile(name)["groups"]) == many - ON_GPU


@pytest.mark.parametrize("name", CLUSTERS)
def test_jobs_of_a_group_do_not_wait_for_each_other_by_way_of_others(fresh, name):
    """Snakemake puts any eight of a name into one job, and refuses a plan where one needs what another begins."""
    groups = [f"{rule}={group}" for rule, group in profile(name)["groups"].items()]
    components = [f"{group}={n}" for group, n in profile(name)["group-components"].items()]
    fresh.configure(lambda config: config["studies"]["small"].update(shadows=2, seeds=[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]))
    text = fresh.snakemake("-n", "--groups", *groups, "--group-components", *components)
    assert text.count("Group job splitting") == 4  # 30 splits


@pytest.mark.parametrize("name", CLUSTERS)
def test_the_pages_name_all_groups_where_they_change_one(name):
    """Snakemake takes all of --group-components from the command line, or all from the profile."""
    text = "".join(page.read_text() for page in (ROOT / "docs").rglob("*.md"))
    told = re.findall(r"--group-components((?: \w+=\d+)+)", text)
    assert len(told) == 3
    for groups in told:
        assert dict(group.split("=") for group in groups.split()).keys() == profile(name)["group-components"].keys()


# The command that tells of a job, and what it says of one that runs.
SCHEDULERS = {"slurm": ("squeue", "RUNNING"), "lsf": ("bjobs", "RUN"), "sge": ("qstat", "anything")}


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_job_that_its_scheduler_knows_no_more_is_not_waited_for_for_ever(tmp_path, monkeypatch, name):
    command, running = SCHEDULERS[name]
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / ".snakemake").mkdir()

    def says(text):
        for asked in (command, "qacct"):
            told = f"echo {text}" if text and asked == command else "exit 1"
            (tmp_path / asked).write_text(f"#!/bin/sh\n{told}\n")
            (tmp_path / asked).chmod(0o755)

    def status():
        script = ["bash", ROOT / f"profiles/cluster-generic/{name}.sh", "status", "7"]
        return subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()

    def wait(minutes):
        (noted,) = (tmp_path / ".snakemake").iterdir()
        os.utime(noted, (time.time() - 60 * minutes,) * 2)

    says("")
    assert status() == "running"
    wait(20)
    assert status() == "running"
    says(running)
    assert status() == "running" and not list((tmp_path / ".snakemake").iterdir())
    says("")
    assert status() == "running"
    wait(40)
    assert status() == "failed"


def test_a_scheduler_gets_jobs_of_a_folder_of_ones_own(tmp_path, monkeypatch):
    """A stand-in for LSF runs what it is given at once; the workflow lies where a shell would take paths apart."""
    home, own = make_checkout(tmp_path / "its home").path, Checkout(tmp_path / "own")
    (own.path / "bin").mkdir(parents=True)
    shutil.copy2(home / "config.yaml", own.path)
    scheduler = {
        "bsub": 'echo "$@" >> asked; for script; do :; done; sh "$script" > ran 2>&1; echo "Job <7> is submitted."',
        "bjobs": "echo DONE",
        "bkill": 'echo "$@" > cancelled',
    }
    for name, does in scheduler.items():
        (own.path / "bin" / name).write_text(f"#!/bin/sh\n{does}\n")
        (own.path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{own.path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("LMIA_SCHEDULER", "lsf")
    ours, generic = ("--snakefile", str(home / "Snakefile")), ("--profile", str(home / "profiles/cluster-generic"))
    own.snakemake("results/data/digits.npz", *ours, *generic, "--seconds-between-status-checks", "1")
    assert (own.path / "results/data/digits.npz").exists()
    assert re.search(r"-J prepare_dataset -n 1 .*mem=5000MB", (own.path / "asked").read_text())
    with open(home / "profiles/cluster-generic/config.yaml") as file:
        cancel = ProfileConfigFileParser().parse(file)["cluster-generic-cancel-cmd"]
    subprocess.run([cancel, "7", "8"], cwd=own.path, check=True)
    assert (own.path / "cancelled").read_text() == "7 8\n"


@pytest.mark.parametrize("name, flag", [("slurm", "--no-requeue"), ("lsf", "-rn"), ("sge", "-r n")])
def test_only_snakemake_repeats_jobs(name, flag):
    assert re.search(rf"(sbatch|bsub|qsub)\b.* {flag} ", (ROOT / f"profiles/cluster-generic/{name}.sh").read_text())


def test_the_default_profile_caps_nothing():
    assert not profile("default").keys() & {"cores", "jobs", "resources", "default-resources", "set-resources"}


@pytest.mark.slow
def test_jobs_queue_for_the_gpus_of_one_machine(copy):
    models = [f"results/models/small/n60-none/0-1/{role}.npz" for role in ("target", "shadow0")]
    again = (*models, "--forcerun", "train_model")
    assert "Execute 2 jobs..." in copy.snakemake(*again)  # nobody said that GPUs are few: no queue
    text = copy.snakemake(*again, "--profile", "profiles/gpu")
    assert "Execute 2 jobs..." not in text and text.count("Execute 1 jobs...") == 2


def test_more_gpus_than_there_are_are_refused(fresh):
    more = ("-n", "--profile", "profiles/gpu", "--set-resources", "train_model:gpu=2")
    text = fresh.snakemake(*more, check=False)
    assert "train_model asks for 2 GPUs" in text and fresh.exit_code == 1
    fresh.snakemake(*more, "--resources", "gpu=2")


@pytest.mark.parametrize("asked", ["1 + 1", "attempt"])
def test_a_number_of_gpus_that_only_jobs_know_is_refused_where_there_is_a_cap(fresh, asked):
    """Snakemake would cut that down, too."""
    more = ("-n", "--set-resources", f"train_model:gpu={asked}")
    text = fresh.snakemake(*more, "--profile", "profiles/gpu", check=False)
    assert f"train_model asks for {asked} GPUs" in text and "or ask for a plain number" in text and fresh.exit_code == 1
    fresh.snakemake(*more)


def test_what_was_used_is_shown_beside_what_was_asked_for(copy):
    done = requested(copy.path)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    assert rows.keys() - {"rule"} <= JOBS.keys() and len(rows) == 18
    jobs, memory, used_memory, time, used_time = map(float, rows["train_model"])
    assert (jobs, memory, time) == (2, 4000, 240) and 50 < used_memory < memory and 0 <= used_time < 2
    (file,) = (copy.path / "results/benchmarks/data").glob("*.tsv")
    file.write_text(re.sub(r"'mem_mb': \d+", "'mem_mb': 1", file.read_text()))
    done = requested(copy.path)
    assert done.returncode == 1 and "1 used more than asked for" in done.stdout


def test_results_without_requests_are_told(tmp_path):
    done = requested(ROOT, str(tmp_path))
    assert done.returncode == 1 and "no benchmark file" in done.stderr
