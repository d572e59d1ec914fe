"""Where boundary searches stand, as arrays that they can be taken up from."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from lmia.boundary.directions import Directions
from lmia.boundary.schedules import Schedule
from lmia.box import Box
from lmia.devices import width
from lmia.queries.oracle import LabelOracle
from lmia.streams import set_states, states

PROBES = 256, 1 << 20  # made together: at least so many, to fill forward passes; else of so many values, to fit caches
TENSORS = ("points", "best_points", "momentum", "best")


class SearchState:
    """State of all searches, one per example, in lock step; `rows` are indices into the examples.

    Args:
        oracle: With one row of its ledger per example.
        inputs: Floats (n, *shape) in the box.
        classes: True classes (n,).
        streams: One generator per example.
        schedule: What queries are spent on.
        box: Of the data set, which no search leaves.
    """

    def __init__(
        self,
        oracle: LabelOracle,
        inputs: torch.Tensor,
        classes: np.ndarray | torch.Tensor,
        streams: Sequence[np.random.Generator],
        schedule: Schedule,
        box: Box,
    ):
        self.oracle, self.streams, self.shape, self.schedule = oracle, streams, inputs.shape[1:], schedule
        self.box = box
        self.x = inputs.flatten(1).to(oracle.device, oracle.dtype)
        self.classes = torch.as_tensor(classes).to(oracle.device)
        self.dim = self.x.shape[1]
        self.directions = Directions(self.shape, schedule.grid)
        self.halvings = schedule.halvings_in(self.dim)
        self.points = self.x.clone()  # where each search stands
        self.best_points = self.x.clone()
        self.momentum = torch.zeros_like(self.x)
        self.best = torch.full((len(self.x),), torch.inf).to(self.x)
        self.records: list[tuple[torch.Tensor, np.ndarray]] = []
        self.step, self.searching = 0, np.empty(0, dtype=int)  # this step, and who takes it
        self.restored: list[torch.Tensor] = []  # gradients of this step that `restore` brought, one tensor per block

    def to_arrays(self, gradients: Sequence[torch.Tensor]) -> dict[str, np.ndarray]:
        """All that is not given from the start, as named arrays.

        gradients: of this step, (m, dim) for each of the first `blocks` of those who take it.
        """
        arrays = {name: getattr(self, name).cpu().numpy() for name in TENSORS}
        arrays |= {"step": np.array(self.step), "searching": self.searching}
        arrays["gradients"] = torch.cat([self.x[:0], *gradients]).cpu().numpy()
        arrays["course"] = torch.stack([best for best, _ in self.records]).cpu().numpy()
        arrays["course_queries"] = np.stack([queries for _, queries in self.records])
        return arrays | self.oracle.to_arrays() | {"streams": states(self.streams)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from what `to_arrays` gave: what follows is the same, bit for bit."""
        for name in TENSORS:
            getattr(self, name).copy_(torch.from_numpy(arrays[name]))
        self.step, self.searching = int(arrays["step"]), arrays["searching"]
        gradients = torch.from_numpy(arrays["gradients"]).to(self.x)
        self.restored = [gradients[block] for block in self.blocks(len(gradients))]
        course = torch.from_numpy(arrays["course"]).to(self.x)
        self.records = list(zip(course, arrays["course_queries"], strict=True))
        self.oracle.restore(arrays)
        set_states(self.streams, arrays["streams"])

    def n_probes(self) -> int:
        """Gradient probes of this step, for each example."""
        return int(self.schedule.initial_probes * self.step**self.schedule.growth)

    def blocks(self, n: int) -> list[slice]:
        """Those of n examples whose probes of this step are made together."""
        min_probes, values = PROBES
        n_probes = max(min_probes, values * width(self.x.device) // self.dim)
        size = max(1, n_probes // self.n_probes())
        return [slice(start, start + size) for start in range(0, n, size)]

    def at(self, rows: np.ndarray) -> torch.Tensor:
        """Indices that a GPU need not be waited for."""
        device = self.x.device  # others may read `rows` only after that is gone (pytorch#189690, of mps)
        return torch.from_numpy(rows).to(device, non_blocking=device.type == "cuda")

    def crossed(self, points: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
        """Which points (m * k, dim), k for each of the examples `rows` (m,), get another label; the oracle counts."""
        k = len(points) // max(1, len(rows))
        labels = self.oracle(points.reshape(-1, *self.shape), np.repeat(rows, k))
        return labels != self.classes[self.at(rows)].repeat_interleave(k)

    def distance(self, rows: np.ndarray) -> torch.Tensor:
        """How far (m,) each search stands from its input."""
        at = self.at(rows)
        return torch.linalg.vector_norm(self.points[at] - self.x[at], dim=1)

    def move(self, rows: np.ndarray, points: torch.Tensor) -> None:
        """Let the searches stand at `points` (m, dim), and keep those that are the best so far."""
        at = self.at(rows)
        self.points[at] = points
        distance, best = self.distance(rows), self.best[at]
        better = distance < best
        self.best[at] = torch.where(better, distance, best)
        self.best_points[at] = torch.where(better[:, None], points, self.best_points[at])

    def record(self) -> None:
        """Note the best distances so far, and the queries up to here."""
        self.records.append((self.best.clone(), self.oracle.n_queries.copy()))
