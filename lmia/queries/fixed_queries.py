"""Ask a frozen model a query set that is known in advance. Knows nothing of membership."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from lmia.box import UNIT, Box
from lmia.devices import queries_on
from lmia.journal import Journal
from lmia.queries.oracle import LabelOracle
from lmia.queries.reduced_precision import MAX_DISAGREEMENT, in_precision
from lmia.streams import Subset

MIN_EXAMPLES = 16  # that are perturbed together
MAX_QUERIES, MAX_VALUES = 1 << 12, 1 << 22  # of theirs, and values of those, so that they take little memory
MIN_PASSES = 4  # that they fill nevertheless: on a GPU, whose passes are wide
ROUNDING = 1e-6  # by which a query may leave the box, as a share of its greatest value: a few roundings of float32


class BadQueries(ValueError):
    """A perturbation gave other queries than it announced, or none that can be asked: its mistake."""


Blocks = Callable[[torch.Tensor, np.ndarray], Iterable[torch.Tensor]]  # (inputs, their rows) -> blocks of queries


def ask_fixed(
    model: torch.nn.Module,
    inputs: torch.Tensor,
    perturbation: Any,
    streams: Callable[[], Sequence[np.random.Generator]],
    *,
    box: Box = UNIT,
    precision: str = "float32",
    most_disagreement: float = MAX_DISAGREEMENT,
    progress: str | None = None,
    journal: Journal | None = None,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Labels of a query set.

    Args:
        model: Maps (m, *shape) to logits (m, n_classes); see `LabelOracle`.
        inputs: Floats (n, *shape) in the box.
        perturbation: As `lmia.perturbations` has them, of q query columns.
        streams: () -> one generator per input.
        box: Of the data set, which no query leaves.
        precision: See `in_precision`.
        most_disagreement: See `in_precision`.
        progress: Label of a progress bar on stderr, None for none.
        journal: Of these answers, none of which is asked again; None for none.

    Returns:
        (labels, provenance): int64 (n, 1 + q), of the unmodified inputs in column 0, then of the perturbation's
        columns; the provenance of `in_precision`.

    Raises:
        BadQueries: Where the perturbation sends another number of queries than it has magnitudes, or one that leaves
            the box, which is not asked.
    """
    n_queries, sender = len(perturbation.magnitudes), type(perturbation).__module__

    def start() -> Blocks:
        draws = streams()
        return lambda unperturbed, rows: _inside(
            box, sender, unperturbed.shape[1:], perturbation.blocks(unperturbed, Subset(draws, rows))
        )

    return _ask_in(precision, most_disagreement, model, inputs, n_queries, start, sender, progress, journal)


def ask_crafted(
    model: torch.nn.Module,
    inputs: torch.Tensor,
    crafted: torch.Tensor,
    *,
    precision: str = "float32",
    most_disagreement: float = MAX_DISAGREEMENT,
    progress: str | None = None,
    journal: Journal | None = None,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Labels of queries that `lmia.crafting` has made for each input.

    Args:
        model: Maps (m, *shape) to logits (m, n_classes); see `LabelOracle`.
        inputs: Floats (n, *shape) in [0, 1].
        crafted: Floats (n, q, *shape), which may leave the box of the inputs where whoever crafted them lets them.
        precision: See `in_precision`.
        most_disagreement: See `in_precision`.
        progress: Label of a progress bar on stderr, None for none.
        journal: Of these answers, none of which is asked again; None for none.

    Returns:
        (labels, provenance), as `ask_fixed` gives them.
    """

    def start() -> Blocks:
        return lambda unperturbed, rows: [crafted[rows].to(unperturbed)]

    n_queries = crafted.shape[1]
    return _ask_in(precision, most_disagreement, model, inputs, n_queries, start, "crafted", progress, journal)


def _inside(box: Box, sender: str, shape: Sequence[int], blocks: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
    """Blocks (n, k, *shape) as they come. sender: its name in errors.

    Raises BadQueries at one that is of another shape, leaves the box by more than rounding explains, or is no number.
    """
    low, high = np.asarray(box.low), np.asarray(box.high)
    room = ROUNDING * np.maximum(abs(low), abs(high))
    rows = (0, 1) if low.ndim else ()  # of each feature its own ends, or of all values together
    for block in blocks:
        if not isinstance(block, torch.Tensor) or block.ndim != 2 + len(shape) or block.shape[2:] != tuple(shape):
            got = list(block.shape) if isinstance(block, torch.Tensor) else type(block).__name__
            wanted = ", ".join(["inputs", "queries", *map(str, shape)])
            raise BadQueries(f"{sender}: expected tensors of shape [{wanted}] of its `blocks`, got {got}")
        if block.numel():
            ends = block.detach().amin(dim=rows), block.detach().amax(dim=rows)
            least, most = (end.double().cpu().numpy() for end in ends)
            is_in = (least >= low - room) & (most <= high + room)
            if not is_in.all():
                at = np.unravel_index(int(np.argmin(is_in)), is_in.shape)
                where = "".join(f" in feature {n}" for n in at)
                raise BadQueries(
                    f"{sender}: expected queries in the box of the inputs, {low[at]:.7g} to {high[at]:.7g}, got "
                    f"{least[at]:.7g} to {most[at]:.7g}{where}; clip what its `blocks` yields"
                )
        yield block


def _ask_in(
    precision: str,
    most_disagreement: float,
    model: torch.nn.Module,
    inputs: torch.Tensor,
    n_queries: int,
    start: Callable[[], Blocks],
    sender: str,
    progress: str | None,
    journal: Journal | None,
) -> tuple[np.ndarray, dict[str, Any]]:
    """What `ask_fixed` returns. start: () -> what sends n_queries for each input; sender: its name in an error."""
    journal = journal or Journal()

    def ask(precision: str) -> tuple[np.ndarray, float | None]:
        oracle = LabelOracle(model, len(inputs), 1 + n_queries, precision)
        labels = _ask_all(oracle, inputs, start(), sender, progress, journal.part(precision))
        return labels, oracle.disagreement

    return in_precision(ask, precision, most_disagreement)


def check_magnitudes(perturbation: Any, option: str, stated: Sequence[float]) -> None:
    """Raise ValueError where a perturbation has other magnitudes than its option says: claims name one by the option.

    option: its name; stated: its numbers.
    """
    found = np.unique([float(magnitude) for magnitude in perturbation.magnitudes])
    if not np.array_equal(found, np.unique([float(number) for number in stated])):
        raise ValueError(
            f"MAGNITUDES of {type(perturbation).__module__} names {option}, which is {list(stated)}, but `magnitudes` "
            f"of its Perturbation are {found.tolist()}; give both the same numbers, or take MAGNITUDES out"
        )


def _ask_all(
    oracle: LabelOracle,
    inputs: torch.Tensor,
    blocks: Blocks,
    sender: str,
    progress: str | None,
    journal: Journal,
) -> np.ndarray:
    """Labels (n, 1 + q), asked block by block; the journal has those of all blocks so far."""
    n = len(inputs)
    labels, done = np.zeros((n, oracle.budget), dtype=np.int64), 0
    if kept := journal.get():
        labels, done = kept["labels"].copy(), int(kept["done"])
        oracle.restore(kept)

    def state() -> dict[str, np.ndarray]:
        return {"labels": labels, "done": np.array(done)} | oracle.to_arrays()

    size = _block_size(oracle.budget, math.prod(inputs.shape[1:]), oracle.device)
    for start in tqdm(range(done, n, size), desc=progress, disable=progress is None, mininterval=2):
        rows = np.arange(start, min(n, start + size))
        unperturbed = inputs[rows].to(queries_on(oracle.device))
        labels[rows] = _ask(oracle, unperturbed, rows, blocks, sender)
        done = start + len(rows)
        journal.save(state)
    journal.finish(state())
    return labels


def _block_size(n_queries: int, n_values: int, device: torch.device) -> int:
    """For how many examples queries are made together: of so many queries each, of so many values."""
    fitting = min(MAX_QUERIES, MAX_VALUES // max(1, n_values))
    filling = MIN_PASSES * LabelOracle.chunk(n_values, device)
    return max(MIN_EXAMPLES, max(fitting, filling) // n_queries)


def _ask(oracle: LabelOracle, inputs: torch.Tensor, rows: np.ndarray, blocks: Blocks, sender: str) -> np.ndarray:
    columns = [oracle(inputs, rows)[:, None]]
    for block in blocks(inputs, rows):
        n, k = block.shape[:2]
        columns.append(oracle(block.flatten(0, 1), np.repeat(rows, k)).view(n, k))
    labels = torch.cat(columns, dim=1).cpu().numpy()
    if (oracle.n_queries[rows] != oracle.budget).any():
        raise BadQueries(f"{sender}: announced {oracle.budget - 1} queries, sent {labels.shape[1] - 1}")
    return labels
