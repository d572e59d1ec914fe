"""Confidence vectors, for the baselines that are not label-only; apart from all code that asks for labels."""

from collections.abc import Callable

import numpy as np
import torch

from lmia.devices import device_of
from lmia.memory_batches import Batches


def query_confidences(
    model: torch.nn.Module, inputs: torch.Tensor, mask: Callable[[torch.Tensor], torch.Tensor]
) -> np.ndarray:
    """Probabilities (n, n_classes), float32, as a model that answers with confidences would give them.

    mask: what a defense does to them, (n, n_classes) -> (n, n_classes). For the baselines that are not label-only.
    A row that is no number, as a diverged model has it, tells nothing: all of its classes get the same.
    """
    model, device, batches = model.eval(), device_of(model), Batches()
    with torch.inference_mode():
        parts = [
            batches.run(lambda rows: torch.softmax(model(rows.to(device)), dim=1), part) for part in inputs.split(1024)
        ]
        probabilities = torch.cat(parts)
        return mask(probabilities.nan_to_num(nan=1 / probabilities.shape[1])).cpu().numpy().astype(np.float32)
