"""The pool whose models all codes attack: trained by this library, each the target of the others.

Models 2p and 2p + 1 are a pair, whose bits of membership are opposite.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from lmia.asked_points import population_ids
from lmia.calibration.pools import leave_one_out
from lmia.data import digits
from lmia.defenses import base
from lmia.journal import Journal
from lmia.models import mlp
from lmia.splits import draw_examples, draw_pool, draw_surrogate
from lmia.streams import Subset, stream, streams
from lmia.training.one_role import train_role
from lmia.training.options import TrainingOptions

POOL, PIXEL_NOISE = 0, 0.3
OPTIONS = TrainingOptions(learning_rate=1e-3, batch_size=100, min_delta=0.005, patience=20, max_epochs=1000)


@dataclass(frozen=True)
class Sizes:
    """models: of the pool, even; examples: that it audits; asked: of these, by what takes seconds a point; targets: of
    the pool, even, by the same; surrogates: that know no example; population: points beside all these."""

    models: int = 64
    examples: int = 400
    asked: int = 64
    targets: int = 12
    surrogates: int = 12
    population: int = 1200


class Pool:
    """Models of digits, and the examples that they are asked about.

    models: K networks; surrogates: the like, which know no example; is_member: bools (K, N); inputs, classes: float32
    (N, *shape) in [0, 1], ints (N,), of the examples; others: the like of the population; asked: places of some of the
    examples; sizes: `Sizes`.
    """

    def __init__(self, sizes: Sizes, options: TrainingOptions = OPTIONS):
        self.sizes = sizes
        inputs, classes = digits.load(PIXEL_NOISE)
        data = {"inputs": inputs, "classes": classes}
        self.n_classes = int(classes.max()) + 1
        examples = draw_examples(len(classes), sizes.examples, POOL)
        self.is_member = draw_pool(range(sizes.models), sizes.examples, POOL)
        fit = partial(self._fit, data, options)
        self.models = [fit(examples[bits], examples[~bits], seed, "target") for seed, bits in enumerate(self.is_member)]
        self.surrogates = [
            fit(*draw_surrogate(len(classes), sizes.examples // 2, POOL, number), POOL, f"surrogate{number}")
            for number in range(sizes.surrogates)
        ]
        beside = population_ids(len(classes), examples, examples[:0], POOL, sizes.population)
        self.inputs, self.classes = torch.from_numpy(inputs[examples]), classes[examples]
        self.others = torch.from_numpy(inputs[beside]), classes[beside]
        self.asked = np.sort(stream(POOL, "points that are asked much").permutation(sizes.examples)[: sizes.asked])

    def _fit(self, data: dict, options: TrainingOptions, members: np.ndarray, others: np.ndarray, seed: int, role: str):
        given = (seed, role, base.Defense(), options, {}, torch.device("cpu"), Journal())
        return train_role(mlp.build, data, self.n_classes, members, others, *given)[0].requires_grad_(False)

    def build(self) -> nn.Module:
        """A new network of the models' kind."""
        return mlp.build(self.inputs.shape[1:], self.n_classes)

    def points(self) -> tuple[torch.Tensor, np.ndarray]:
        """(inputs, classes) of the points that are asked much."""
        return self.inputs[self.asked], self.classes[self.asked]

    def streams(self, purpose: str) -> Sequence[np.random.Generator]:
        """One for each of these points, the same for all models."""
        return Subset(streams(POOL, purpose, np.arange(len(self.inputs))), self.asked)


@dataclass(frozen=True)
class Side:
    """What one code made of the targets.

    scores: floats (T, n), higher = more member-like; seconds: of CPU, floats (r,), of equal parts of the work; queries:
    mean per target and point; thresholds: floats (T,), members have at least so much, None where there are none; own:
    (scores (n,), bools (n,)) -> AUC by the code's own metric, None where it has none that can be called.
    """

    scores: np.ndarray
    seconds: np.ndarray
    queries: float
    thresholds: np.ndarray | None = None
    own: Callable[[np.ndarray, np.ndarray], float] | None = None


@dataclass(frozen=True)
class Beside:
    """A released attack beside ours. repository: whose code; their_name, our_name: what was run; is_member: bools
    (T, n), of whole pairs of targets."""

    attack: str
    repository: str
    their_name: str
    our_name: str
    is_member: np.ndarray
    theirs: Side
    ours: Side


def timed(work: Callable, *given: Any) -> tuple[Any, float]:
    """(what it returns of what it is given, CPU seconds)."""
    start = time.process_time()
    found = work(*given)
    return found, time.process_time() - start


def judged(rule: Callable, observed: Sequence, is_member: np.ndarray, queries: float, **options: Any) -> Side:
    """Scores of all models of a pool by a rule (target, shadows, is_member of the shadows) -> scores (N,)."""
    seconds = []

    def run(*given: Any) -> np.ndarray:
        found, took = timed(rule, *given)
        seconds.append(took)
        return np.asarray(found, float)

    return Side(leave_one_out(run, observed, is_member), np.array(seconds), queries, **options)
