"""Distance to the decision boundary from labels alone: HopSkipJump (Chen, Jordan and Wainwright 2019), L2, untargeted.

Batched over examples in lock step with an active set. Every random number comes from its example's own stream, and
the schedule depends on the step and not on the budget, so a run with a smaller budget is a prefix of a longer one.
The ledger of queries is kept on the host, all else where the model is, so that a GPU need not be waited for: steps
whose number of queries is fixed (move "arc") read nothing back from it, unless `settled` has to be asked.
"""

import math

import numpy as np
import torch
from tqdm import tqdm

from lmia.boundary.schedules import PUBLISHED
from lmia.boundary.state import SearchState
from lmia.journal import Journal

MAX_TRIALS = 10  # halvings of one jump


def hopskipjump(
    oracle,
    inputs,
    classes,
    streams,
    *,
    schedule=PUBLISHED,
    starts=(),
    init_tries=100,
    settled=None,
    progress=None,
    journal=None,
):
    """Search the nearest point with another label around each input, up to the oracle's budget per example.

    oracle: LabelOracle with one unspent row per input; inputs: floats (n, *shape) in [0, 1]; classes: true classes
    (n,); streams: one numpy Generator per input; schedule: Schedule, what queries are spent on; starts: iterable of
    starting points, floats (n, *shape), in the order in which they are tried; init_tries: uniformly random ones that
    are tried after these, before an example is left censored; settled: a function (best (m,), spent (m,)) -> bool
    (m,), which examples need no further step, None to spend the whole budget; progress: label of a progress bar on
    stderr, None for none; journal: Journal of these searches, from whose state they go on, None for none.

    Returns (best, spent, points): best (n, t) float64, smallest L2 distance so far, 0 where the input is
    misclassified, inf (censored) where no start was found; spent (n, t) int64, queries so far; points
    (n, *shape), the closest point found, equal to the input where none was.
    """
    search, state = _Search(oracle, inputs, classes, streams, schedule), (journal or Journal()).part("state")
    if kept := state.get():
        search.restore(kept)
    else:
        search.start(starts, init_tries)
        search.choose(settled)
    with tqdm(total=oracle.budget, desc=progress, disable=progress is None, mininterval=2) as bar:
        while len(search.searching):
            search.advance(lambda: state.save(search.to_arrays))
            search.choose(settled)
            bar.update(int(oracle.spent.max()) - bar.n)
    best = torch.stack([best for best, _ in search.records], dim=1).cpu().double().numpy()
    spent = np.stack([spent for _, spent in search.records], axis=1)
    return best, spent, search.best_points.reshape(inputs.shape)


class _Search(SearchState):
    """What the searches do; `active` and `rows` are indices into the examples."""

    def start(self, starts, tries):
        """Ask each input itself, then starting points until one crosses, then walk back to the boundary."""
        everyone = np.arange(len(self.x))
        wrong = self.crossed(self.x, everyone)
        self.best.masked_fill_(wrong, 0)
        self.record()
        pending, found = everyone[~wrong.cpu().numpy()], []
        for trial in self.trials(starts, tries):
            pending = pending[self.oracle.spent[pending] + 1 + self.halvings <= self.oracle.budget]
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

    def trials(self, starts, tries):
        """Functions rows -> starting points (m, dim) of these examples."""
        for points in starts:
            yield lambda rows, points=points: points[rows].reshape(len(rows), -1).to(self.x)
        for _ in range(tries):
            yield lambda rows: torch.from_numpy(np.stack([self.streams[row].random(self.dim) for row in rows])).to(
                self.x
            )

    def choose(self, settled):
        """Go to the next step, with those who are not settled, and whose budget holds it, whatever it needs."""
        self.step += 1
        rows = self.searching
        worst = self.n_probes() + self.halvings + (MAX_TRIALS if self.schedule.move == "jump" else 0)
        rows = rows[self.oracle.spent[rows] + worst <= self.oracle.budget]
        if settled is not None and len(rows):
            rows = rows[~settled(self.best[rows].cpu().double().numpy(), self.oracle.spent[rows])]
        self.searching = rows

    def advance(self, save):
        """One step of all that are searching: a direction across the boundary, and a move along it.

        save: called wherever the searches can go on from, should they be broken off.
        """
        active, block = self.searching, self.block()
        radius = self.radius(active).split(block)
        blocks = np.split(active, range(block, len(active), block))
        for rows, part in list(zip(blocks, radius, strict=True))[len(self.found) :]:
            self.found.append(self.gradient(rows, part))
            save()
        direction, self.found = torch.cat(self.found), []
        if self.schedule.memory:
            direction = _unit(direction + self.schedule.memory * self.momentum[self.at(active)])
            self.momentum[self.at(active)] = direction
        if self.schedule.move == "jump":
            self.project(self.jump(active, direction))
        else:
            self.arc(active, direction)
        self.record()

    def radius(self, rows):
        """Root mean square distance (m,) of probes from their centres, before clipping; never too small to be seen."""
        if self.schedule.radius is not None:
            radius = self.distance(rows) * self.schedule.radius
        else:
            radius = torch.full((len(rows),), 0.1).to(self.x) if self.step == 1 else self.distance(rows) / self.dim
        return radius.clamp_min(self.oracle.resolution * math.sqrt(self.dim))

    def gradient(self, rows, radius):
        """Unit vectors (m, dim) across the boundary, from labels of random probes around it (eq. 15-16)."""
        n = self.n_probes()
        noise = self.directions.draw([self.streams[row] for row in rows], n, self.x.device).to(self.x.dtype)
        if self.schedule.on_sphere:
            noise.div_(torch.linalg.vector_norm(noise, dim=2, keepdim=True) * self.directions.scale)
        centre = self.points[self.at(rows)][:, None]
        scale = (radius * self.directions.scale)[:, None, None]
        probes = torch.addcmul(centre, noise, scale).clamp_(0, 1)
        weight = self.crossed(probes.view(-1, self.dim), rows).view(len(rows), 1, n).to(self.x.dtype)
        mean = weight.mean(dim=2, keepdim=True)
        # The mean as a baseline (eq. 16), in signs or, to the same end, in zeros and ones; unless all agree.
        weight.sub_(torch.where((mean == 0) | (mean == 1), 0.5, mean))
        probes.sub_(centre)  # what was really sent, after clipping
        return _unit(torch.bmm(weight, probes)[:, 0])

    def jump(self, rows, direction):
        """Step along `direction`, halving from distance / sqrt(step) until the point crosses; returns who moved."""
        length = (self.distance(rows) / math.sqrt(self.step))[:, None]
        pending = np.arange(len(rows))
        for _ in range(MAX_TRIALS):
            if not len(pending):
                break
            trial = (self.points[rows[pending]] + length[pending] * direction[pending]).clamp_(0, 1)
            crossed = self.crossed(trial, rows[pending])
            self.points[rows[pending]] = torch.where(crossed[:, None], trial, self.points[rows[pending]])
            pending = pending[~crossed.cpu().numpy()]
            length[pending] /= 2
        return rows[~np.isin(np.arange(len(rows)), pending)]

    def project(self, rows):
        """Bisect between each input and its point, keep the near end that still crosses, and note it if it is best."""
        x, far = self.x[self.at(rows)], self.points[self.at(rows)]
        step = far - x
        self.move(rows, self.bisect(rows, lambda share: torch.addcmul(x, step, 1 - share), far))

    def arc(self, rows, direction):
        """Bisect on the half-circle over the segment from each input to its point, on the side of `direction`.

        Where the boundary is flat, the crossing is the point nearest to the input in the plane of the two.
        """
        x, far = self.x[self.at(rows)], self.points[self.at(rows)]
        length = self.distance(rows)[:, None]
        along = (far - x) / length.clamp_min(1e-30)
        across = _unit(direction - (direction * along).sum(dim=1, keepdim=True) * along)

        def point(share):
            angle = share * (math.pi / 2)
            return (x + length * angle.cos() * (angle.cos() * along + angle.sin() * across)).clamp_(0, 1)

        moved = self.bisect(rows, point, far)
        nearer = torch.linalg.vector_norm(moved - x, dim=1, keepdim=True) < length
        self.move(rows, torch.where(nearer, moved, far))

    def bisect(self, rows, point, far):
        """The last crossing point on curves share -> point, from `far` at 0 (known to cross) to 1 (known not to)."""
        outside, inside = far.new_zeros(len(rows), 1), far.new_ones(len(rows), 1)
        for _ in range(self.halvings if len(rows) else 0):
            middle = (inside + outside) / 2
            crossed = self.crossed(point(middle), rows)[:, None]
            outside = torch.where(crossed, middle, outside)
            inside = torch.where(crossed, inside, middle)
        return torch.where(outside == 0, far, point(outside))  # `far` was labelled, point(0) can differ by a rounding


def _unit(vectors):
    return vectors / torch.linalg.vector_norm(vectors, dim=1, keepdim=True).clamp_min(1e-30)
