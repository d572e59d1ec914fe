"""OSLO: an adversarial example just strong enough to fool models that do not know the input (Peng et al. 2024).

It transfers to a target that does not know the input either. So a target that keeps the true label was probably trained
on it. The attacker's own models are of two kinds: gradients of the sources move an input, in levels of a growing bound,
until the validators are less confident of the true class than a threshold.

No gradient of a target is taken, and the queries are the same for all targets. Nothing is drawn at random.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from lmia.box import UNIT, Box
from lmia.crafting.ensembles import log_odds_against, mean_logits
from lmia.journal import Journal
from lmia.memory_batches import Batches
from lmia.queries.oracle import LabelOracle

THRESHOLDS = (0.9, 0.7, 0.5, 0.3, 0.1, 0.03, 0.01, 0.001)
STRETCH = 1.25  # all steps of a level together, in its bound (Peng et al., section 4.2)
KERNEL, SPAN = 5, 3.0  # side in pixels, and standard deviations from its middle to its edge (Dong et al. 2019)


class Crafting:
    """One query for each threshold of the validators' confidence, from the highest to the lowest.

    All thresholds share one search, and each stops it at the first level at which the mean validator's confidence of
    the true class is below. Momentum and, on images, a Gaussian kernel make the gradients transfer (Dong et al. 2018,
    2019).

    Args:
        thresholds: in (0, 1).
        epsilon: largest change of a feature, in units of the inputs.
        levels: of the bound, which grows from epsilon / levels to epsilon.
        steps: along the gradient within each level.
        sources: models that gradients are taken of.
        validators: models that tell when to stop; 0: the sources do.

    Raises ValueError for numbers outside these ranges.
    """

    unit = "epsilon"

    def __init__(
        self,
        thresholds: Sequence[float] = THRESHOLDS,
        epsilon: float = 80 / 255,
        levels: int = 80,
        steps: int = 5,
        sources: int = 9,
        validators: int = 3,
    ):
        if not thresholds or not all(0 < threshold < 1 for threshold in thresholds):
            raise ValueError(f"thresholds: expected numbers between 0 and 1, got {list(thresholds)}")
        if epsilon <= 0 or min(levels, steps, sources) < 1 or validators < 0:
            raise ValueError(
                "epsilon, levels, steps, sources, validators: expected positive numbers, of validators also 0, got "
                f"{epsilon}, {levels}, {steps}, {sources}, {validators}"
            )
        self._thresholds = sorted(thresholds, reverse=True)
        self._epsilon, self._levels, self._steps = epsilon, levels, steps
        self._sources, self._validators = sources, validators
        self.magnitudes = [float(epsilon)] * len(self._thresholds)

    def craft(
        self,
        models: Sequence[torch.nn.Module],
        knows: np.ndarray,
        inputs: torch.Tensor,
        classes: np.ndarray,
        *,
        box: Box = UNIT,
        progress: str | None = None,
        journal: Journal | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Queries, and whether each search got below its threshold.

        A row depends on the others only through the rounding of a forward pass.

        Args:
            models: The sources, then the validators, which map (m, *shape) to logits (m, n_classes).
            knows: Bools (models, n), which model was trained on which input: none.
            inputs: Floats (n, *shape) in the box.
            classes: True classes, ints (n,).
            box: Of the data set, which no query leaves.
            progress: Label of a progress bar on stderr, None for none.
            journal: Of these queries, whose searches go on after the last level there; None for none.

        Returns:
            (crafted, reached): floats (n, q, *shape) of the models' type, bools (n, q). A query whose threshold was not
            reached is the search's last point.

        Raises:
            ValueError: For another number of models, and for models that know an input.
        """
        if len(models) != self._sources + self._validators or np.any(knows):
            raise ValueError(
                f"models: expected {self._sources} sources and {self._validators} validators that know no input, got "
                f"{len(models)} models, {int(np.any(knows, axis=1).sum())} of which know some"
            )
        sources = mean_logits(models[: self._sources])
        validators = mean_logits(models[self._sources :] or models)
        parameter = next(models[0].parameters(), torch.empty(0))
        inputs = inputs.to(parameter.device, parameter.dtype)
        true, thresholds = torch.as_tensor(classes).to(inputs.device), inputs.new_tensor(self._thresholds)
        made = _Made(inputs, len(thresholds), journal or Journal())
        batches = Batches()

        def searched(rows: torch.Tensor) -> torch.Tensor:
            search = _Search(sources, validators, inputs[rows], true[rows], thresholds, box)
            made.resume(search, rows)
            for level in range(search.level, self._levels):
                if search.reached.all():
                    break
                search.move(self._epsilon * (level + 1) / self._levels, self._steps)
                made.save(search, rows)
            return torch.cat([search.crafted, search.reached[..., None].to(inputs)], dim=2)

        with tqdm(total=len(inputs), desc=progress, disable=progress is None, mininterval=2) as bar:
            size = LabelOracle.chunk(math.prod(inputs.shape[1:]), inputs.device)
            for rows in torch.arange(made.done, len(inputs)).split(size):
                made.add(rows, batches.run(searched, rows))
                bar.update(len(rows))
        return made.finish()


class _Search:
    """Searches around inputs (m, *shape) in lock step, each until all its thresholds are reached.

    level: int, how many are done; delta: (m, d), the change so far; crafted: (m, q, d), the point of each threshold,
    the latest until it is reached; reached: bools (m, q).
    """

    STATE = ("delta", "crafted", "reached")

    def __init__(self, sources, validators, inputs, classes, thresholds, box: Box):
        self._sources, self._validators, self._box = sources, validators, box
        self._shape, self._classes, self._thresholds = inputs.shape[1:], classes, thresholds
        self._x = inputs.flatten(1)
        self.level, self.delta = 0, torch.zeros_like(self._x)
        self.crafted = self._x[:, None].repeat(1, len(thresholds), 1)
        self.reached = torch.zeros(self.crafted.shape[:2], dtype=torch.bool, device=inputs.device)

    def move(self, bound: float, steps: int) -> None:
        """The next level: steps within a bound, for the inputs that are still searched."""
        rows = (~self.reached.all(dim=1)).nonzero()[:, 0]
        x, classes, delta = self._x[rows], self._classes[rows], self.delta[rows]
        memory = torch.zeros_like(delta)
        for _ in range(steps):
            gradient = self._gradient(x, delta, classes)
            # A gradient of 0 moves nothing, and is not divided by its own mean.
            memory += gradient / gradient.abs().mean(dim=1, keepdim=True).clamp_min(torch.finfo(x.dtype).tiny)
            delta = (delta + STRETCH * bound / steps * memory.sign()).clamp_(-bound, bound)
        points = self._box.clip_(x + delta)
        with torch.inference_mode():
            logits = self._validators(points.view(-1, *self._shape))
            confidence = logits.softmax(1).gather(1, classes[:, None])
        earlier = self.reached[rows]
        self.crafted[rows] = torch.where(earlier[..., None], self.crafted[rows], points[:, None])
        self.reached[rows] = earlier | (confidence < self._thresholds)
        self.delta[rows] = delta
        self.level += 1

    def _gradient(self, x: torch.Tensor, delta: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        """Of the sources' loss in the change (m, d), up to a positive factor for each row; smooth on images.

        The authors take that of the cross-entropy. Log odds give the same direction, and do not vanish where a
        confidence is rounded to 1.
        """
        delta = delta.detach().requires_grad_()
        points = self._box.clip_(x + delta)
        odds = log_odds_against(self._sources(points.view(-1, *self._shape)), classes)
        (gradient,) = torch.autograd.grad(odds.sum(), delta)
        if len(self._shape) != 3:
            return gradient
        kernel = _kernel(gradient).expand(self._shape[0], 1, KERNEL, KERNEL)
        images = gradient.view(-1, *self._shape)
        return functional.conv2d(images, kernel, padding=KERNEL // 2, groups=self._shape[0]).flatten(1)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Where the searches stand, as named arrays."""
        state = {f"search/{name}": getattr(self, name).cpu().numpy() for name in self.STATE}
        return state | {"level": np.array(self.level)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from what `to_arrays` gave."""
        for name in self.STATE:
            setattr(self, name, torch.tensor(arrays[f"search/{name}"], device=self._x.device))
        self.level = int(arrays["level"])


def _kernel(like: torch.Tensor) -> torch.Tensor:
    """A Gaussian (KERNEL, KERNEL) whose values add up to 1."""
    places = torch.linspace(-SPAN, SPAN, KERNEL, dtype=torch.float64)
    line = torch.exp(-places.square() / 2)
    return (torch.outer(line, line) / line.sum() ** 2).to(like)


class _Made:
    """Queries for the first `done` of n inputs, kept in a journal with the search of the inputs after them."""

    def __init__(self, inputs: torch.Tensor, n_queries: int, journal: Journal):
        self._journal, self._kept, self._shape = journal, journal.get() or {}, inputs.shape[1:]
        n, kind = len(inputs), inputs[:0].cpu().numpy().dtype
        empty = np.zeros((n, n_queries, math.prod(self._shape)), kind)
        self._crafted = np.array(self._kept.get("crafted", empty))
        self._reached = np.array(self._kept.get("reached", np.zeros((n, n_queries), bool)))
        self.done = int(self._kept.get("done", 0))

    def add(self, rows: torch.Tensor, found: torch.Tensor) -> None:
        """Note the next inputs: found (m, q, d + 1), the queries, and whether each threshold was reached."""
        self._crafted[rows], self._reached[rows] = found[..., :-1].cpu().numpy(), found[..., -1].cpu().numpy() > 0
        self.done += len(rows)
        self._journal.save(self._to_arrays)

    def save(self, search: _Search, rows: torch.Tensor) -> None:
        """Note also where the search around the inputs `rows` stands."""
        self._journal.save(lambda: self._to_arrays() | {"rows": rows.numpy()} | search.to_arrays())

    def resume(self, search: _Search, rows: torch.Tensor) -> None:
        """Let the search go on from the journal, unless that was broken off in other rows, or between two searches."""
        if "rows" in self._kept and np.array_equal(self._kept["rows"], rows):
            search.restore(self._kept)

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """(crafted, reached), all of them."""
        self._journal.finish(self._to_arrays())
        return self._crafted.reshape(*self._crafted.shape[:2], *self._shape), self._reached

    def _to_arrays(self) -> dict[str, np.ndarray]:
        return {"crafted": self._crafted, "reached": self._reached, "done": np.array(self.done)}
