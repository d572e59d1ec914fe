"""Standard normal numbers at the price of a copy.

A small network answers a query in less time than it takes to draw the query's noise. So the numbers are drawn once,
into a table, and noise is a window of the table at an offset from the example's own stream
(the shared noise table of Salimans et al. 2017, section 2.1).
"""

import functools

import numpy as np
import torch

TABLE = 1 << 21  # numbers, float32: 8 MiB
WINDOW = 1 << 16  # most numbers in a row for one stream: longer rows save no time


@functools.cache
def _table(size, device):
    table = np.random.default_rng(0).standard_normal(size, dtype=np.float32)
    return table if device.type == "cpu" else torch.from_numpy(table).to(device)


def normals(streams, n, size, device="cpu"):
    """Standard normal noise, float32 tensor (len(streams), n, size) on `device`, for one numpy Generator each."""
    device, run = torch.device(device), min(n, max(1, WINDOW // size))  # pieces of noise that share a window
    table = _table(max(TABLE, 16 * size), device)
    draws = np.array([stream.random(-(-n // run)) for stream in streams])
    offsets = (draws * (len(table) - run * size + 1)).astype(np.int64)
    if device.type == "cpu":  # numpy copies windows several times faster than torch does
        step, width = table.strides[0], run * size
        windows = np.ndarray((len(table) - width + 1, width), table.dtype, table, strides=(step, step))
        chosen = torch.from_numpy(windows[offsets])
    else:
        chosen = table.unfold(0, run * size, 1)[torch.from_numpy(offsets).to(device, non_blocking=True)]
    return chosen.view(len(streams), -1, size)[:, :n]
