"""The tools that are compared, each asking one model through a wrapper that counts, times and measures its queries.

ART and Foolbox are extras of the benchmark alone: they are imported where they are run.
"""

import time
from dataclasses import dataclass, replace

import numpy as np
import torch
from art_classifier import as_art_classifier
from torch import nn

from lmia.boundary.hopskipjump import hopskipjump
from lmia.boundary.references import reference_crossings
from lmia.boundary.schedules import SCHEDULES
from lmia.boundary.starts import beyond, nearest_others
from lmia.queries.oracle import PRECISIONS, LabelOracle
from lmia.streams import streams

INSTALL = "pip install adversarial-robustness-toolbox==1.20.1 foolbox==3.3.4 torch==2.13.0 numpy==2.4.6"
MAX_QUERIES = 4096  # of one example that are told apart; later ones count as the last of these


@dataclass(frozen=True)
class Tool:
    """A way to search: the schedule that it follows and the precision of the model."""

    name: str
    schedule: str
    precision: str = "float32"


WARM = [Tool("ours", "warm"), Tool("ours", "warm", "bfloat16")]  # which start at models of the attacker's own
OURS = [Tool("ours", "published"), Tool("ours", "economical"), Tool("ours", "economical", "bfloat16"), *WARM]
# The same searches as the warm ones', read beside the distances of those models.
CALIBRATED = [replace(tool, name="ours, calibrated") for tool in WARM]
RIVALS = [Tool("ART", "published"), Tool("Foolbox", "published")]
STOPPING = Tool("ours with stopping", "economical")
# What is measured beside the tools; the ceiling of the first pass and that of the second, when stopping is measured.
CEILING, CEILING_OF_STOPPING, WHITE_BOX = Tool("ceiling", "first"), Tool("ceiling", "second"), Tool("DDN", "gradients")


@dataclass(frozen=True)
class Points:
    """What is attacked, and what the attacker has besides.

    inputs: float32 tensor (n, *shape) in [0, 1]; classes: int64 tensor (n,); ids: ints (n,), of the random streams;
    pool, pool_classes: like the first two, of other examples; references: networks of the attacker's own; is_out: which
    points each of them has not seen, bools (n, len(references)). All tensors are where the model is.
    """

    inputs: torch.Tensor
    classes: torch.Tensor
    ids: np.ndarray
    pool: torch.Tensor
    pool_classes: torch.Tensor
    references: tuple = ()
    is_out: np.ndarray | None = None

    def take(self, rows):
        """Some of the points, with the whole pool and all references."""
        is_out = None if self.is_out is None else self.is_out[rows]
        return replace(self, inputs=self.inputs[rows], classes=self.classes[rows], ids=self.ids[rows], is_out=is_out)

    def references_of(self):
        """(rows, networks), as `reference_crossings` takes them: each point has those that have not seen it."""
        for used in np.unique(self.is_out, axis=0):
            networks = [network for network, is_used in zip(self.references, used, strict=True) if is_used]
            if networks:
                yield np.flatnonzero((self.is_out == used).all(axis=1)), networks


def clocks(device):
    """(CPU, wall) seconds of this process by now, when all that it asked of the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.process_time(), time.perf_counter()


class Trace:
    """Whose queries were asked, what they cost, and how near the nearest adversarial one was.

    points: Points; precision: queries are the inputs of this type, others (audits) only cost time; measured: whether
    distances are taken. The k-th query of every example is booked in column k - 1: `rows`, how many were asked;
    `cpu` and `wall`, seconds that they took, with the attack's own work before them and without the tracing;
    `nearest` (n, MAX_QUERIES), L2 distance of the query where it got another label, inf elsewhere. `spent`: ints (n,).
    """

    def __init__(self, points, precision="float32", measured=True):
        self.points, self.measured, self.device = points, measured, points.inputs.device
        self.dtype = PRECISIONS[precision] or torch.float32
        n = len(points.inputs)
        self.spent = np.zeros(n, dtype=np.int64)
        self.rows, self.cpu, self.wall, self.shares = np.zeros((4, MAX_QUERIES))
        self.nearest = np.full((n, MAX_QUERIES), np.inf, dtype=np.float32)
        self.owners, self.turn = np.arange(n), 0
        self.clocks = clocks(self.device)

    def __deepcopy__(self, memo):
        return self  # the copy of a model in reduced precision is traced in the same books

    def next(self, owners):
        """From now on the rows belong to these examples, one after the other, over and over."""
        if self.turn:
            raise RuntimeError(f"{self.turn} of {len(self.owners)} rows came: the examples are not asked in this order")
        self.owners = np.asarray(owners)

    def note(self, inputs, outputs):
        """Book one forward pass; rows of one example must be neighbours in it."""
        if inputs.dtype != self.dtype:
            return
        now = clocks(self.device)
        owners = self.owners[(self.turn + np.arange(len(inputs))) % len(self.owners)]
        self.turn = (self.turn + len(inputs)) % len(self.owners)
        counts = np.bincount(owners, minlength=len(self.spent))
        position = np.arange(len(owners))
        first = np.maximum.accumulate(np.where(np.diff(owners, prepend=-1) != 0, position, 0))
        column = np.minimum(self.spent[owners] + position - first, MAX_QUERIES - 1)
        self.spent += counts
        booked = np.bincount(column, minlength=MAX_QUERIES)
        self.rows += booked
        self.shares = booked / len(owners)
        self._charge(now)
        if self.measured:
            self._measure(inputs, outputs, owners, column)
        self.clocks = clocks(self.device)

    def _charge(self, now):
        self.cpu += self.shares * (now[0] - self.clocks[0])
        self.wall += self.shares * (now[1] - self.clocks[1])

    def _measure(self, inputs, outputs, owners, column):
        with torch.no_grad():
            at = torch.from_numpy(owners).to(self.device)
            distance = torch.linalg.vector_norm((inputs - self.points.inputs[at]).flatten(1), dim=1)
            distance[outputs.argmax(1) == self.points.classes[at]] = torch.inf
        np.minimum.at(self.nearest, (owners, column), distance.cpu().numpy())

    def stop(self):
        """Charge what came after the last query."""
        self._charge(clocks(self.device))
        self.next(self.owners)

    def books(self):
        """All of it as arrays; `trail` (n, MAX_QUERIES) is the least distance so far."""
        trail = np.minimum.accumulate(self.nearest, axis=1)
        return {"rows": self.rows, "cpu": self.cpu, "wall": self.wall, "spent": self.spent, "trail": trail}


class Traced(nn.Module):
    """A model whose forward passes are noted."""

    def __init__(self, model, trace):
        super().__init__()
        self.model, self.trace = model, trace
        self.eval()

    def forward(self, inputs):
        outputs = self.model(inputs)
        self.trace.note(inputs, outputs)
        return outputs


class TracedOracle(LabelOracle):
    """An oracle that tells the trace whose queries come next."""

    def __init__(self, model, trace, budget, precision):
        super().__init__(Traced(model, trace), len(trace.spent), budget, precision)
        self._trace = trace

    def __call__(self, inputs, owners):
        self._trace.next(owners)
        return super().__call__(inputs, owners)


def search(tool, scale, seed, model, points, settled=None):
    """One tool around some points: the arrays of its trace.

    scale: has the budget of each schedule, and the steps of ART and Foolbox; settled: when to stop, for ours.
    """
    own = seed + int(points.ids[0])  # ART and Foolbox have one random stream for all points
    if tool.name == "ART":
        return run_art(model, points, own, scale.steps)
    if tool.name == "Foolbox":
        return run_foolbox(model, points, own, scale.steps)
    return run_ours(model, points, seed, tool.schedule, getattr(scale, tool.schedule), tool.precision, settled)


def run_ours(model, points, seed, schedule, budget, precision, settled=None):
    """This library's search; besides the trace's arrays `best` and `moments` (n, t), the course of the search.

    A warm one has `reference_distance` (n,) too; what it takes to find that is booked before the first query.
    """
    trace = Trace(points, precision, measured=False)
    oracle = TracedOracle(model, trace, budget, precision)
    others = nearest_others(points.inputs, points.classes, points.pool, points.pool_classes)
    starts = {"last_starts" if schedule == "published" else "starts": others}  # as published, noise comes first
    beside = {}
    if schedule == "warm":
        known = list(points.references_of())
        crossings, distance = reference_crossings(known, points.inputs, points.classes.cpu().numpy())
        starts, beside = {"starts": beyond(points.inputs, crossings, others)}, {"reference_distance": distance}
    draws = streams(seed, "benchmark", points.ids)
    options = {"schedule": SCHEDULES[schedule], "settled": settled, **starts}
    best, moments, _ = hopskipjump(oracle, points.inputs, points.classes, draws, **options)
    trace.stop()
    if (trace.spent != oracle.n_queries).any():
        raise RuntimeError(f"the wrapper saw {trace.spent.sum()} queries, the oracle {oracle.n_queries.sum()}")
    np.minimum.at(trace.nearest, (np.arange(len(best))[:, None], moments - 1), best)
    disagreement = np.nan if oracle.disagreement is None else oracle.disagreement
    return trace.books() | beside | {"best": best, "moments": moments, "disagreement": disagreement}


def run_art(model, points, seed, steps):
    """ART's HopSkipJump as its LabelOnlyDecisionBoundary runs it, on the inputs that get their own class."""
    from art.attacks.evasion import HopSkipJump

    class Named(HopSkipJump):
        """The same, and the trace knows whose turn it is: ART asks of all examples at once only before and after."""

        def _perturb(self, x, **options):
            trace.next([next(turns)])
            found = super()._perturb(x, **options)
            trace.next(rows)
            return found

    np.random.seed(seed)  # noqa: NPY002  (the stream that ART draws from)
    trace = Trace(points)
    traced = Traced(model, trace)
    rows = rows_of_own_class(traced, points)
    if not len(rows):
        return trace.books()
    trace.next(rows)
    turns = iter(rows)
    n_classes = int(points.pool_classes.max()) + 1
    classifier = as_art_classifier(traced, points.inputs.shape[1:], n_classes, trace.device)
    attack = Named(classifier, targeted=False, norm=2, max_iter=steps, verbose=False)
    targets = np.eye(n_classes, dtype=np.float32)[points.classes[rows].cpu()]
    found = attack.generate(x=points.inputs[rows].cpu().numpy(), y=targets)
    trace.stop()
    return _checked(trace, rows, torch.from_numpy(found).to(trace.device))


def run_foolbox(model, points, seed, steps):
    """Foolbox's HopSkipJump on the inputs that get their own class, which it asks about in lock step.

    It gives up where its own starts fail for any of them; it is then run again, from starts that are found for it, and
    the first attempt is not counted.
    """
    try:
        return _run_foolbox(model, points, seed, steps, own_starts=True)
    except ValueError as error:
        if "init_attack failed" not in str(error):
            raise
        return _run_foolbox(model, points, seed, steps, own_starts=False)


def _run_foolbox(model, points, seed, steps, own_starts):
    from foolbox import PyTorchModel
    from foolbox.attacks import HopSkipJumpAttack

    torch.manual_seed(seed)
    trace = Trace(points)
    traced = Traced(model, trace)
    rows, starts = rows_of_own_class(traced, points), None
    if not own_starts:
        rows, starts = _starts(traced, points, rows)
    if not len(rows):
        return trace.books()
    trace.next(rows)
    asked = PyTorchModel(traced, bounds=(0, 1), device=trace.device)
    attack = HopSkipJumpAttack(steps=steps)
    _, found, _ = attack(asked, points.inputs[rows], points.classes[rows], epsilons=None, starting_points=starts)
    trace.stop()
    return _checked(trace, rows, found)


def run_white_box(model, points):
    """Distances by gradients, floats (n,): DDN's, 0 where misclassified, inf where it finds nothing."""
    from foolbox import PyTorchModel
    from foolbox.attacks import DDNAttack

    rows = rows_of_own_class(model, points)
    x = points.inputs[rows]
    _, found, success = DDNAttack(steps=100)(
        PyTorchModel(model, bounds=(0, 1), device=x.device), x, points.classes[rows], epsilons=None
    )
    distances = np.zeros(len(points.inputs))
    distances[rows] = torch.linalg.vector_norm((found - x).flatten(1), dim=1).masked_fill(~success, torch.inf).cpu()
    return {"distances": distances}


@torch.no_grad()
def rows_of_own_class(model, points):
    """Which inputs get their own class, ints; one query each."""
    return np.flatnonzero((model(points.inputs).argmax(1) == points.classes).cpu())


@torch.no_grad()
def _starts(traced, points, rows):
    """(rows for which one was found, their starting points): the nearest pool point with another label."""
    traced.trace.next(rows)
    x, y = points.inputs[rows], points.classes[rows]
    starts, found = x.clone(), torch.zeros(len(rows), dtype=torch.bool, device=x.device)
    for candidate in nearest_others(x, y, points.pool, points.pool_classes):
        other = traced(candidate).argmax(1) != y
        starts[other & ~found] = candidate[other & ~found]
        found |= other
        if found.all():
            break
    return rows[found.cpu()], starts[found]


def _checked(trace, rows, found):
    """The books, after a look whether what the tool returns agrees with what was traced.

    found: (len(rows), *shape), the tool's adversarial inputs, or the inputs themselves where it found none.
    """
    books = trace.books()
    returned = torch.linalg.vector_norm((found - trace.points.inputs[rows]).flatten(1), dim=1).cpu().numpy()
    nearest = books["trail"][rows, -1]
    if ((returned > 0) & (returned < nearest * (1 - 1e-4))).any():
        raise RuntimeError("an example came nearer than any query booked for it: rows are booked to the wrong examples")
    return books
