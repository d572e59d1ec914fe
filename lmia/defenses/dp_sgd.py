"""Differentially private training (Abadi et al. 2016; section 6 of the paper), by Opacus.

Several views per example, large batches and averaged weights are the means of De et al. 2022, without which private
models look worse than they need to.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from opacus.accountants import RDPAccountant
from opacus.accountants.utils import get_noise_multiplier
from opacus.grad_sample import GradSampleModule
from opacus.grad_sample.grad_sample_module_fast_gradient_clipping import GradSampleModuleFastGradientClipping
from opacus.optimizers import DPOptimizer, DPOptimizerFastGradientClipping
from opacus.utils.fast_gradient_clipping_utils import DPTensorFastGradientClipping
from torch import nn

from lmia.defenses import augmentation, base, transfer

CHUNK = 128  # views whose gradients are in memory at once; changes no result but its last bits


class Defense(base.Defense):
    """Adam on gradients that are clipped per example and noised, so that the model is (epsilon, delta) private.

    Args:
        epochs: > 0, exactly, as an end that depends on the loss would leak.
        clip: L2 bound on an example's gradient.
        noise: standard deviation of the noise per `clip`.
        epsilon: instead of noise: the guarantee to choose it for.
        delta: of the guarantee; default 1 / members.
        learning_rate: of Adam, instead of the training's.
        batch_size: mean size of the batches, which are Poisson samples, instead of the training's.
        views: random views of an example whose mean gradient is clipped.
        pixels: by how much each view is shifted at most, both ways.
        flips: whether each view is mirrored half of the time.
        average: decay per step, in [0, 1), of the moving mean of the weights, which is the model at the end; 0: none.
        source: study whose target training starts from, as in transfer learning, None for none. The guarantee is about
            the members and not about the source's.
        tune: as for transfer learning.

    Raises ValueError unless one of noise and epsilon is given, and for models that mix examples (batch norm).
    """

    channels_last = False  # Opacus' gradients of single examples are wrong there (1.6.0), and nothing tells

    # From `prepare` on: the probability of an example to be in a batch, batches of an epoch, and what is guaranteed.
    _rate: float
    _n_steps: int
    _noise: float
    _delta: float
    # From `stepper` on.
    _adam: torch.optim.Adam
    _gradients: "_GhostClipping | _MeanClipping"
    _mean: list[torch.Tensor]

    def __init__(
        self,
        epochs: int,
        clip: float = 2.0,
        noise: float | None = None,
        epsilon: float | None = None,
        delta: float | None = None,
        learning_rate: float = 1e-4,
        batch_size: int = 100,
        views: int = 1,
        pixels: int = 0,
        flips: bool = False,
        average: float = 0.0,
        source: str | None = None,
        tune: str = "all",
    ):
        if (noise is None) == (epsilon is None):
            raise ValueError(f"expected either noise or epsilon, got noise: {noise}, epsilon: {epsilon}")
        self.epochs = self._n_epochs = epochs
        self._clip, self._given_noise, self._epsilon, self._given_delta = clip, noise, epsilon, delta
        self._learning_rate, self._batch_size = learning_rate, batch_size
        self._views, self._average = views, average
        self._augmentation = augmentation.Defense(pixels, "random", flips) if pixels or flips else None
        self._transfer = transfer.Defense(source, tune) if source else None

    def check(self, shape: tuple[int, ...]) -> None:
        if self._augmentation:
            self._augmentation.check(shape)

    def supply(
        self,
        reference: Callable[[], tuple[torch.Tensor, torch.Tensor]],
        source: Callable[[], Mapping[str, np.ndarray]],
    ) -> None:
        if self._transfer:
            self._transfer.supply(reference, source)

    def prepare(self, model: nn.Module, n_classes: int, n_members: int) -> None:
        if self._transfer:
            self._transfer.prepare(model, n_classes, n_members)
        self._rate = min(1.0, self._batch_size / n_members)
        self._n_steps = max(1, round(1 / self._rate))
        self._delta = self._given_delta or 1 / n_members
        if self._given_noise is not None:
            self._noise = self._given_noise
        elif self._epsilon is not None:
            self._noise = get_noise_multiplier(
                target_epsilon=self._epsilon,
                target_delta=self._delta,
                sample_rate=self._rate,
                steps=self._n_epochs * self._n_steps,
            )

    def batches(self, n: int, batch_size: int) -> Iterator[torch.Tensor]:
        """Poisson samples: every example is in every batch with the same probability, and each of its views with it."""
        for _ in range(self._n_steps):
            yield (torch.rand(n) < self._rate).nonzero().squeeze(1).repeat_interleave(self._views)

    def view(self, inputs: torch.Tensor, rows: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        return self._augmentation.view(inputs, rows, times).contiguous() if self._augmentation else inputs[rows]

    def stepper(self, model: nn.Module) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
        """One private step; returns the mean loss of the batch, 0 where the sample is empty."""
        self._adam = _new_adam([p for p in model.parameters() if p.requires_grad], self._learning_rate)
        bounds = {
            "max_grad_norm": self._clip,
            "noise_multiplier": self._noise,
            "expected_batch_size": self._batch_size,
        }
        try:
            if self._views == 1:
                self._gradients = _GhostClipping(model, self._adam, bounds)
            else:
                self._gradients = _MeanClipping(model, self._adam, bounds, self._views)
        except NotImplementedError as error:
            raise ValueError(
                "dp_sgd: expected a model without batch norm, whose examples see nothing of each other; "
                "choose another model, or norm: group"
            ) from error
        self._mean = [p.detach().clone() for p in model.parameters()] if self._average else []

        def step(x, y):
            loss = self._step(x, y)
            if self._average:
                weights = [p.detach() for p in model.parameters()]
                torch._foreach_lerp_(self._mean, weights, 1 - self._average)  # type: ignore - as torch's own EMA has it
            return loss

        return step

    def _step(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Move the weights once, by the gradients of some views at a time; returns the mean loss of the batch."""
        total, chunk = torch.zeros((), device=x.device), max(1, CHUNK // self._views) * self._views
        optimizer = self._gradients.optimizer
        parts = list(zip(x.split(chunk), y.split(chunk), strict=True))
        for number, part in enumerate(parts, 1):
            try:
                total = total + self._gradients.backward(*part)
            except torch.OutOfMemoryError as error:  # a smaller batch has parts as large
                raise MemoryError(
                    f"dp_sgd: out of memory with {len(part[0])} views at once, which no batch_size changes: take a "
                    "smaller model, fewer views, a larger GPU, or device: cpu"
                ) from error
            optimizer.signal_skip_step(number < len(parts))
            optimizer.step()
            optimizer.zero_grad()
        return total / max(1, len(y))

    def tensors(self) -> dict[str, torch.Tensor]:
        adam = [tensor for state in self._adam.state.values() for tensor in state.values()]
        return {str(number): tensor for number, tensor in enumerate([*adam, *self._mean])}

    def finish(self, model: nn.Module) -> None:
        self._gradients.remove_hooks()
        if self._average:
            with torch.no_grad():
                for parameter, mean in zip(model.parameters(), self._mean, strict=True):
                    parameter.copy_(mean)

    def report(self) -> dict[str, float]:
        """The guarantee: epsilon at delta, by Renyi differential privacy (Mironov 2017), and the noise for it."""
        accountant = RDPAccountant()
        accountant.history = [(self._noise, self._rate, self._n_epochs * self._n_steps)]
        return {"epsilon": accountant.get_epsilon(self._delta), "delta": self._delta, "noise": self._noise}


class _GhostClipping:
    """Gradients clipped by their norms alone, without those of single examples: three times as fast.

    bounds: the optimizer's clip, noise and batch size, by Opacus' names.
    """

    def __init__(self, model: nn.Module, adam: torch.optim.Adam, bounds: dict[str, Any]):
        self._model = GradSampleModuleFastGradientClipping(
            model, max_grad_norm=bounds["max_grad_norm"], loss_reduction="sum"
        )
        self.optimizer = DPOptimizerFastGradientClipping(adam, **bounds)
        self.remove_hooks = self._model.remove_hooks

    def backward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Give the optimizer the gradients of a part of a batch; returns the sum of its losses."""
        losses = nn.functional.cross_entropy(self._model(x), y, reduction="none")
        DPTensorFastGradientClipping(self._model, self.optimizer, losses, "sum").backward()
        return losses.detach().sum()


class _MeanClipping:
    """Gradients of single examples, each the mean over the example's views, which stand together in a batch."""

    def __init__(self, model: nn.Module, adam: torch.optim.Adam, bounds: dict[str, Any], n_views: int):
        self._model, self._n_views = GradSampleModule(model, loss_reduction="sum"), n_views
        self.optimizer = DPOptimizer(adam, **bounds)
        self.remove_hooks = self._model.remove_hooks

    def backward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """As that of `_GhostClipping`."""
        loss = nn.functional.cross_entropy(self._model(x), y, reduction="sum")
        (loss / self._n_views).backward()
        parameter: Any  # which has Opacus' `grad_sample`
        for parameter in self.optimizer.params:
            parameter.grad_sample = parameter.grad_sample.unflatten(0, (-1, self._n_views)).sum(1)
        return loss.detach()


def _new_adam(parameters: list[nn.Parameter], learning_rate: float) -> torch.optim.Adam:
    """torch's Adam with the state that it would make itself in the first step, so that training can resume with it."""
    adam = torch.optim.Adam(parameters, learning_rate)
    for parameter in parameters:
        means = {name: torch.zeros_like(parameter) for name in ("exp_avg", "exp_avg_sq")}
        adam.state[parameter] = {"step": torch.tensor(0.0), **means}
    return adam
