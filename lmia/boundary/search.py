"""Boundary distances of inputs and of their shifted copies. Knows nothing of membership."""

from dataclasses import replace

import numpy as np

from lmia.boundary.hopskipjump import hopskipjump
from lmia.boundary.schedules import SCHEDULES
from lmia.boundary.starts import nearest_others
from lmia.devices import device_of, queries_on
from lmia.image_moves import shifts
from lmia.journal import Journal
from lmia.perturbations.translation import shift
from lmia.queries.oracle import LabelOracle
from lmia.queries.precision import MOST_DISAGREEMENT, in_precision


def search_boundary(
    model,
    inputs,
    classes,
    streams,
    *,
    budget,
    schedule="economical",
    initial_probes=None,
    init_tries=100,
    copies=0,
    pool=None,
    precision="float32",
    most_disagreement=MOST_DISAGREEMENT,
    settled=None,
    progress=None,
    journal=None,
):
    """Boundary distances around every input, and around its shifted copies.

    inputs: (n, *shape); streams: a function (copy number) -> one Generator per input; budget: queries per example,
    split evenly over its copies; schedule: a name in `schedules.SCHEDULES`; initial_probes: instead of that schedule's,
    None for its own; copies: 0 for the input alone, d >= 1 for the input and its 4d shifts by d pixels (the combined
    attack); pool: (inputs (m, *shape), classes (m,)) among which searches start, None for noise;
    precision, most_disagreement: see `in_precision`; init_tries, settled: see `hopskipjump`; journal: Journal of this
    search, from which finished copies are taken and the present one goes on, None for none.

    Returns (best, spent, asked): best and spent of shape (n, c, t), the last moment repeated where a copy took fewer
    steps; asked: the provenance of `in_precision`, with the largest disagreement over the copies.
    """
    plan = SCHEDULES[schedule]
    if initial_probes is not None:
        plan = replace(plan, initial_probes=initial_probes)
    offsets = [(0, 0)] + (shifts(copies) if copies else [])
    options = {"schedule": plan, "init_tries": init_tries, "settled": settled}
    journal, where = journal or Journal(), queries_on(device_of(model))
    inputs = inputs.to(where)
    if pool is not None:
        pool = pool[0].to(where), pool[1]

    def search_copy(precision, number, journal):
        oracle = LabelOracle(model, len(inputs), budget // len(offsets), precision)
        moved = shift(inputs, *offsets[number]) if number else inputs
        starts = nearest_others(moved, classes, *pool) if pool is not None else ()
        label = progress and f"{progress}, copy {number + 1} of {len(offsets)}"
        best, spent, _ = hopskipjump(
            oracle, moved, classes, streams(number), starts=starts, progress=label, journal=journal, **options
        )
        rates = [rate for rate in [oracle.disagreement] if rate is not None]
        return {"best": best, "spent": spent, "disagreement": np.array(rates)}

    def search(precision):
        """(runs, one per copy; largest disagreement)."""
        parts = [journal.part(f"{precision}, copy {number}") for number in range(len(offsets))]
        runs = [part.get() or part.finish(search_copy(precision, number, part)) for number, part in enumerate(parts)]
        return runs, max(np.concatenate([run["disagreement"] for run in runs]).tolist(), default=None)

    runs, asked = in_precision(search, precision, most_disagreement)
    length = max(run["best"].shape[1] for run in runs)

    def padded(array):
        return np.pad(array, [(0, 0), (0, length - array.shape[1])], "edge")

    best, spent = (np.stack([padded(run[name]) for run in runs], axis=1) for name in ("best", "spent"))
    return best, spent, asked
