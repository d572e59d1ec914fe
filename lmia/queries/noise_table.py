"""Standard normal numbers at the price of a copy.

A small network answers a query in less time than it takes to draw the query's noise. So the numbers are drawn once,
into a table, and noise is a window of the table at an offset from the example's own stream
(the shared noise table of Salimans et al. 2017, section 2.1).
"""

import functools
from collections.abc import Sequence

import numpy as np
import torch

TABLE = 1 << 21  # numbers, float32: 8 MiB
WINDOW = 1 << 16  # most numbers in a row for one stream: longer rows save no time


@functools.cache
def _table(size: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(size, dtype=np.float32)


@functools.cache
def _table_on(device: torch.device, size: int) -> torch.Tensor:
    return torch.from_numpy(_table(size)).to(device)


def normals(
    streams: Sequence[np.random.Generator], n: int, size: int, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """Standard normal noise, float32 tensor (len(streams), n, size) on `device`, for one numpy Generator each."""
    device, run = torch.device(device), min(n, max(1, WINDOW // size))  # pieces of noise that share a window
    numbers = max(TABLE, 16 * size)
    draws = np.array([stream.random(-(-n // run)) for stream in streams])
    offsets = (draws * (numbers - run * size + 1)).astype(np.int64)
    width = run * size
    if run < n:  # piece by piece, so that no more is copied than is asked for
        offsets = (offsets[:, :, None] + np.arange(run) * size).reshape(len(offsets), -1)[:, :n]
        width = size
    if device.type == "cpu":  # numpy copies windows several times faster than torch does
        table = _table(numbers)
        windows = np.ndarray((numbers - width + 1, width), table.dtype, table, strides=2 * table.strides)
        noise = torch.from_numpy(windows[offsets])
    else:
        windows = _table_on(device, numbers).unfold(0, width, 1)
        # Devices other than CUDA may read `offsets` only after that is gone (pytorch#189690, of mps).
        noise = windows[torch.from_numpy(offsets).to(device, non_blocking=device.type == "cuda")]
    return noise.view(len(streams), n, size)
