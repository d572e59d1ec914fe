"""Ask a frozen model a query set that is known in advance. Knows nothing of membership."""

import math

import numpy as np
import torch
from tqdm import tqdm

from lmia.devices import queries_on
from lmia.journal import Journal
from lmia.queries.oracle import LabelOracle
from lmia.queries.precision import MOST_DISAGREEMENT, in_precision
from lmia.streams import Subset

LEAST_EXAMPLES = 16  # that are perturbed together
QUERIES = 1 << 12  # of theirs, where they are not too large
VALUES = 1 << 22  # of those queries
PASSES = 4  # that these are to fill at least: on a GPU, whose passes are wide, they are more


def ask_fixed(
    model,
    inputs,
    perturbation,
    streams,
    *,
    precision="float32",
    most_disagreement=MOST_DISAGREEMENT,
    progress=None,
    journal=None,
):
    """Labels (n, 1 + q), int64: the unmodified inputs (n, *shape) in column 0, then the perturbation's columns.

    streams: a function () -> one numpy Generator per input; precision, most_disagreement: see `in_precision`; progress:
    label of a progress bar on stderr, None for none; journal: Journal of these answers, none of which is asked again,
    None for none. Returns (labels, provenance of `in_precision`).
    """
    journal = journal or Journal()
    return in_precision(
        lambda precision: _ask_all(
            model, inputs, perturbation, streams(), precision, progress, journal.part(precision)
        ),
        precision,
        most_disagreement,
    )


def _ask_all(model, inputs, perturbation, streams, precision, progress, journal):
    """(labels (n, 1 + q), disagreement)."""
    n, q = len(inputs), 1 + len(perturbation.magnitudes)
    oracle = LabelOracle(model, n, q, precision)
    size = math.prod(inputs.shape[1:])
    most = max(min(QUERIES, VALUES // max(1, size)), PASSES * oracle.chunk(size, oracle.device))
    step = max(LEAST_EXAMPLES, most // q)
    labels, done = np.zeros((n, q), dtype=np.int64), 0
    if kept := journal.get():
        labels, done = kept["labels"].copy(), int(kept["done"])
        oracle.restore(kept)

    def state():
        return {"labels": labels, "done": np.array(done)} | oracle.to_arrays()

    for start in tqdm(range(done, n, step), desc=progress, disable=progress is None, mininterval=2):
        rows = np.arange(start, min(n, start + step))
        unperturbed = inputs[rows].to(queries_on(oracle.device))
        labels[rows] = _ask(oracle, unperturbed, rows, perturbation, Subset(streams, rows))
        done = start + len(rows)
        journal.save(state)
    journal.finish(state())
    return labels, oracle.disagreement


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
