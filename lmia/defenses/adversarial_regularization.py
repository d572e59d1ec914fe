"""Adversarial regularization (Nasr et al. 2018; figure S9 of the paper): training as a game with an attack network."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import nn
from torch.func import functional_call

from lmia.defenses import base
from lmia.training.optimizers import Adam


class AttackNetwork(nn.Module):
    """(confidences (n, n_classes), one-hot labels (n, n_classes)) -> logit (n,) that they are a member's.

    Fully connected, ReLU: n_classes-1024-512-64 and n_classes-512-64 side by side, then 128-256-64-1.
    """

    def __init__(self, n_classes: int):
        super().__init__()
        self.confidences = _layers(n_classes, 1024, 512, 64)
        self.labels = _layers(n_classes, 512, 64)
        self.both = nn.Sequential(_layers(128, 256, 64), nn.Linear(64, 1))

    def forward(self, confidences: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return self.both(torch.cat([self.confidences(confidences), self.labels(labels)], dim=1)).squeeze(1)


def _layers(*sizes: int) -> nn.Sequential:
    pairs = zip(sizes, sizes[1:], strict=False)
    return nn.Sequential(*[layer for a, b in pairs for layer in (nn.Linear(a, b), nn.ReLU())])


class Defense(base.Defense):
    """The classifier's loss is its cross-entropy plus `strength` times the attack network's gain on its members.

    strength: lambda of the paper, >= 0; steps: of the attack network for each of the classifier; epochs: of training,
    exactly, as the loss of a game does not tell when to stop; attack_learning_rate: of the attack network's Adam.

    The attack network learns from members and as many reference points, which are no members, nor asked about.
    """

    _reference: tuple[torch.Tensor, torch.Tensor]  # inputs and classes, once `supply` was called
    _attack: AttackNetwork  # from `prepare` on, as its optimizer
    _optimizer: Adam

    def __init__(self, strength: float, epochs: int, steps: int = 1, attack_learning_rate: float = 1e-3):
        self.epochs = epochs
        self._strength, self._steps, self._rate = strength, steps, attack_learning_rate

    def supply(
        self,
        reference: Callable[[], tuple[torch.Tensor, torch.Tensor]],
        source: Callable[[], Mapping[str, np.ndarray]],
    ) -> None:
        self._reference = reference()

    def prepare(self, model: nn.Module, n_classes: int, n_members: int) -> None:
        device = next(model.parameters()).device
        self._attack = AttackNetwork(n_classes).to(device)
        self._optimizer = Adam(self._attack.parameters(), self._rate)

    def tensors(self) -> dict[str, torch.Tensor]:
        return self._attack.state_dict() | {str(n): tensor for n, tensor in enumerate(self._optimizer.tensors())}

    def loss(self, model: nn.Module, inputs: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        """Algorithm 1 of Nasr et al.: `steps` of the attack network, then the classifier's loss on the same members."""
        logits = model(inputs)
        for _ in range(self._steps):
            self._train_attack(model, logits.detach(), classes)
        self._attack.requires_grad_(False)  # this loss is to move the classifier alone
        gain = nn.functional.logsigmoid(self._guess(logits, classes)).mean()  # E log h over members
        self._attack.requires_grad_(True)
        return nn.functional.cross_entropy(logits, classes) + self._strength * gain

    def _train_attack(self, model: nn.Module, logits: torch.Tensor, classes: torch.Tensor) -> None:
        """One step of the attack network on these members and as many reference points."""
        inputs, others = self._reference
        rows = torch.randint(len(inputs), (len(classes),)).to(inputs.device)
        # Normalised as members are, by their own batch, or else the attack network could tell them by that; but on
        # copies of the buffers, as they are no training data and may move no running average.
        buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
        with torch.no_grad():
            answers = functional_call(model, buffers, (inputs[rows],))
        guesses = torch.cat([self._guess(logits, classes), self._guess(answers, others[rows])])
        is_member = torch.cat([torch.ones(len(logits)), torch.zeros(len(answers))]).to(guesses.device)
        self._optimizer(nn.functional.binary_cross_entropy_with_logits(guesses, is_member))

    def _guess(self, logits: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        """Logits (n,), float32, that the examples are members."""
        return self._attack(logits.softmax(1), nn.functional.one_hot(classes, logits.shape[1]).float()).float()
