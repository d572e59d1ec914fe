"""A shadow of a given model whose kind has no weights to keep: its trainer trains it again wherever it is asked."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from lmia import plugins
from lmia.targets.trained import TrainedAgain, as_asked, train


class Shadow(TrainedAgain):
    """What a trainer makes of records. trainer, device: see `build`."""

    def __init__(self, trainer: Mapping[str, Any], n_classes: int, device: torch.device):
        super().__init__(_not_trained, n_classes, "a shadow")
        self._trainer, self._device = trainer, device

    def become(self, inputs: np.ndarray, classes: np.ndarray, seed: int) -> None:
        fit = plugins.bind("trainers", "fit", self._trainer, n_classes=self._n_classes, device=self._device)
        trained = train(fit, inputs, classes, seed, self.table, self._device)
        self.trained = as_asked(trained, self._n_classes, self.table, self._device)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Floats (m, n_classes), the largest at the label: what else they say depends on the trainer."""
        return self.trained(inputs)

    def state_dict(self, *args, **kwargs) -> dict[str, torch.Tensor]:
        return dict(self.records)

    def load_state_dict(self, state_dict, strict: bool = True, assign: bool = False) -> None:
        """Train again on the records that another one has kept. Raises as `retrain_as`."""
        self.retrain_as(state_dict)


def _not_trained(inputs: Any) -> np.ndarray:
    raise RuntimeError("asked before it was trained")


def build(shape: tuple[int, ...], n_classes: int, trainer: Mapping[str, Any], job_device: torch.device) -> Shadow:
    """An untrained shadow.

    trainer: {"kind": ..., **options}; job_device: where it is trained and asked, also the
    `device` of a trainer that takes one.
    """
    return Shadow(trainer, n_classes, job_device)
