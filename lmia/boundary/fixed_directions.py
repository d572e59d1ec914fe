"""Distance to a wrong label along fixed directions, from labels alone (DHAttack of Li et al. 2025).

Every input moves in equal steps towards one point, the same for all models: the white input, the black one, one of
uniform noise, or, as the authors have it, the input whose features all have the largest value of the one that moves. By
bisection, a direction of 32 levels costs five queries, where their scan costs 31. Knows nothing of membership.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from lmia.box import UNIT, Box
from lmia.journal import Arrays, Journal
from lmia.queries.oracle import LabelOracle
from lmia.queries.reduced_precision import MAX_DISAGREEMENT, in_precision

METHODS = ("bisection", "scan")
FIXED, OWN = ("white", "black", "random"), "largest"  # directions to one point for all inputs, and to each its own


def fixed_points(
    directions: Sequence[str], shape: tuple[int, ...], stream: np.random.Generator, box: Box = UNIT
) -> torch.Tensor:
    """The points that inputs of `shape` move towards, float32 (c, *shape).

    directions: each "white" (all features 1, or at the upper end of the box of the data set), "black" (all 0, or at the
    lower end) or "random" (uniform in the box, drawn from `stream`).

    Raises ValueError for other names, and for none.
    """
    make = {
        "white": lambda: np.ones(shape, np.float32),
        "black": lambda: np.zeros(shape, np.float32),
        "random": lambda: stream.random(shape, dtype=np.float32),
    }
    _check_directions(directions, FIXED)
    return torch.from_numpy(box.at(np.stack([make[direction]() for direction in directions])))


def points_of(
    directions: Sequence[str], inputs: torch.Tensor, stream: np.random.Generator, box: Box = UNIT
) -> list[torch.Tensor]:
    """The points that inputs (n, *shape) move towards, one float32 tensor for each direction.

    directions: as `fixed_points` has them, of shape (*shape); or "largest" (all features at the largest value that the
    input has), of shape (n, *shape). The others are the same with it and without.

    Raises ValueError for other names, and for none.
    """
    _check_directions(directions, (*FIXED, OWN))
    shape, others = tuple(inputs.shape[1:]), [direction for direction in directions if direction != OWN]
    found = dict(zip(others, fixed_points(others, shape, stream, box), strict=True)) if others else {}
    found[OWN] = inputs.flatten(1).amax(dim=1).view(-1, *[1] * len(shape)).expand(inputs.shape)
    return [found[direction] for direction in directions]


def _check_directions(directions: Sequence[str], names: Sequence[str]) -> None:
    if (
        isinstance(directions, str)
        or not directions
        or len({*directions}) < len(directions)
        or {*directions} - {*names}
    ):
        raise ValueError(f"directions: expected a list of different ones out of {', '.join(names)}, got {directions!r}")


def as_levels(distance: np.ndarray, inputs: torch.Tensor, point: torch.Tensor, levels: int) -> np.ndarray:
    """Distances along one direction as numbers of the level with a wrong label, ints of their shape.

    0 where the input is misclassified, and `levels`, the point itself, where no wrong label was found.

    distance: (n, t), as `search_directions` gives it for a direction; inputs: (n, *shape); point: (*shape) or
    (n, *shape), towards which they move.
    """
    length = torch.linalg.vector_norm((point.to(inputs) - inputs).flatten(1), dim=1).double().numpy()[:, None]
    share = np.divide(distance, length, out=np.zeros(distance.shape), where=np.isfinite(distance) & (length > 0))
    return np.where(np.isinf(distance), levels, np.rint(share * levels)).astype(np.int64)


def search_directions(
    model: torch.nn.Module,
    inputs: torch.Tensor,
    classes: np.ndarray | torch.Tensor,
    points: Sequence[torch.Tensor] | torch.Tensor,
    *,
    levels: int = 32,
    method: str = "bisection",
    precision: str = "float32",
    most_disagreement: float = MAX_DISAGREEMENT,
    progress: str | None = None,
    journal: Journal | None = None,
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """How far each input x moves towards each point m until its label is wrong: to a level x + j / levels (m - x).

    Args:
        model: Maps (m, *shape) to logits (m, n_classes); see `LabelOracle`.
        inputs: Floats (n, *shape).
        classes: True classes (n,).
        points: Floats (*shape) of each of c directions, or (n, *shape) where each input has a point of its own.
        levels: Steps of a direction, a power of two from 2; the last of them, the point itself, is not asked.
        method: "scan" asks all levels below `levels`; "bisection" log2(levels) of them, and finds the first wrong one
            where all labels beyond it are wrong too.
        precision: See `in_precision`.
        most_disagreement: See `in_precision`.
        progress: Label of a progress bar on stderr, None for none.
        journal: Of this search, from which finished directions are taken; None for none.

    Returns:
        (distance, n_queries, provenance): distance float64 (n, c, t), the smallest L2 distance so far of a level with a
        wrong label, 0 where the input is misclassified, inf (censored) while none was found; n_queries int64 (n, c, t),
        queries in this direction so far, of which the first direction has that of the input itself. Moments are the
        start and each query of a direction, so t is 1 + log2(levels) or `levels`; misclassified inputs are asked once.
        The provenance is that of `in_precision`.

    Raises:
        ValueError: For another method, or levels that are no power of two.
    """
    if method not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}, got {method}")
    if levels < 2 or levels.bit_count() > 1:
        raise ValueError(f"levels: expected a power of two from 2, got {levels}")
    journal = journal or Journal()

    def search(precision: str) -> tuple[list[Arrays], float | None]:
        """(what each direction gave, disagreement)."""
        walks = _Walks(model, inputs, classes, len(points), levels, method, precision)
        parts = [journal.part(f"{precision}, direction {number}") for number in range(len(points))]
        found = []
        for part, point in zip(parts, tqdm(points, desc=progress, disable=progress is None), strict=True):
            found.append(walks.restore(part.get() or part.finish(walks.towards(point))))
        return found, walks.oracle.disagreement

    found, provenance = in_precision(search, precision, most_disagreement)
    distance, n_queries = (np.stack([of[name] for of in found], axis=1) for name in ("distance", "course_queries"))
    return distance, n_queries, provenance


class _Walks:
    """All inputs on their way towards one point after the other, all in lock step.

    misclassified: bools (n,), None before anything was asked.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        inputs: torch.Tensor,
        classes: np.ndarray | torch.Tensor,
        n_directions: int,
        levels: int,
        method: str,
        precision: str,
    ):
        self._levels, self._halves = levels, method == "bisection"
        self._n_levels = levels.bit_length() - 1 if self._halves else levels - 1  # that are asked in each direction
        self.oracle = LabelOracle(model, len(inputs), 1 + n_directions * self._n_levels, precision)
        self._shape = inputs.shape[1:]
        self._x = inputs.flatten(1).to(self.oracle.device, self.oracle.dtype)
        self._classes = torch.as_tensor(classes).to(self.oracle.device)
        self.misclassified: np.ndarray | None = None

    def towards(self, point: torch.Tensor) -> Arrays:
        """`distance` and `course_queries` (n, t) on the way to a point (*shape), or to points (n, *shape), and what the
        oracle must know.
        """
        spent = self.oracle.n_queries.copy()
        distance = np.full((len(self._x), 1 + self._n_levels), np.inf)
        n_queries = np.zeros(distance.shape, dtype=np.int64)
        if self.misclassified is None:
            self.misclassified = self._is_wrong(self._x, np.arange(len(self._x))).cpu().numpy()
        distance[self.misclassified, 0] = 0
        n_queries[:, 0] = self.oracle.n_queries - spent

        rows = np.flatnonzero(~self.misclassified)
        start = self._x[rows]
        is_own = point.dim() > len(self._shape)
        way = (point[rows].flatten(1) if is_own else point.flatten()).to(start) - start
        length = torch.linalg.vector_norm(way, dim=1).cpu().double().numpy()
        # Shares of the way: the ends of each bracket.
        right, wrong = way.new_zeros(len(rows), 1), way.new_ones(len(rows), 1)
        for moment in range(1, 1 + self._n_levels):
            share = (right + wrong) / 2 if self._halves else torch.full_like(right, moment / self._levels)
            is_wrong = self._is_wrong(torch.addcmul(start, way, share), rows)[:, None]
            right, wrong = torch.where(is_wrong, right, share), torch.where(is_wrong, share, wrong)
            reached = share[:, 0].cpu().double().numpy() * length
            distance[rows, moment] = np.where(is_wrong[:, 0].cpu().numpy(), reached, np.inf)
            n_queries[:, moment] = self.oracle.n_queries - spent
        distance = np.minimum.accumulate(distance, axis=1)
        return {"distance": distance, "course_queries": n_queries} | self.oracle.to_arrays()

    def restore(self, arrays: Arrays) -> Arrays:
        """Go on after the direction that gave these arrays; returns them."""
        self.misclassified = arrays["distance"][:, 0] == 0
        self.oracle.restore(arrays)
        return arrays

    def _is_wrong(self, points: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
        """Which of `points` (m, dim), one for each of the examples `rows` (m,), get a wrong label, bools (m,)."""
        return self.oracle(points.reshape(-1, *self._shape), rows) != self._classes[rows]
