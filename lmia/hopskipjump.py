"""HopSkipJump (Chen, Jordan and Wainwright 2019), L2, untargeted: distance to the decision boundary from labels alone.

Batched over examples in lock step with an active set. Every random number comes from its example's own stream, and
the schedule depends on the step and not on the budget, so a run with a smaller budget is a prefix of a longer one.
"""

import math

import numpy as np
import torch
from tqdm import tqdm

PROBES_AT_ONCE = 1 << 14  # gradient probes held in memory together
MAX_TRIALS = 10  # halvings of one step


def hopskipjump(oracle, inputs, classes, streams, *, initial_probes=100, init_tries=100, progress=None):
    """Search the nearest point with another label around each input, up to the oracle's budget per example.

    oracle: LabelOracle with one unspent row per input; inputs: floats (n, *shape) in [0, 1]; classes: true classes
    (n,); streams: one numpy Generator per input; initial_probes: gradient probes of the first step, the t-th step
    sends sqrt(t) times as many (section 4.2 of Chen et al.); init_tries: random starts tried before an example is
    left censored; progress: label of a progress bar on stderr, None for none.

    Returns (best, spent, points): best (n, t) float64, smallest L2 distance so far, 0 where the input is
    misclassified, inf (censored) where no start was found; spent (n, t) int64, queries so far; points
    (n, *shape), the closest point found, equal to the input where none was.
    """
    search = _Search(oracle, inputs, classes, streams, initial_probes)
    search.start(init_tries)
    with tqdm(total=oracle.budget, desc=progress, disable=progress is None, mininterval=2) as bar:
        step = 1
        while len(active := search.affordable(step)):
            search.advance(active, step)
            bar.update(int(oracle.spent.max()) - bar.n)
            step += 1
    best, spent = (np.stack(column, axis=1) for column in zip(*search.records, strict=True))
    return best, spent, search.best_points.reshape(inputs.shape)


class _Search:
    """State of all searches; `active` and `rows` are indices into the examples."""

    def __init__(self, oracle, inputs, classes, streams, initial_probes):
        self.oracle, self.streams, self.shape = oracle, streams, inputs.shape[1:]
        self.x = inputs.reshape(len(inputs), -1).to(oracle.device, oracle.dtype)
        self.classes = torch.as_tensor(np.asarray(classes))
        self.dim = self.x.shape[1]
        self.initial_probes = initial_probes
        # Bisection down to 1 / dim^1.5 of the distance (section 4.2 of Chen et al.), in low dimensions to a thousandth.
        self.search_steps = max(10, math.ceil(1.5 * math.log2(self.dim)))
        self.points = self.x.clone()  # where each search stands
        self.best_points = self.x.clone()
        self.best = np.full(len(self.x), np.inf)
        self.records = []

    def crossed(self, points, rows):
        """Which points (m, dim) that belong to examples `rows` (m,) get another label; counted by the oracle."""
        return self.oracle(points.reshape(-1, *self.shape), rows) != self.classes[rows]

    def record(self):
        self.records.append((self.best.copy(), self.oracle.spent.copy()))

    def start(self, tries):
        """Ask each input itself, then uniform noise until it crosses, then walk back to the boundary."""
        everyone = np.arange(len(self.x))
        wrong = self.crossed(self.x, everyone).numpy()
        self.best[wrong] = 0
        self.record()
        pending, found = everyone[~wrong], []
        for _ in range(tries):
            pending = pending[self.oracle.spent[pending] + 1 + self.search_steps <= self.oracle.budget]
            if not len(pending):
                break
            noise = np.stack([self.streams[row].random(self.dim) for row in pending])
            noise = torch.from_numpy(noise).to(self.x)
            crossed = self.crossed(noise, pending).numpy()
            self.points[pending[crossed]] = noise[torch.from_numpy(crossed)]
            found.append(pending[crossed])
            pending = pending[~crossed]
        self.searching = np.sort(np.concatenate([*found, np.empty(0, dtype=int)]))
        self.project(self.searching)
        self.record()

    def n_probes(self, step):
        return int(self.initial_probes * math.sqrt(step))

    def affordable(self, step):
        """Examples whose budget holds one more step, whatever that step needs."""
        worst = self.n_probes(step) + MAX_TRIALS + self.search_steps
        self.searching = self.searching[self.oracle.spent[self.searching] + worst <= self.oracle.budget]
        return self.searching

    def advance(self, active, step):
        """One HopSkipJump step of the examples `active`: gradient direction, jump, walk back to the boundary."""
        chunk = max(1, PROBES_AT_ONCE // self.n_probes(step))
        parts = [self.gradient(active[i : i + chunk], step) for i in range(0, len(active), chunk)]
        moved = self.jump(active, torch.cat(parts), step)
        self.project(moved)
        self.record()

    def distance(self, rows):
        return torch.linalg.vector_norm(self.points[rows] - self.x[rows], dim=1)

    def gradient(self, rows, step):
        """Unit vectors (m, dim) across the boundary, from labels of random probes around it (eq. 15-16)."""
        shape = (self.n_probes(step), self.dim)
        kind = np.float64 if self.x.dtype == torch.float64 else np.float32
        probes = np.empty((len(rows), *shape), dtype=kind)
        for k, row in enumerate(rows):
            self.streams[row].standard_normal(out=probes[k], dtype=kind)
        probes = torch.from_numpy(probes).to(self.x)
        centre = self.points[rows][:, None]
        # Radius: a tenth of the value range at first, then the distance / dim (the authors' schedule).
        radius = torch.full((len(rows),), 0.1).to(self.x) if step == 1 else self.distance(rows) / self.dim
        radius = radius[:, None, None]
        probes.mul_(radius / math.sqrt(self.dim)).add_(centre).clamp_(0, 1)
        crossed = self.crossed(probes.reshape(-1, self.dim), np.repeat(rows, shape[0]))
        sign = crossed.reshape(len(rows), 1, -1).to(self.x) * 2 - 1
        mean = sign.mean(dim=2, keepdim=True)
        weight = torch.where(mean.abs() == 1, sign, sign - mean)  # the mean as a baseline, unless all agree
        probes.sub_(centre).div_(radius)  # what was really sent, after clipping
        # One product per example, so that its rounding cannot depend on its neighbours in the batch.
        direction = torch.stack([(w @ p)[0] for w, p in zip(weight, probes, strict=True)])
        return direction / torch.linalg.vector_norm(direction, dim=1, keepdim=True).clamp_min(1e-30)

    def jump(self, rows, direction, step):
        """Step along `direction`, halving from distance / sqrt(step) until the point crosses; returns who moved."""
        length = (self.distance(rows) / math.sqrt(step))[:, None]
        pending = np.arange(len(rows))
        for _ in range(MAX_TRIALS):
            if not len(pending):
                break
            trial = (self.points[rows[pending]] + length[pending] * direction[pending]).clamp_(0, 1)
            crossed = self.crossed(trial, rows[pending]).numpy()
            self.points[rows[pending[crossed]]] = trial[torch.from_numpy(crossed)]
            pending = pending[~crossed]
            length[pending] /= 2
        return rows[~np.isin(np.arange(len(rows)), pending)]

    def project(self, rows):
        """Bisect between each input and its point, keep the near end that still crosses, and note it if it is best."""
        if not len(rows):
            return
        x, far = self.x[rows], self.points[rows]
        inside, outside = torch.zeros(len(rows), 1).to(x), torch.ones(len(rows), 1).to(x)
        for _ in range(self.search_steps):
            middle = (inside + outside) / 2
            crossed = self.crossed(x + middle * (far - x), rows)[:, None].to(x.device)
            outside = torch.where(crossed, middle, outside)
            inside = torch.where(crossed, inside, middle)
        # The far end itself was labelled, x + 1 * (far - x) was not: they can differ by a rounding.
        self.points[rows] = torch.where(outside == 1, far, x + outside * (far - x))
        distance = self.distance(rows).cpu().numpy()
        better = distance < self.best[rows]
        self.best[rows[better]] = distance[better]
        self.best_points[rows[better]] = self.points[rows[better]]
