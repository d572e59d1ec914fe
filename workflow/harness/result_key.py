"""Everything that the bytes of a job's result depend on, the machine included, as one hash."""

import hashlib
import importlib.metadata
import json
import platform

import torch

from lmia.devices import describe

PACKAGES = ("numpy", "opacus", "torch")  # those whose versions change bytes


def dependencies(record, threads, device):
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


def build():
    """What else computes: torch's libraries for the CPU (BLAS, its compiler) and for GPUs (CUDA, cuDNN), and Python."""
    libraries = [torch.version.cuda, torch.backends.cudnn.version(), torch.__config__.show()]
    return [*libraries, *platform.python_version_tuple()[:2]]


def processor(device):
    """Architecture, vector instructions and device: the kernels that torch chooses by them add in different orders."""
    return [platform.machine(), torch.backends.cpu.get_cpu_capability(), describe(device)]
