"""YOQO: one query on which models with and without the input disagree (Wu et al. 2024).

Gradient descent moves an input to where models that were trained on it still give its class, and others give another.
A target that gives its class there was probably trained on it.

The models come in pairs, one of which was trained on the input, and none of them is the target. Nothing is drawn at
random.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from lmia.box import UNIT, Box
from lmia.crafting.ensembles import Logits, prepared
from lmia.crafting.searching import Search, search_all
from lmia.journal import Journal

PAIRS = 16  # of the authors' models: their losses are sums over these, whose step and end go with them
SCALE = {True: 3.0, False: 6.0}  # online or not: of the loss, over 1 + alpha, as in the released code
ALPHA, END = {True: 2.0, False: 5.0}, {True: 4.0, False: 8.0}  # the like, of `Crafting`'s options


class Crafting:
    """One query for each input.

    The loss of a point is, over all pairs, 16 / pairs times a sum of cross-entropies: of the class, by the model that
    knows the input, and `alpha` times of another class, by the model that does not. That is the class which the latter
    gives the input itself, or its second one where that is right. Offline, models that know the input are not used, and
    `alpha` times the mean squared change of the input takes their place. All is times 3 / (1 + alpha), offline 6.

    Args:
        online: whether models that know the input are used.
        steps: of gradient descent at most.
        rate: length of a step, for a gradient of length 1.
        alpha: see above; None: 2, offline 5.
        end: loss at which a search is at its end; None: 4, offline 8.
        clip: whether points are kept in the box of the data set; the authors' are not.

    Raises ValueError for numbers that are not positive.
    """

    unit = "steps"

    def __init__(
        self,
        online: bool = True,
        steps: int = 50,
        rate: float = 0.01,
        alpha: float | None = None,
        end: float | None = None,
        clip: bool = False,
    ):
        self._online, self._steps, self._rate, self._clip = online, steps, rate, clip
        self._alpha = ALPHA[online] if alpha is None else alpha
        self._end = END[online] if end is None else end
        if steps < 1 or min(rate, self._alpha, self._end) <= 0:
            raise ValueError(
                f"steps, rate, alpha, end: expected positive numbers, got {steps}, {rate}, {self._alpha}, {self._end}"
            )
        self.magnitudes = [float(steps)]

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
        """Queries, and whether the loss of each got to its end within all steps.

        A row depends on the others only through the rounding of a forward pass.

        Args:
            models: Pairs, one after the other, which map (m, *shape) to logits (m, n_classes).
            knows: Bools (models, n), which model was trained on which input: one of each pair.
            inputs: Floats (n, *shape) in the box.
            classes: True classes, ints (n,).
            box: Of the data set.
            progress: Label of a progress bar on stderr, None for none.
            journal: Of these queries, whose searches go on after the last step there; None for none.

        Returns:
            (crafted, reached): floats (n, 1, *shape) of the models' type, bools (n, 1).

        Raises:
            ValueError: For models that are no such pairs.
        """
        if len(models) % 2 or not len(models) or np.shape(knows)[0] != len(models) or (knows[::2] == knows[1::2]).any():
            raise ValueError(f"models: expected pairs, one of which knows each input, got {len(models)} models")
        parameter = next(models[0].parameters(), torch.empty(0))
        inputs = inputs.to(parameter.device, parameter.dtype)
        true, known = (torch.as_tensor(part).to(inputs.device) for part in (classes, knows))
        weight = SCALE[self._online] / (1 + self._alpha) * PAIRS / (len(models) // 2)
        of_known, of_others = (1.0, self._alpha) if self._online else (0.0, 1.0)
        loss = _Loss(
            [prepared(model) for model in models],
            weight * of_known,
            weight * of_others,
            0.0 if self._online else SCALE[False] / (1 + self._alpha) * PAIRS * self._alpha,
        )

        def start(rows: torch.Tensor) -> Search:
            clipped = box if self._clip else None
            return _Search(inputs[rows], true[rows], known[:, rows], loss, self._steps, self._rate, self._end, clipped)

        return search_all(start, self._steps + 1, inputs, 1, progress, journal)


@dataclass(frozen=True)
class _Loss:
    """Weights of the cross-entropy of a model that knows the input, of one that does not, and of the mean square."""

    models: Sequence[Logits]
    of_known: float
    of_others: float
    of_change: float

    def wanted(self, inputs: torch.Tensor, classes: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """The class that each model is to give, ints (models, m), for inputs (m, *shape)."""
        with torch.inference_mode():
            others = [logits(inputs).scatter(1, classes[:, None], -torch.inf).max(1).indices for logits in self.models]
        return torch.where(known, classes, torch.stack(others))

    def gradient(
        self, x: torch.Tensor, points: torch.Tensor, wanted: torch.Tensor, known: torch.Tensor, shape: torch.Size
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(loss (m,), its gradient (m, d)) at flat points of inputs x (m, d)."""
        points = points.detach().requires_grad_()
        total = self.of_change * (points - x).square().mean(dim=1)
        for logits, to_give, knows in zip(self.models, wanted, known, strict=True):
            weights = torch.where(knows, x.new_tensor(self.of_known), x.new_tensor(self.of_others))
            rows = weights.nonzero()[:, 0]
            entropy = functional.cross_entropy(logits(points[rows].view(-1, *shape)), to_give[rows], reduction="none")
            total = total.index_add(0, rows, weights[rows] * entropy)
        (gradient,) = torch.autograd.grad(total.sum(), points)
        return total.detach(), gradient


class _Search(Search):
    """Each round looks at the loss, and makes a step but for the last. wanted: ints (models, m)."""

    def __init__(
        self,
        inputs: torch.Tensor,
        classes: torch.Tensor,
        known: torch.Tensor,
        loss: _Loss,
        steps: int,
        rate: float,
        end: float,
        box: Box | None,
    ):
        super().__init__(inputs, 1)
        self._known, self._loss, self._box = known, loss, box
        self._steps, self._rate, self._end = steps, rate, end
        self._wanted = loss.wanted(inputs, classes, known)

    def advance(self) -> None:
        """Where the loss has got to its end nothing moves any more."""
        rows = self.searched()
        points = self.crafted[rows, 0]
        of_models = (self._wanted[:, rows], self._known[:, rows])
        loss, gradient = self._loss.gradient(self.x[rows], points, *of_models, self.shape)
        ended = loss <= self._end
        self.reached[rows, 0] = ended
        if self.done < self._steps:
            moved = points - self._rate * gradient
            moved = moved if self._box is None else self._box.clip_(moved)
            self.crafted[rows, 0] = torch.where(ended[:, None], points, moved)
