"""Where models run: the device that a name means."""

import os
import platform
import re

import torch

NAMES = r"auto|cpu|mps|cuda(:\d+)?"
WIDTHS = {"cuda": 64}  # how much more work at once keeps a GPU busy than fits a core's cache


class DeviceError(ValueError):
    """A device that this machine does not have."""


def resolve(name: str) -> torch.device:
    """The torch.device of this machine that `name` means: "auto", "cpu", "cuda", "cuda:N" or "mps".

    "auto" is CUDA where there is a GPU, else the CPU, and never mps, which has no float64. "cuda" has no index: all
    visible GPUs will do. N counts the GPUs that CUDA_VISIBLE_DEVICES shows, from 0.

    Raises DeviceError for other names, and where there is no such device.
    """
    if not re.fullmatch(NAMES, name):
        raise DeviceError(f"device: {name}: expected auto, cpu, cuda, cuda:N or mps")
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        name = "cuda" if n_gpus else "cpu"
    device = torch.device(name)
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError(f"device: {name}: torch {torch.__version__} sees none on {platform.node()}; set auto or cpu")
    if device.type == "cuda" and (device.index or 0) >= n_gpus:
        shown = os.environ.get("CUDA_VISIBLE_DEVICES")
        raise DeviceError(
            f"device: {name}: torch {torch.__version__} sees {n_gpus} GPUs on {platform.node()}, where "
            f"CUDA_VISIBLE_DEVICES is {'not set' if shown is None else repr(shown)}; "
            f"set {'cuda or a smaller number' if n_gpus else 'auto or cpu, or install a torch with CUDA'}"
        )
    return device


def prepare(device: torch.device, threads: int) -> None:
    """Before the first work of a process: the CPU computes with so many threads, among which sums are split.

    A GPU computes float32 in full, and the same twice where torch knows how to.
    """
    torch.set_num_threads(threads)
    if device.type == "cuda":
        torch.cuda.set_device(device.index or 0)  # from here on plain cuda means it, and no other's memory is taken
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False  # ten bits of mantissa
        torch.set_deterministic_debug_mode("warn")  # as use_deterministic_algorithms, but in no time
        # Nothing here reads what it has not written.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore - torch makes this property at run time


def describe(device: torch.device) -> str:
    """A device in words, for provenance: its type, and the name of a GPU."""
    return f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device.type


def width(device: torch.device) -> int:
    """How many times as much a device is to be given at once as one core is, an int."""
    return WIDTHS.get(device.type, 1)


def queries_on(device: torch.device) -> torch.device:
    """Where the queries of a model on `device` are made: there, but on the CPU for mps, which has no float64."""
    return torch.device("cpu") if device.type == "mps" else device


def device_of(model: torch.nn.Module) -> torch.device:
    """Where a model lives; the CPU where it has no parameters."""
    return next(model.parameters(), torch.empty(0)).device
