"""A GPU for each job: no two jobs of a user on a machine get the same one, unless the configuration names it."""

import functools
import os
import stat
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from lmia.devices import DeviceError, describe, resolve
from workflow.harness.job import BadInput

INTERVAL = 1.0  # s between looks for a GPU that is free


def take_device(snakemake: Any) -> torch.device:
    """The device on which this job is to run, by the configuration's `device`; on GPUs with an index.

    snakemake: the object that Snakemake hands its script.

    "cuda", and "auto" where the job asked for a GPU (the resource `gpu`), take one that no other job has, and wait for
    it. "cuda:N" is taken as it is. Raises BadInput where there is no such device.
    """
    name = snakemake.config["device"]
    if name == "auto" and not snakemake.resources.get("gpu"):
        name = "cpu"  # a GPU that is there is somebody else's
    try:
        device = resolve(name)
    except DeviceError as error:
        raise BadInput(str(error)) from error
    if device == torch.device("cuda"):
        number, _ = take_gpu()
        device = torch.device("cuda", number)
    print(f"device: {describe(device)}; CUDA_VISIBLE_DEVICES: {os.environ.get('CUDA_VISIBLE_DEVICES', 'not set')}")
    return device


@functools.cache  # so a process, which is one job, takes one GPU, and keeps it until it ends
def take_gpu() -> tuple[int, FileLock]:
    """(number of a visible GPU, its lock). The kernel releases the lock when the process ends, however it ends."""
    folder = _own_folder(Path(tempfile.gettempdir()) / f"lmia-gpus-{os.getuid()}")
    locks = [FileLock(folder / f"{_identity(number)}.lock") for number in range(torch.cuda.device_count())]
    if (taken := _first_free(locks)) is None:
        print(f"all {len(locks)} visible GPUs are taken by other jobs (locks in {folder}); waiting for one", flush=True)
    while taken is None:
        time.sleep(INTERVAL)
        taken = _first_free(locks)
    return taken


def _own_folder(folder: Path) -> Path:
    """The folder, made if need be. Raises BadInput for another user's: who made it first could hold every lock."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise BadInput(f"{folder}: expected a folder of this user's, for the locks of GPUs: remove it, or set TMPDIR")
    return folder


def _first_free(locks: list[FileLock]) -> tuple[int, FileLock] | None:
    for number, lock in enumerate(locks):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        return number, lock
    return None


def _identity(number: int) -> str:
    """What tells a GPU from the others of the machine, by whatever numbers a scheduler lets jobs see them."""
    shown = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    if number < len(shown) and shown[number].startswith("MIG-"):  # a part, which may be taken beside its other parts
        return shown[number].replace("/", "-")
    return str(torch.cuda.get_device_properties(number).uuid)
