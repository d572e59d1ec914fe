"""Everything that the bytes of a job's result depend on, as one hash."""

import hashlib
import importlib.metadata
import json
import platform

import torch

from lmia import artifacts
from lmia.devices import describe

PACKAGES = ("numpy", "opacus", "torch")  # those whose versions change bytes


def dependencies(snakemake, wildcards, device):
    """SHA-256, in hexadecimal digits, of code, settings, inputs, versions, threads, and kinds of processor and device.

    wildcards: names of those that the result depends on; device: the job's torch.device. Inputs
    that are artifacts count by their content and not by their paths, code and settings by what the rule's params say.
    """
    depends = {
        "params": dict(snakemake.params.items()),
        "wildcards": {name: snakemake.wildcards[name] for name in wildcards},
        "inputs": [artifacts.recorded_checksum(path) for path in snakemake.input if path.endswith(".npz")],
        "threads": snakemake.threads,  # sums are split among them
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
