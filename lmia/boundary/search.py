"""Boundary distances of inputs and of their shifted copies. Knows nothing of membership."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from lmia.boundary.courses import pad_moments
from lmia.boundary.hopskipjump import Settled, hopskipjump
from lmia.boundary.schedules import SCHEDULES
from lmia.boundary.starts import beyond, nearest_others
from lmia.box import UNIT, Box
from lmia.devices import device_of, queries_on
from lmia.image_augmentation import shifts
from lmia.journal import Journal
from lmia.perturbations.translation import shift
from lmia.queries.oracle import LabelOracle
from lmia.queries.reduced_precision import MAX_DISAGREEMENT, in_precision


def search_boundary(
    model: torch.nn.Module,
    inputs: torch.Tensor,
    classes: np.ndarray | torch.Tensor,
    streams: Callable[[int], Sequence[np.random.Generator]],
    *,
    budget: int,
    schedule: str = "economical",
    initial_probes: int | None = None,
    init_tries: int = 100,
    shift_pixels: int = 0,
    pool: tuple[torch.Tensor, np.ndarray | torch.Tensor] | None = None,
    crossings: torch.Tensor | None = None,
    box: Box = UNIT,
    precision: str = "float32",
    most_disagreement: float = MAX_DISAGREEMENT,
    settled: Settled | None = None,
    progress: str | None = None,
    journal: Journal | None = None,
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Boundary distances around every input, and around its shifted copies.

    Args:
        model: Maps (m, *shape) to logits (m, n_classes); see `LabelOracle`.
        inputs: Floats (n, *shape) in the box.
        classes: True classes (n,).
        streams: Copy number -> one generator per input.
        budget: Queries per example, split evenly over its copies.
        schedule: A name in `schedules.SCHEDULES`.
        initial_probes: Instead of that schedule's, None for its own.
        init_tries: See `hopskipjump`.
        shift_pixels: 0 for the input alone, d >= 1 for the input and its 4d shifts by d pixels (the combined attack).
        pool: (inputs (m, *shape), classes (m,)) among which searches start before they try noise, None for noise.
        crossings: (n, *shape), where models of the attacker's own change their label, and the input itself where none
            is known; searches start beyond these before they try the pool, and copies where these are shifted likewise.
            None for no such models.
        box: Of the data set, which no query leaves.
        precision: See `in_precision`.
        most_disagreement: See `in_precision`.
        settled: See `hopskipjump`.
        progress: Label of progress bars on stderr, None for none.
        journal: Of this search, from which finished copies are taken and the present one goes on; None for none.

    Returns:
        (distance, n_queries, provenance): the first two of shape (n, c, t), see `hopskipjump`, the last moment repeated
        where a copy took fewer steps; the provenance of `in_precision`, with the largest disagreement over the copies.
    """
    plan = SCHEDULES[schedule]
    if initial_probes is not None:
        plan = replace(plan, initial_probes=initial_probes)
    offsets = [(0, 0)] + (shifts(shift_pixels) if shift_pixels else [])
    options = {"schedule": plan, "box": box, "init_tries": init_tries, "settled": settled}
    journal, device = journal or Journal(), queries_on(device_of(model))
    inputs = inputs.to(device)
    if pool is not None:
        pool = pool[0].to(device), pool[1]

    def search_copy(precision: str, number: int, journal: Journal) -> dict[str, np.ndarray]:
        oracle = LabelOracle(model, len(inputs), budget // len(offsets), precision)
        moved = shift(inputs, *offsets[number]) if number else inputs
        starts: Iterable[torch.Tensor] = nearest_others(moved, classes, *pool) if pool is not None else ()
        if crossings is not None:
            beside = crossings.to(device)
            starts = beyond(moved, shift(beside, *offsets[number]) if number else beside, starts, box)
        label = progress and f"{progress}, copy {number + 1} of {len(offsets)}"
        distance, n_queries, _ = hopskipjump(
            oracle, moved, classes, streams(number), starts=starts, progress=label, journal=journal, **options
        )
        rates = [rate for rate in [oracle.disagreement] if rate is not None]
        return {"distance": distance, "n_queries": n_queries, "disagreement": np.array(rates)}

    def search(precision: str) -> tuple[Sequence[Mapping[str, np.ndarray]], float | None]:
        """(what each copy gave, largest disagreement)."""
        parts = [journal.part(f"{precision}, copy {number}") for number in range(len(offsets))]
        per_copy = [
            part.get() or part.finish(search_copy(precision, number, part)) for number, part in enumerate(parts)
        ]
        rates = np.concatenate([copy["disagreement"] for copy in per_copy])
        return per_copy, float(rates.max()) if len(rates) else None

    per_copy, provenance = in_precision(search, precision, most_disagreement)
    courses = [[copy[name] for copy in per_copy] for name in ("distance", "n_queries")]
    distance, n_queries = (np.stack(pad_moments(of_copies), axis=1) for of_copies in courses)
    return distance, n_queries, provenance
