"""Which GPU a job gets: one of its own, by locks among real processes; the GPUs are made up."""

import os
import stat
import tempfile
from functools import partial
from types import SimpleNamespace

import pytest
import torch

from tests.workflow.harness.processes import Job, starting
from workflow.harness import gpu_locks
from workflow.harness.job import BadInput


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch):
    """A machine with two GPUs; a scheduler may show jobs some of them, counted from 0."""

    def shown():
        return os.environ.get("CUDA_VISIBLE_DEVICES", "0,1").split(",")

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(shown()))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda n: SimpleNamespace(uuid=f"uuid {shown()[n]}"))
    monkeypatch.setattr(torch.cuda, "get_device_name", str)
    monkeypatch.setattr(gpu_locks, "INTERVAL", 0.01)
    gpu_locks.take_gpu.cache_clear()
    yield
    gpu_locks.take_gpu.cache_clear()


def job(device="cuda", gpu=1, **others):
    return SimpleNamespace(config={"device": device}, resources={"gpu": gpu}, **others)


def live(told, device="cuda", shown=None):
    """Take a device, tell which, and live on until told to end."""
    if shown is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = shown
    told.send(str(gpu_locks.take_device(job(device))))
    told.recv()


@pytest.fixture
def start():
    with starting(partial(Job, live)) as start:
        yield start


def test_two_jobs_get_two_gpus_and_a_third_waits_until_one_is_killed(start):
    first, second = start(), start("auto")
    assert sorted([first.says(), second.says()]) == ["cuda:0", "cuda:1"]
    third = start()
    assert third.says(0.5) is None
    second.kill()
    assert third.says() in ("cuda:0", "cuda:1")


def test_a_gpu_is_known_by_whatever_number_it_is_shown(start):
    """Slurm shows each of two jobs its own GPU as the first one."""
    assert [start("cuda", "0").says(), start("cuda", "1").says()] == ["cuda:0", "cuda:0"]
    assert start("cuda", "1").says(0.5) is None and start("cuda", "0,1").says(0.5) is None


def test_parts_of_one_gpu_are_apart(start, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda n: SimpleNamespace(uuid="the same"))
    assert [start("cuda", "MIG-a").says(), start("cuda", "MIG-b").says()] == ["cuda:0", "cuda:0"]
    assert start("cuda", "MIG-a").says(0.5) is None


def test_a_gpu_that_is_named_is_shared(start):
    assert [start("cuda:1").says(), start("cuda:1").says()] == ["cuda:1", "cuda:1"]


def test_auto_leaves_gpus_alone_that_the_job_did_not_ask_for():
    assert gpu_locks.take_device(job("auto", gpu=0)) == torch.device("cpu")
    assert gpu_locks.take_device(job("auto", gpu=1)) == torch.device("cuda:0")


def test_the_log_says_which_gpus_a_scheduler_shows(monkeypatch, capsys):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    gpu_locks.take_device(job("cpu"))
    assert capsys.readouterr().out == "device: cpu; CUDA_VISIBLE_DEVICES: 1\n"


def test_locks_are_the_users_own(tmp_path, monkeypatch):
    gpu_locks.take_device(job())
    (folder,) = tmp_path.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    gpu_locks.take_gpu.cache_clear()
    with pytest.raises(BadInput, match=f"{folder}: expected a folder of this user's"):
        gpu_locks.take_device(job())
    folder.unlink()
    another = os.getuid() + 1
    (tmp_path / f"lmia-gpus-{another}").mkdir()
    monkeypatch.setattr(os, "getuid", lambda: another)
    with pytest.raises(BadInput, match="expected a folder of this user's"):
        gpu_locks.take_device(job())


def test_a_missing_gpu_is_told(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BadInput, match="device: cuda: torch .* sees 0 GPUs"):
        gpu_locks.take_device(job("cuda"))
