"""HAMP (Chen and Pattabiraman 2024): models that are never sure, and confidences that tell their order alone."""

import math

import torch
from torch import nn

from lmia.defenses import base


class Defense(base.Defense):
    """Trains towards soft labels of high entropy, rewards entropy of what is predicted, and masks confidences.

    Args:
        entropy: gamma in (0, 1): soft labels give the true class as much as leaves them this share of the largest
            entropy, and all others the same share of the rest.
        strength: alpha >= 0, of the mean entropy of predictions, which is taken off the loss.
        masks: whether confidences tell no more than the order of the classes. The paper answers with the sorted
            confidences of a random input; here all inputs have the same, which tells less. Labels stay as they are.
    """

    graphable = True

    def __init__(self, entropy: float, strength: float, masks: bool = True):
        self._entropy, self._strength, self._masks = entropy, strength, masks
        self._top = float("nan")  # what soft labels give the true class, from `prepare` on

    def prepare(self, model: nn.Module, n_classes: int, n_members: int) -> None:
        self._top = true_share(self._entropy, n_classes)

    def loss(self, model: nn.Module, inputs: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        """Mean of KL(soft label || prediction) - alpha H(prediction)."""
        logs = model(inputs).float().log_softmax(1)  # a CPU would take it in bfloat16
        n_classes = logs.shape[1]
        soft = torch.full_like(logs, (1 - self._top) / (n_classes - 1)).scatter_(1, classes[:, None], self._top)
        entropy = -(logs.exp() * logs).sum(1)
        return (torch.xlogy(soft, soft) - soft * logs).sum(1).mean() - self._strength * entropy.mean()

    def mask(self, confidences: torch.Tensor) -> torch.Tensor:
        """(n, n_classes), rows sum to 1, all with the same values, in the order that they had."""
        if not self._masks:
            return confidences
        n_classes = confidences.shape[1]
        values = torch.arange(n_classes, 0, -1, dtype=confidences.dtype, device=confidences.device)
        order = confidences.sort(dim=1, descending=True, stable=True).indices
        return torch.empty_like(confidences).scatter_(1, order, (values / values.sum()).expand_as(confidences))


def true_share(entropy: float, n_classes: int) -> float:
    """The largest share p of the true class, with 1 - p spread evenly over all others, at an entropy.

    entropy: in (0, 1), of log(n_classes), which soft labels have; n_classes: at least 2.
    """

    def found(p: float) -> float:
        return -p * math.log(p) - (1 - p) * math.log((1 - p) / (n_classes - 1))

    low, high = 1 / n_classes, 1.0  # entropy falls all the way between
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if middle < 1 and found(middle) > entropy * math.log(n_classes) else (low, middle)
    return low
