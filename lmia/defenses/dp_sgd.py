"""Differentially private training (Abadi et al. 2016; section 6 of the paper), by Opacus.

Several views per example, large batches and averaged weights are the means of De et al. 2022, without which private
models look worse than they need to.
"""

import torch
from opacus.accountants import RDPAccountant
from opacus.accountants.utils import get_noise_multiplier
from opacus.grad_sample import GradSampleModule
from opacus.grad_sample.grad_sample_module_fast_gradient_clipping import GradSampleModuleFastGradientClipping
from opacus.optimizers import DPOptimizer, DPOptimizerFastGradientClipping
from opacus.utils.fast_gradient_clipping_utils import DPTensorFastGradientClipping
from torch import nn

from lmia.defenses import augmentation, transfer

CHUNK = 128  # views whose gradients are in memory at once; changes no result but its last bits


class Defense(transfer.Defense):
    """Adam on gradients that are clipped per example and noised, so that the model is (epsilon, delta) private.

    epochs: > 0, exactly, as an end that depends on the loss would leak; clip: L2 bound on an example's gradient;
    noise: standard deviation of the noise per `clip`, or epsilon: the guarantee to choose it for; delta: of the
    guarantee, default 1 / members; learning_rate, batch_size: instead of the training's; batches are Poisson samples of
    that size in the mean; views: random views of an example whose mean gradient is clipped, each shifted by up to
    `pixels` both ways, and mirrored half of the time where `flips`; average: decay per step, in [0, 1), of the moving
    mean of the weights, which is the model in the end, 0 for none; source, tune: as for transfer learning, the
    guarantee being about the members and not about the source's.

    Raises ValueError unless one of noise and epsilon is given, and for models that mix examples (batch norm).
    """

    channels_last = False  # Opacus' gradients of single examples are wrong there (1.6.0), and nothing tells

    def __init__(
        self,
        epochs,
        clip=2.0,
        noise=None,
        epsilon=None,
        delta=None,
        learning_rate=1e-4,
        batch_size=100,
        views=1,
        pixels=0,
        flips=False,
        average=0.0,
        source=None,
        tune="all",
    ):
        super().__init__(source, tune)
        if (noise is None) == (epsilon is None):
            raise ValueError(f"expected either noise or epsilon, got noise: {noise}, epsilon: {epsilon}")
        self.epochs = epochs
        self._clip, self._noise, self._epsilon, self._delta = clip, noise, epsilon, delta
        self._learning_rate, self._batch_size = learning_rate, batch_size
        self._views, self._average = views, average
        self._moves = augmentation.Defense(pixels, "random", flips) if pixels or flips else None
        self._rate = self._steps = self._private = self._adam = self._mean = None

    def check(self, shape):
        if self._moves:
            self._moves.check(shape)

    def supply(self, reference, source):
        if self._name:
            super().supply(reference, source)

    def prepare(self, model, n_classes, n_members):
        if self._name:
            super().prepare(model, n_classes, n_members)
        self._rate = min(1.0, self._batch_size / n_members)
        self._steps = max(1, round(1 / self._rate))
        self._delta = self._delta or 1 / n_members
        if self._noise is None:
            self._noise = get_noise_multiplier(
                target_epsilon=self._epsilon,
                target_delta=self._delta,
                sample_rate=self._rate,
                steps=self.epochs * self._steps,
            )

    def batches(self, n, batch_size):
        """Poisson samples: every example is in every batch with the same probability, and each of its views with it."""
        for _ in range(self._steps):
            yield (torch.rand(n) < self._rate).nonzero().squeeze(1).repeat_interleave(self._views)

    def view(self, inputs, rows, copies):
        return self._moves.view(inputs, rows, copies).contiguous() if self._moves else inputs[rows]

    def stepper(self, model):
        """One private step; returns the mean loss of the batch, 0 where the sample is empty."""
        ghost = self._views == 1  # norms without gradients of single examples, three times as fast
        try:
            if ghost:
                self._private = GradSampleModuleFastGradientClipping(
                    model, max_grad_norm=self._clip, loss_reduction="sum"
                )
            else:
                self._private = GradSampleModule(model, loss_reduction="sum")
        except NotImplementedError as error:
            raise ValueError(
                "dp_sgd: expected a model without batch norm, whose examples see nothing of each other; "
                "choose another model, or norm: group"
            ) from error
        wrap = DPOptimizerFastGradientClipping if ghost else DPOptimizer
        self._adam = _new_adam([p for p in model.parameters() if p.requires_grad], self._learning_rate)
        optimizer = wrap(
            self._adam,
            noise_multiplier=self._noise,
            max_grad_norm=self._clip,
            expected_batch_size=self._batch_size,
        )
        backward = self._clip_by_norms if ghost else self._clip_mean_gradients
        self._mean = [p.detach().clone() for p in model.parameters()] if self._average else None

        def step(x, y):
            total, chunk = 0.0, max(1, CHUNK // self._views) * self._views
            parts = list(zip(x.split(chunk), y.split(chunk), strict=True))
            for number, part in enumerate(parts, 1):
                try:
                    total = total + backward(optimizer, *part)
                except torch.OutOfMemoryError as error:  # a smaller batch has parts as large
                    raise MemoryError(
                        f"dp_sgd: out of memory with {len(part[0])} views at once, which no batch_size changes: take a "
                        "smaller model, fewer views, a larger GPU, or device: cpu"
                    ) from error
                optimizer.signal_skip_step(number < len(parts))
                optimizer.step()
                optimizer.zero_grad()
            if self._average:
                torch._foreach_lerp_(self._mean, [p.detach() for p in model.parameters()], 1 - self._average)
            return total / max(1, len(y))

        return step

    def tensors(self):
        adam = [tensor for state in self._adam.state.values() for tensor in state.values()]
        return {str(number): tensor for number, tensor in enumerate([*adam, *(self._mean or ())])}

    def _clip_by_norms(self, optimizer, x, y):
        losses = nn.functional.cross_entropy(self._private(x), y, reduction="none")
        DPTensorFastGradientClipping(self._private, optimizer, losses, "sum").backward()
        return losses.detach().sum()

    def _clip_mean_gradients(self, optimizer, x, y):
        loss = nn.functional.cross_entropy(self._private(x), y, reduction="sum")
        (loss / self._views).backward()
        for parameter in optimizer.params:
            parameter.grad_sample = parameter.grad_sample.unflatten(0, (-1, self._views)).sum(1)
        return loss.detach()

    def finish(self, model):
        self._private.remove_hooks()
        if self._average:
            with torch.no_grad():
                for parameter, mean in zip(model.parameters(), self._mean, strict=True):
                    parameter.copy_(mean)

    def report(self):
        """The guarantee: epsilon at delta, by Renyi differential privacy (Mironov 2017), and the noise for it."""
        accountant = RDPAccountant()
        accountant.history = [(self._noise, self._rate, self.epochs * self._steps)]
        return {"epsilon": accountant.get_epsilon(self._delta), "delta": self._delta, "noise": self._noise}


def _new_adam(parameters, learning_rate):
    """torch's Adam with the state that it would make itself in the first step, so that training can go on from it."""
    adam = torch.optim.Adam(parameters, learning_rate)
    for parameter in parameters:
        means = {name: torch.zeros_like(parameter) for name in ("exp_avg", "exp_avg_sq")}
        adam.state[parameter] = {"step": torch.tensor(0.0), **means}
    return adam
