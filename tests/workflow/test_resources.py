"""What rules ask for, what profiles make of it, and what jobs then used."""

import re
import subprocess
import sys

import pytest
import yte

from workflow.fingerprint import ROOT, closure

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
    command = [sys.executable, "-m", "workflow.requested", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("name", JOBS)
def test_every_rule_declares_what_it_needs(name):
    """CPUs, memory and time, which grow when a job is tried again; a GPU where a network is built."""
    for resource in (r"threads: \d", r"mem_mb=growing\(\d+\)", r"runtime=growing\(\d+\)"):
        assert re.search(resource, JOBS[name]), resource
    builds_network = ROOT / "lmia/checkpoints.py" in closure(ROOT / f"workflow/scripts/{name}.py")
    assert builds_network == (name in ON_GPU)


def test_rules_on_a_gpu_have_their_partition_in_slurm():
    assert profile("slurm")["set-resources"].keys() == ON_GPU


def test_partitions_and_account_come_from_the_environment(monkeypatch):
    for variable, value in {"SBATCH_ACCOUNT": "us", "SBATCH_PARTITION": "small", "LMIA_GPU_PARTITION": "fast"}.items():
        monkeypatch.setenv(variable, value)
    made = profile("slurm")
    assert (
        made["default-resources"]["slurm_account"] == "us" and made["default-resources"]["slurm_partition"] == "small"
    )
    assert {entry["slurm_partition"] for entry in made["set-resources"].values()} == {"fast"}


@pytest.mark.parametrize("name", CLUSTERS)
def test_only_cheap_jobs_share_one_job(name):
    """When one of a group fails, all of it is done again."""
    assert set(profile(name)["groups"]) < JOBS.keys() - ON_GPU


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
