"""Boundary distances of inputs and of their shifted copies. Knows nothing of membership."""

import math
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
from lmia.devices import device_of, queries_on, width
from lmia.image_augmentation import shifts
from lmia.journal import Journal
from lmia.perturbations.translation import shift
from lmia.queries.oracle import LabelOracle
from lmia.queries.reduced_precision import MAX_DISAGREEMENT, in_precision
from lmia.streams import Subset

SLICE = 1024, 1 << 20  # most inputs, and values of theirs, whose searches are in memory at once; a GPU's are more


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
    slices = _slices(len(inputs), math.prod(inputs.shape[1:]), device)
    if pool is not None:
        pool = pool[0].to(device), pool[1]

    def search_slice(precision: str, number: int, rows: slice, journal: Journal) -> dict[str, np.ndarray]:
        """Courses around copies of one number, of these inputs, and what the audit found."""

        def copies(of: torch.Tensor) -> torch.Tensor:
            return shift(of[rows].to(device), *offsets[number]) if number else of[rows].to(device)

        own, moved = Subset(streams(number), range(len(inputs))[rows]), copies(inputs)
        oracle = LabelOracle(model, len(moved), budget // len(offsets), precision)
        starts: Iterable[torch.Tensor] = nearest_others(moved, classes[rows], *pool) if pool is not None else ()
        if crossings is not None:
            starts = beyond(moved, copies(crossings), starts, box)
        label = progress and f"{progress}, copy {number + 1} of {len(offsets)}"
        if label and len(slices) > 1:
            label += f", from input {rows.start + 1} of {len(inputs)} on"
        distance, n_queries, _ = hopskipjump(
            oracle, moved, classes[rows], own, starts=starts, progress=label, journal=journal, **options
        )
        return {"distance": distance, "n_queries": n_queries, "audit": oracle.to_arrays()["audit"]}

    def search_copy(precision: str, number: int, journal: Journal) -> dict[str, np.ndarray]:
        parts = [journal.part(f"from input {rows.start}") for rows in slices]
        found = [
            part.get() or part.finish(search_slice(precision, number, rows, part))
            for part, rows in zip(parts, slices, strict=True)
        ]
        courses = {name: pad_moments([of[name] for of in found]) for name in ("distance", "n_queries")}
        return {name: np.concatenate(of_slices) for name, of_slices in courses.items()} | {
            "audit": np.sum([of["audit"] for of in found], axis=0)
        }

    def search(precision: str) -> tuple[Sequence[Mapping[str, np.ndarray]], float | None]:
        """(what each copy gave, largest disagreement)."""
        parts = [journal.part(f"{precision}, copy {number}") for number in range(len(offsets))]
        per_copy = [
            part.get() or part.finish(search_copy(precision, number, part)) for number, part in enumerate(parts)
        ]
        rates = [differing / audited for _, audited, differing in (copy["audit"] for copy in per_copy) if audited]
        return per_copy, float(max(rates)) if rates else None

    per_copy, provenance = in_precision(search, precision, most_disagreement)
    courses = [[copy[name] for copy in per_copy] for name in ("distance", "n_queries")]
    distance, n_queries = (np.stack(pad_moments(of_copies), axis=1) for of_copies in courses)
    return distance, n_queries, provenance


def _slices(n: int, n_values: int, device: torch.device) -> list[slice]:
    """Those of n inputs, of so many values each, that are searched together, one slice after the other."""
    most, values = SLICE
    size = max(LabelOracle.chunk(n_values, device), min(most * width(device), values * width(device) // n_values))
    return [slice(start, min(n, start + size)) for start in range(0, max(1, n), size)]
