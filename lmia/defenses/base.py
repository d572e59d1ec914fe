"""What all defenses derive from."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import torch
from torch import nn


class Defense:
    """Changes nothing. One object trains one model."""

    epochs: int | None = None  # train for exactly so many; None: until the training loss stops falling
    views_per_epoch: int = 1  # times that each example is seen in an epoch, each time as a `view` of its own
    channels_last: bool = True  # whether images may lie so in memory, which is faster
    weight_decay: float = 0.0  # added to the optimizer's
    # Whether a GPU may replay a captured training step: Python code in `loss` and `penalty` then runs only while it is
    # captured. They may draw nothing on the CPU, and what they change from step to step must be among `tensors`.
    graphable: bool = False

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise ValueError where inputs of `shape` (without the batch) cannot be trained on so."""

    def supply(
        self,
        reference: Callable[[], tuple[torch.Tensor, torch.Tensor]],
        source: Callable[[], Mapping[str, np.ndarray]],
    ) -> None:
        """Before `prepare`: what training may need besides the members. Neither is computed unless it is called.

        reference: () -> (inputs (m, *shape), classes (m,)) of as many points as there are members, or are left, that
        are neither members nor the non-members that the model is compared on; source: () -> name -> float32 array, the
        weights of another study's model, by the names of `state_dict`.
        """

    def prepare(self, model: nn.Module, n_classes: int, n_members: int) -> None:
        """Before training, on a new model in training mode: add hooks, set weights or freeze them."""

    def batches(self, n: int, batch_size: int) -> Iterable[torch.Tensor]:
        """Indices, int64 (m,), of the batches of one epoch over n views, drawn from torch's global CPU stream."""
        return torch.randperm(n).split(batch_size)

    def view(self, inputs: torch.Tensor, rows: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        """What a batch shows, (m, *shape): examples `rows` (m,) of `inputs`, for the times-th time (m,) this epoch."""
        return inputs[rows]

    def loss(self, model: nn.Module, inputs: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        """The scalar loss of a batch, float32, also where the model's passes are in bfloat16."""
        return nn.functional.cross_entropy(model(inputs), classes)

    def penalty(self, model: nn.Module) -> torch.Tensor | float:
        """Added to the training loss, always in float32: 0."""
        return 0.0

    def stepper(self, model: nn.Module) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None:
        """None for the training's optimizer, or a function (inputs, classes) -> loss that moves the weights."""
        return None

    def tensors(self) -> dict[str, torch.Tensor]:
        """What changes in training beside the model, name -> tensor, once `stepper` was called.

        Training that was killed resumes with these as they were at the end of an epoch: a defense that remembers
        anything from one epoch to the next must name it here, and draw from no stream but torch's global one.
        """
        return {}

    def finish(self, model: nn.Module) -> None:
        """After training: take away what `prepare` added."""

    def report(self) -> dict[str, float]:
        """Numbers to keep with the model, name -> float, as what it guarantees."""
        return {}

    def mask(self, confidences: torch.Tensor) -> torch.Tensor:
        """The confidences (n, n_classes) themselves."""
        return confidences
