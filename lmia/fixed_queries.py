"""Ask a frozen model a query set that is known in advance. Knows nothing of membership."""

import numpy as np
import torch
from tqdm import tqdm

from lmia.oracle import LabelOracle

LEAST_EXAMPLES = 16  # that are perturbed together
QUERIES = 1 << 12  # of theirs, where they are not too large
VALUES = 1 << 22  # of those queries


def ask_fixed(model, inputs, perturbation, streams, progress=None):
    """Labels (n, 1 + q), int64: the unmodified inputs (n, *shape) in column 0, then the perturbation's columns.

    streams: one numpy Generator per input; progress: label of a progress bar on stderr, None for none.
    """
    n, q = len(inputs), 1 + len(perturbation.magnitudes)
    oracle = LabelOracle(model, n, budget=q)
    step = max(LEAST_EXAMPLES, min(QUERIES, VALUES // max(1, inputs[0].numel())) // q)
    labels = np.empty((n, q), dtype=np.int64)
    for start in tqdm(range(0, n, step), desc=progress, disable=progress is None, mininterval=2):
        rows = np.arange(start, min(n, start + step))
        labels[rows] = _ask(oracle, inputs[rows], rows, perturbation, [streams[row] for row in rows])
    return labels


def _ask(oracle, inputs, rows, perturbation, streams):
    columns = [oracle(inputs, rows)[:, None]]
    for block in perturbation.blocks(inputs, streams):
        n, k = block.shape[:2]
        columns.append(oracle(block.flatten(0, 1), np.repeat(rows, k)).view(n, k))
    labels = torch.cat(columns, dim=1).cpu().numpy()
    if (oracle.spent[rows] != oracle.budget).any():
        raise RuntimeError(
            f"{type(perturbation).__module__}: announced {oracle.budget - 1} queries, sent {labels.shape[1] - 1}"
        )
    return labels
