"""OSLO: an adversarial example just strong enough to fool models that do not know the input (Peng et al. 2024).

It transfers to a target that does not know the input either. So a target that keeps the true label was probably trained
on it. The attacker's own models are of two kinds: gradients of the sources move an input, in levels of a growing bound,
until the validators are less confident of the true class than a threshold.

No gradient of a target is taken, and the queries are the same for all targets. Nothing is drawn at random.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from lmia.box import UNIT, Box
from lmia.crafting.ensembles import Logits, log_odds_against, mean_logits
from lmia.crafting.searching import Search, search_all
from lmia.journal import Journal

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
        spec = _Levels(sources, validators, thresholds, self._epsilon, self._levels, self._steps, box)

        def start(rows: torch.Tensor) -> Search:
            return _Search(inputs[rows], true[rows], spec)

        return search_all(start, self._levels, inputs, len(thresholds), progress, journal)


@dataclass(frozen=True)
class _Levels:
    """What all searches share, as `Crafting` says it; thresholds: (q,), on the inputs' device."""

    sources: Logits
    validators: Logits
    thresholds: torch.Tensor
    epsilon: float
    levels: int
    steps: int
    box: Box


class _Search(Search):
    """Each round is a level. delta: (m, d), the change so far."""

    STATE = ("delta",)

    def __init__(self, inputs: torch.Tensor, classes: torch.Tensor, of: _Levels):
        super().__init__(inputs, len(of.thresholds))
        self._classes, self._of, self.delta = classes, of, torch.zeros_like(self.x)

    def advance(self) -> None:
        """Steps within the next bound."""
        of, rows = self._of, self.searched()
        bound = of.epsilon * (self.done + 1) / of.levels
        x, classes, delta = self.x[rows], self._classes[rows], self.delta[rows]
        memory = torch.zeros_like(delta)
        for _ in range(of.steps):
            gradient = self._gradient(x, delta, classes)
            # A gradient of 0 moves nothing, and is not divided by its own mean.
            memory += gradient / gradient.abs().mean(dim=1, keepdim=True).clamp_min(torch.finfo(x.dtype).tiny)
            delta = (delta + STRETCH * bound / of.steps * memory.sign()).clamp_(-bound, bound)
        points = of.box.clip_(x + delta)
        with torch.inference_mode():
            confidence = of.validators(points.view(-1, *self.shape)).softmax(1).gather(1, classes[:, None])
        earlier = self.reached[rows]
        self.crafted[rows] = torch.where(earlier[..., None], self.crafted[rows], points[:, None])
        self.reached[rows] = earlier | (confidence < of.thresholds)
        self.delta[rows] = delta

    def _gradient(self, x: torch.Tensor, delta: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        """Of the sources' loss in the change (m, d), up to a positive factor for each row; smooth on images.

        The authors take that of the cross-entropy. Log odds give the same direction, and do not vanish where a
        confidence is rounded to 1.
        """
        delta = delta.detach().requires_grad_()
        points = self._of.box.clip_(x + delta)
        odds = log_odds_against(self._of.sources(points.view(-1, *self.shape)), classes)
        (gradient,) = torch.autograd.grad(odds.sum(), delta)
        if len(self.shape) != 3:
            return gradient
        kernel = _kernel(gradient).expand(self.shape[0], 1, KERNEL, KERNEL)
        images = gradient.view(-1, *self.shape)
        return functional.conv2d(images, kernel, padding=KERNEL // 2, groups=self.shape[0]).flatten(1)


def _kernel(like: torch.Tensor) -> torch.Tensor:
    """A Gaussian (KERNEL, KERNEL) whose values add up to 1."""
    places = torch.linspace(-SPAN, SPAN, KERNEL, dtype=torch.float64)
    line = torch.exp(-places.square() / 2)
    return (torch.outer(line, line) / line.sum() ** 2).to(like)
