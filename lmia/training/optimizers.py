"""Optimizers for small models: torch.optim's arithmetic, without the second of CPU that importing its classes costs.

They call the functions behind torch.optim.Adam and torch.optim.SGD, which torch does not promise to keep.
`requirements.lock` pins the torch that they are tested with, and tests/training/test_training.py compares them with
torch's own classes: a torch that changed these functions fails there, and in the first step of a training.
"""

from collections.abc import Iterable

import torch
from torch.optim.adam import adam
from torch.optim.sgd import sgd


class Adam:
    """Adam (Kingma and Ba 2015, with their constants), all parameters in one fused call.

    torch.optim.Adam computes the same, but making one imports torch's compiler in every process, and its bookkeeping
    takes longer than the update of a tiny model.

    parameters: tensors that are to move; learning_rate: > 0; weight_decay: share of each parameter that a step takes
    away besides, per unit of the learning rate (Loshchilov and Hutter 2019).
    """

    def __init__(self, parameters: Iterable[torch.Tensor], learning_rate: float, weight_decay: float = 0.0):
        self._rate, self._weight_decay = learning_rate, weight_decay
        self._state = [
            (p, torch.zeros_like(p), torch.zeros_like(p), torch.zeros((), device=p.device))  # means of g, g^2; steps
            for p in parameters
        ]

    def tensors(self) -> list[torch.Tensor]:
        """All that changes beside the parameters themselves."""
        return [tensor for _, *state in self._state for tensor in state]

    def __call__(self, loss: torch.Tensor) -> None:
        """Move every parameter that `loss`, a scalar, depends on, and forget the gradients."""
        loss.backward()  # not autograd.grad: its gradients need not lie in memory as their parameters do
        moved = [(p, p.grad, *state) for p, *state in self._state if p.grad is not None]
        parameters, gradients, means, squares, steps = map(list, zip(*moved, strict=True))
        with torch.no_grad():
            adam(
                parameters,
                gradients,
                means,
                squares,
                [],
                steps,
                fused=True,
                amsgrad=False,
                maximize=False,
                decoupled_weight_decay=bool(self._weight_decay),
                lr=self._rate,
                beta1=0.9,
                beta2=0.999,
                eps=1e-8,
                weight_decay=self._weight_decay,
            )
        for parameter in parameters:
            parameter.grad = None


class Sgd:
    """Stochastic gradient descent with Nesterov momentum (Sutskever et al. 2013), as torch.optim.SGD computes it.

    parameters: tensors that are to move; learning_rate: > 0; weight_decay: times each parameter, joins its gradient.
    """

    MOMENTUM = 0.9

    def __init__(self, parameters: Iterable[torch.Tensor], learning_rate: float, weight_decay: float = 0.0):
        self._rate, self._weight_decay = learning_rate, weight_decay
        self._parameters = list(parameters)
        self._momenta = [torch.zeros_like(p) for p in self._parameters]

    def tensors(self) -> list[torch.Tensor]:
        """All that changes beside the parameters themselves."""
        return self._momenta

    def __call__(self, loss: torch.Tensor) -> None:
        """Move every parameter that `loss`, a scalar, depends on, and forget the gradients."""
        loss.backward()
        pairs = [pair for pair in zip(self._parameters, self._momenta, strict=True) if pair[0].grad is not None]
        parameters, momenta = map(list, zip(*pairs, strict=True))
        with torch.no_grad():
            sgd(
                parameters,
                [p.grad for p in parameters],
                momenta,
                nesterov=True,
                maximize=False,
                weight_decay=self._weight_decay,
                momentum=self.MOMENTUM,
                lr=self._rate,
                dampening=0.0,
            )
        for parameter in parameters:
            parameter.grad = None


OPTIMIZERS = {"adam": Adam, "sgd": Sgd}
