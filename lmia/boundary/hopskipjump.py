"""Distance to the decision boundary from labels alone: HopSkipJump (Chen, Jordan and Wainwright 2019), L2, untargeted.

Batched over examples in lock step with an active set. Every random number comes from its example's own stream, and
the schedule depends on the step and not on the budget, so a search with a smaller budget is a prefix of a longer one.
The ledger of queries is kept on the host, all else where the model is, so that a GPU need not be waited for: steps
whose number of queries is fixed (move "arc") read nothing back from it, unless `settled` has to be asked.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, repeat

import numpy as np
import torch
from tqdm import tqdm

from lmia.boundary.geometry import bisect, unit
from lmia.boundary.schedules import PUBLISHED, Schedule
from lmia.boundary.search_state import SearchState
from lmia.box import UNIT, Box
from lmia.journal import Journal
from lmia.queries.oracle import LabelOracle

MAX_TRIALS = 10  # halvings of one jump
Settled = Callable[[np.ndarray, np.ndarray], np.ndarray]
Save = Callable[[Callable[[], dict[str, np.ndarray]]], None]  # as `Journal.save`


def hopskipjump(
    oracle: LabelOracle,
    inputs: torch.Tensor,
    classes: np.ndarray | torch.Tensor,
    streams: Sequence[np.random.Generator],
    *,
    schedule: Schedule = PUBLISHED,
    box: Box = UNIT,
    starts: Iterable[torch.Tensor] = (),
    init_tries: int = 100,
    last_starts: Iterable[torch.Tensor] = (),
    settled: Settled | None = None,
    progress: str | None = None,
    journal: Journal | None = None,
) -> tuple[np.ndarray, np.ndarray, torch.Tensor]:
    """Search the nearest point with another label around each input, up to the oracle's budget per example.

    Args:
        oracle: With one unspent row per input.
        inputs: Floats (n, *shape) in the box.
        classes: True classes (n,).
        streams: One generator per input.
        schedule: What queries are spent on.
        box: Of the data set, which no query leaves.
        starts: Starting points, floats (n, *shape), in the order in which they are tried.
        init_tries: Uniformly random ones that are tried after these.
        last_starts: The like of `starts`, tried where all others have failed, before an example is left censored.
        settled: (distance (m,), n_queries (m,)) -> bools (m,), which examples need no further step; None to spend the
            whole budget.
        progress: Label of a progress bar on stderr, None for none.
        journal: Of these searches, from whose state they go on; None for none.

    Returns:
        (distance, n_queries, points): distance (n, t) float64, the smallest L2 distance so far, 0 where the input is
        misclassified, inf (censored) where no start was found; n_queries (n, t) int64, queries so far; points
        (n, *shape), the closest point found, equal to the input where none was.
    """
    search, state = _Search(oracle, inputs, classes, streams, schedule, box), (journal or Journal()).part("state")
    if kept := state.get():
        search.restore(kept)
    else:
        search.start(starts, init_tries, last_starts)
        search.begin_step(settled)
    with tqdm(total=oracle.budget, desc=progress, disable=progress is None, mininterval=2) as bar:
        while len(search.searching):
            search.take_step(state.save)
            search.begin_step(settled)
            bar.update(int(oracle.n_queries.max()) - bar.n)
    distance = torch.stack([best for best, _ in search.records], dim=1).cpu().double().numpy()
    n_queries = np.stack([queries for _, queries in search.records], axis=1)
    return distance, n_queries, search.best_points.reshape(inputs.shape)


class _Search(SearchState):
    """What the searches do; `active` and `rows` are indices into the examples."""

    def start(self, starts: Iterable[torch.Tensor], tries: int, last_starts: Iterable[torch.Tensor]) -> None:
        """Ask each input itself, then starting points until one crosses, then walk back to the boundary."""
        everyone = np.arange(len(self.x))
        wrong = self.crossed(self.x, everyone)
        self.best.masked_fill_(wrong, 0)
        self.record()
        pending, found = everyone[~wrong.cpu().numpy()], []
        for trial in self.trials(starts, tries, last_starts):
            pending = pending[self.oracle.n_queries[pending] + 1 + self.halvings <= self.oracle.budget]
            if not len(pending):
                break
            points = trial(pending)
            crossed = self.crossed(points, pending)
            self.points[pending] = torch.where(crossed[:, None], points, self.points[pending])
            crossed = crossed.cpu().numpy()
            found.append(pending[crossed])
            pending = pending[~crossed]
        self.searching = np.sort(np.concatenate([*found, np.empty(0, dtype=int)]))
        self.project(self.searching)
        self.record()

    def trials(
        self, starts: Iterable[torch.Tensor], tries: int, last_starts: Iterable[torch.Tensor]
    ) -> Iterator[Callable[[np.ndarray], torch.Tensor]]:
        """Functions rows -> starting points (m, dim) of these examples."""
        for points in chain(starts, repeat(None, tries), last_starts):
            yield self.random_points if points is None else partial(self.given_points, points)

    def given_points(self, points: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
        """Of starting points (n, *shape) those of some examples, (m, dim)."""
        return points[rows].reshape(len(rows), -1).to(self.x)

    def random_points(self, rows: np.ndarray) -> torch.Tensor:
        """Uniform in the box, (m, dim)."""
        shares = np.stack([self.streams[row].random(self.dim) for row in rows])
        return torch.from_numpy(self.box.at(shares)).to(self.x)

    def begin_step(self, settled: Settled | None) -> None:
        """Go to the next step, with those who are not settled, and whose budget holds it, whatever it needs."""
        self.step += 1
        rows = self.searching
        worst = self.n_probes() + self.halvings + (MAX_TRIALS if self.schedule.move == "jump" else 0)
        rows = rows[self.oracle.n_queries[rows] + worst <= self.oracle.budget]
        if settled is not None and len(rows):
            rows = rows[~settled(self.best[rows].cpu().double().numpy(), self.oracle.n_queries[rows])]
        self.searching = rows

    def take_step(self, save: Save) -> None:
        """One step of all that are searching: a direction across the boundary, and a move along it."""
        active = self.searching
        direction = self.gradients(active, save)
        if self.schedule.memory:
            direction = unit(direction + self.schedule.memory * self.momentum[self.at(active)])
            self.momentum[self.at(active)] = direction
        if self.schedule.move == "jump":
            self.project(self.jump(active, direction))
        else:
            self.arc(active, direction)
        self.record()

    def gradients(self, rows: np.ndarray, save: Save) -> torch.Tensor:
        """`gradient` of all `rows`, block by block; those that a restored state brought are not asked for again."""
        radius, (gradients, self.restored) = self.radius(rows), (self.restored, [])
        for block in self.blocks(len(rows))[len(gradients) :]:
            gradients.append(self.gradient(rows[block], radius[block]))
            save(lambda: self.to_arrays(gradients))
        return torch.cat(gradients)

    def radius(self, rows: np.ndarray) -> torch.Tensor:
        """Root mean square distance (m,) of probes from their centres, before clipping; never too small to be seen."""
        if self.schedule.radius is not None:
            radius = self.distance(rows) * self.schedule.radius
        else:
            first = torch.full((len(rows),), 0.1 * self.box.size).to(self.x)
            radius = first if self.step == 1 else self.distance(rows) / self.dim
        return radius.clamp_min(self.oracle.resolution * self.box.largest * math.sqrt(self.dim))

    def gradient(self, rows: np.ndarray, radius: torch.Tensor) -> torch.Tensor:
        """Unit vectors (m, dim) across the boundary, from labels of random probes around it (eq. 15-16)."""
        n = self.n_probes()
        noise = self.directions.draw([self.streams[row] for row in rows], n, self.x.device).to(self.x.dtype)
        if self.schedule.on_sphere:
            noise.div_(torch.linalg.vector_norm(noise, dim=2, keepdim=True) * self.directions.scale)
        centre = self.points[self.at(rows)][:, None]
        scale = (radius * self.directions.scale)[:, None, None]
        probes = self.box.clip_(torch.addcmul(centre, noise, scale))
        weight = self.crossed(probes.view(-1, self.dim), rows).view(len(rows), 1, n).to(self.x.dtype)
        mean = weight.mean(dim=2, keepdim=True)
        # The mean as a baseline (eq. 16), in signs or, to the same end, in zeros and ones; unless all agree.
        weight.sub_(torch.where((mean == 0) | (mean == 1), 0.5, mean))
        probes.sub_(centre)  # what was really sent, after clipping
        return unit(torch.bmm(weight, probes)[:, 0])

    def jump(self, rows: np.ndarray, direction: torch.Tensor) -> np.ndarray:
        """Step along `direction`, halving from distance / sqrt(step) until the point crosses; returns who moved."""
        length = (self.distance(rows) / math.sqrt(self.step))[:, None]
        pending = np.arange(len(rows))
        for _ in range(MAX_TRIALS):
            if not len(pending):
                break
            trial = self.box.clip_(self.points[rows[pending]] + length[pending] * direction[pending])
            crossed = self.crossed(trial, rows[pending])
            self.points[rows[pending]] = torch.where(crossed[:, None], trial, self.points[rows[pending]])
            pending = pending[~crossed.cpu().numpy()]
            length[pending] /= 2
        return rows[~np.isin(np.arange(len(rows)), pending)]

    def project(self, rows: np.ndarray) -> None:
        """Bisect between each input and its point, keep the near end that still crosses, and note it if it is best."""
        x, far = self.x[self.at(rows)], self.points[self.at(rows)]
        step = far - x
        self.move(rows, self.last_crossing(rows, lambda share: torch.addcmul(x, step, 1 - share), far))

    def arc(self, rows: np.ndarray, direction: torch.Tensor) -> None:
        """Bisect on the half-circle over the segment from each input to its point, on the side of `direction`.

        Where the boundary is flat, the crossing is the point nearest to the input in the plane of the two.
        """
        x, far = self.x[self.at(rows)], self.points[self.at(rows)]
        length = self.distance(rows)[:, None]
        along = (far - x) / length.clamp_min(1e-30)
        across = unit(direction - (direction * along).sum(dim=1, keepdim=True) * along)

        def point(share: torch.Tensor) -> torch.Tensor:
            angle = share * (math.pi / 2)
            return self.box.clip_(x + length * angle.cos() * (angle.cos() * along + angle.sin() * across))

        moved = self.last_crossing(rows, point, far)
        nearer = torch.linalg.vector_norm(moved - x, dim=1, keepdim=True) < length
        self.move(rows, torch.where(nearer, moved, far))

    def last_crossing(
        self, rows: np.ndarray, point: Callable[[torch.Tensor], torch.Tensor], far: torch.Tensor
    ) -> torch.Tensor:
        """The last crossing point on curves share -> point, from `far` at 0 (known to cross) to 1 (known not to)."""
        start, end = far.new_zeros(len(rows), 1), far.new_ones(len(rows), 1)
        share = bisect(lambda share: self.crossed(point(share), rows), start, end, self.halvings)
        return torch.where(share == 0, far, point(share))  # `far` was labelled, point(0) can differ by a rounding
