"""Ask a frozen model a query set and keep the answers. Knows nothing of membership."""

import numpy as np
import torch

from lmia.hopskipjump import hopskipjump
from lmia.oracle import LabelOracle
from lmia.perturbations.translation import shift, shifts


def ask_fixed(model, inputs, perturbation, streams):
    """Labels (n, 1 + q), int64: the unmodified inputs (n, *shape) in column 0, then the perturbation's columns.

    streams: one numpy Generator per input.
    """
    n, q = len(inputs), 1 + len(perturbation.magnitudes)
    oracle = LabelOracle(model, n, budget=q)
    everyone = np.arange(n)
    columns = [oracle(inputs, everyone)[:, None]]
    for block in perturbation.blocks(inputs, streams):
        k = block.shape[1]
        columns.append(oracle(block.flatten(0, 1), np.repeat(everyone, k)).reshape(n, k))
    labels = torch.cat(columns, dim=1).numpy()
    if (oracle.spent != q).any() or labels.shape != (n, q):
        raise RuntimeError(f"{type(perturbation).__module__}: announced {q - 1} queries, sent {labels.shape[1] - 1}")
    return labels


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


def read_confidences(model, inputs, mask):
    """Probabilities (n, n_classes), float32, as a model that answers with confidences would give them.

    mask: what a defense does to them, (n, n_classes) -> (n, n_classes). For the baselines that are not label-only.
    """
    with torch.inference_mode():
        parts = [torch.softmax(model.eval()(part), dim=1) for part in inputs.split(1024)]
        return mask(torch.cat(parts)).cpu().numpy().astype(np.float32)
