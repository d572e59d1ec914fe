"""Everything that the bytes of a job's result depend on, the machine included, as one hash."""

import hashlib
import importlib.metadata
import json
import platform
from typing import Any

import torch

from lmia.devices import describe

PACKAGES = ("numpy", "opacus", "scikit-learn", "torch")  # those whose versions change bytes


def dependencies(record: dict[str, Any], threads: int, device: torch.device) -> str:
    """SHA-256, in hexadecimal digits, of a job's record, versions, threads, and kinds of processor and device.

    record: of code, settings and the inputs' content (records.record_of); device: the job's torch.device.
    """
    depends = {
        "key": record["key"],
        "threads": threads,  # sums are split among them
        "versions": {package: importlib.metadata.version(package) for package in PACKAGES},
        "build": build(),
        "processor": processor(device),
    }
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()


def build() -> list[str | int | None]:
    """What else computes: torch's libraries for the CPU (BLAS, its compiler) and for GPUs (CUDA, cuDNN), and Python."""
    libraries = [torch.version.cuda, torch.backends.cudnn.version(), torch.__config__.show()]
    return [*libraries, *platform.python_version_tuple()[:2]]


def processor(device: torch.device) -> list[str]:
    """Architecture, vector instructions and device: the kernels that torch chooses by them add in different orders."""
    return [platform.machine(), torch.backends.cpu.get_cpu_capability(), describe(device)]
