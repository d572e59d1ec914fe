"""How fast the engine is: beside forward passes alone, and as points, chunks and threads grow."""

import copy
from functools import partial

import numpy as np
import subjects
import torch
from rivals import Points, clocks

from lmia.boundary.hopskipjump import hopskipjump
from lmia.boundary.schedules import SCHEDULES
from lmia.boundary.starts import nearest_others
from lmia.defenses import base
from lmia.devices import width
from lmia.models import cnn, mlp
from lmia.perturbations import bernoulli, gaussian, rotation, translation
from lmia.queries import oracle
from lmia.queries.fixed_queries import ask_fixed
from lmia.queries.oracle import PRECISIONS, LabelOracle
from lmia.streams import stream, streams
from lmia.training.loop import train
from lmia.training.options import TrainingOptions

BATCHES = {"cpu": (64, 128, 256, 512, 1024, 4096), "cuda": (256, 1024, 4096, 16384, 65536)}
UNWAITED = {"cpu": 1, "cuda": 8}  # forward passes between two looks at the clock, for which a GPU is waited
NETWORKS = ("cnn", "digits-cnn", "mlp-digits", "mlp-tabular")
FIXED = {
    "rotation": rotation.Perturbation(degrees=[2, 4, 6, 8]),
    "translation": translation.Perturbation(pixels=[1, 2]),
    "gaussian": gaussian.Perturbation(sigmas=[0.05, 0.1, 0.15, 0.2, 0.3], samples=100),
    "bernoulli": bernoulli.Perturbation(flips=[1, 2, 3, 5, 10], samples=100),
}
IMAGES_ONLY = ("rotation", "translation")
REPETITIONS = 5


class Ceiling:
    """Forward passes of a model alone, on random inputs, one after the other.

    model: takes (n, *shape); precision: in which it runs; batch: inputs per pass. On the model's device.
    """

    def __init__(self, model, shape, precision, batch):
        dtype = PRECISIONS[precision] or torch.float32
        self.model = copy.deepcopy(model).eval().to(dtype=dtype, memory_format=torch.channels_last)
        self.device = next(model.parameters()).device
        self.inputs = torch.rand(int(batch), *shape).to(self.device, dtype)
        if self.inputs.ndim == 4:
            self.inputs = self.inputs.contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def rate(self, seconds):
        """Inputs per second as `now` counts them, measured for this many seconds."""
        if self.device.type == "cuda":
            self.model(self.inputs)  # a GPU's first pass with each batch is slow
        start, passes = now(self.device), 0
        while not passes or now(self.device) < start + seconds:
            for _ in range(UNWAITED[self.device.type]):
                self.model(self.inputs)
            passes += UNWAITED[self.device.type]
        return passes * len(self.inputs) / (now(self.device) - start)


def now(device):
    """What work on a device is paid in: CPU seconds of this process, or wall seconds where a GPU works for it."""
    return clocks(device)[device.type == "cuda"]


def best_batches(data, network, name, device):
    """The batch size at which forward passes are fastest, for each precision; arguments as in `measure`."""
    model, points = _subject(data, network, name, device)
    best, batches = {}, BATCHES[device.type]
    for precision in PRECISIONS:
        ceilings = {batch: Ceiling(model, points.inputs.shape[1:], precision, batch) for batch in batches}
        ceilings[batches[0]].rate(0)  # the first pass of a process is slow
        best[precision] = max(batches, key=lambda batch: ceilings[batch].rate(0.1))
    return best


def measure(data, network, name, device, batches, method, n_queries, budget, seconds):
    """Queries per second (see `now`) of one way to ask, and of forward passes alone beside it, repeatedly.

    name: in NETWORKS; data, network: files of the trained model of that name, or of the digits model where it has
    none; batches: file of `best_batches`; method: in FIXED or in SCHEDULES; n_queries: about so many in a repetition;
    budget: queries per point of a search. Returns `rate` and `ceiling`, floats (REPETITIONS,).
    """
    model, points = _subject(data, network, name, device)
    ceiling = Ceiling(model, points.inputs.shape[1:], "float32", np.load(batches)["float32"])
    looks = Looks(ceiling, model, seconds)
    rates, ceilings = [], []
    if device.type == "cuda":
        _ask(model, points, method, n_queries, budget)  # so are a GPU's first ones here
    for _ in range(REPETITIONS):
        looks.start()
        start = now(device)
        asked = _ask(model, points, method, n_queries, budget)
        rates.append(asked / (now(device) - start - looks.taken))
        ceilings.append(looks.stop())
    return {"rate": np.array(rates), "ceiling": np.array(ceilings)}


class Looks:
    """Looks at the ceiling before and after something asks a model, and on a CPU between its passes as well.

    A shared machine's speed changes within seconds. A GPU is not interrupted, as it would have to be waited for.
    seconds: of a look before or after, and from one in between, which takes a fifth of that, to the next.
    """

    def __init__(self, ceiling, model, seconds):
        self._ceiling, self._seconds, self._next = ceiling, seconds, np.inf
        if ceiling.device.type == "cpu":
            model.register_forward_hook(self._between)

    def start(self):
        self._rates, self.taken = [self._ceiling.rate(self._seconds)], 0.0
        self._next = now(self._ceiling.device) + self._seconds

    def stop(self):
        """The ceiling since the start, queries per second."""
        self._next = np.inf
        return np.mean([*self._rates, self._ceiling.rate(self._seconds)])

    def _between(self, *_):
        start = now(self._ceiling.device)
        if start >= self._next:
            self._rates.append(self._ceiling.rate(self._seconds / 5))
            end = now(self._ceiling.device)
            self.taken, self._next = self.taken + end - start, end + self._seconds


def _subject(data, network, name, device):
    """(model, points) of a network; its own labels are the classes, so that every point is searched."""
    if name in subjects.BUILD:
        model, points = subjects.load(data, name, network, device)
    elif name == "digits-cnn":
        _, points = subjects.load(data, "mlp-digits", network, device)
        options = {**subjects.TRAINING, "max_epochs": 5}
        model, _ = train(
            _digits_cnn, points.pool, points.pool_classes, 10, 0, base.Defense(), TrainingOptions(**options)
        )
    else:
        inputs = torch.from_numpy((stream(0, "tabular").random((2000, 446)) < 0.12).astype(np.float32)).to(device)
        torch.manual_seed(0)
        model = mlp.build((446,), 30, hidden=(128,)).eval().to(device)
        points = Points(inputs[:500], None, np.arange(500), inputs[500:], None)
    with torch.inference_mode():
        classes = [model(inputs).argmax(1).clone() for inputs in (points.inputs, points.pool)]
    return model, Points(points.inputs, classes[0], points.ids, points.pool, classes[1])


def _digits_cnn(shape, n_classes):
    return cnn.build(shape, n_classes, channels=(16, 32), convolutions=1, dense=64)


def _ask(model, points, method, n_queries, budget):
    """Ask about n_queries of points that are taken over and over; returns how many were."""
    per_point = 1 + len(FIXED[method].magnitudes) if method in FIXED else budget
    n = max(8, n_queries // per_point)
    if method not in FIXED:
        return search(model, points, method, range(n), budget)
    rows = np.arange(n) % len(points.ids)
    return ask_fixed(model, points.inputs[rows], FIXED[method], partial(streams, 0, "engine", np.arange(n)))[0].size


def search(model, points, schedule, numbers, budget):
    """Search around these points, ints that may exceed their number; returns how many queries were asked."""
    rows = np.array(numbers) % len(points.ids)
    x, y = points.inputs[rows], points.classes[rows]
    asked = LabelOracle(model, len(rows), budget)
    starts = nearest_others(x, y, points.pool, points.pool_classes) if schedule == "economical" else ()
    hopskipjump(asked, x, y, streams(0, "engine", numbers), schedule=SCHEDULES[schedule], starts=starts)
    return int(asked.n_queries.sum())


def scale(data, network, device, numbers, budget, chunk=None, threads=1):
    """Cost of the economical search around these points of the CNN, with other chunks or threads."""
    torch.set_num_threads(threads)
    if chunk:
        oracle.CHUNK_FLOATS = chunk // width(device)
    model, points = subjects.load(data, "cnn", network, device)
    with torch.inference_mode():
        model(points.inputs[:64])
    if device.type == "cuda":
        search(model, points, "economical", numbers, budget)  # a GPU's first pass with each batch is slow
    start = clocks(device)
    asked = search(model, points, "economical", numbers, budget)
    cpu, wall = (end - begin for begin, end in zip(start, clocks(device), strict=True))
    return {"queries": asked, "cpu": cpu, "wall": wall}
