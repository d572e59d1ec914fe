"""Ask a frozen model a query set that is known in advance. Knows nothing of membership."""

import numpy as np
import torch

from lmia.oracle import LabelOracle


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
