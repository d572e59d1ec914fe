"""Boundary distances of inputs and of their shifted copies. Knows nothing of membership."""

import numpy as np

from lmia.hopskipjump import hopskipjump
from lmia.oracle import LabelOracle
from lmia.perturbations.translation import shift, shifts


def search_boundary(model, inputs, classes, streams, *, budget, copies=0, progress=None, **options):
    """Boundary distances by HopSkipJump around every input, and around its shifted copies.

    inputs: (n, *shape); streams: a function (copy number) -> one Generator per input; budget: queries per example,
    split evenly over its copies; copies: 0 for the input alone, d >= 1 for the input and its 4d shifts by d pixels
    (the combined attack); options: see `hopskipjump`.

    Returns (best, spent) of shape (n, c, t), the last moment repeated where a copy took fewer steps.
    """
    offsets = [(0, 0)] + (shifts(copies) if copies else [])
    runs = []
    for number, offset in enumerate(offsets):
        oracle = LabelOracle(model, len(inputs), budget // len(offsets))
        moved = shift(inputs, *offset) if number else inputs
        label = progress and f"{progress}, copy {number + 1} of {len(offsets)}"
        runs.append(hopskipjump(oracle, moved, classes, streams(number), progress=label, **options)[:2])
    length = max(best.shape[1] for best, _ in runs)
    pad = [[np.pad(array, [(0, 0), (0, length - array.shape[1])], "edge") for array in run] for run in runs]
    return tuple(np.stack(part, axis=1) for part in zip(*pad, strict=True))
