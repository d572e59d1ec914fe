"""Confidence vectors, for the baselines that are not label-only; apart from all code that asks for labels."""

from collections.abc import Callable

import numpy as np
import torch

from lmia import log_odds
from lmia.devices import device_of
from lmia.memory_batches import Batches


def query_confidences(
    model: torch.nn.Module,
    inputs: torch.Tensor,
    classes: np.ndarray,
    mask: Callable[[torch.Tensor], torch.Tensor],
) -> tuple[np.ndarray, np.ndarray]:
    """What a model that answers with confidences would tell, for the baselines that are not label-only.

    inputs: (n, *shape), n >= 1; classes: their true classes, ints (n,); mask: what a defense does to the probabilities,
    (n, n_classes) -> (n, n_classes).

    Returns (probabilities, float32 (n, n_classes); log odds phi of the true classes, float64 (n,)). phi comes from the
    logits where the mask gives back what it got, and from the masked probabilities where it does not, as logits would
    tell what it hides. A row that is no number, as a diverged model has it, tells nothing: all of its classes get the
    same.
    """
    model, device, batches = model.eval(), device_of(model), Batches()
    with torch.inference_mode():
        logits = torch.cat([batches.run(lambda rows: model(rows.to(device)), part) for part in inputs.split(1024)])
        probabilities = torch.softmax(logits, dim=1).nan_to_num(nan=1 / logits.shape[1])
        masked = mask(probabilities)
        told = masked.cpu().numpy().astype(np.float32)
        if masked is probabilities:
            return told, log_odds.of_logits(logits.cpu().numpy(), classes)
        return told, log_odds.of_probabilities(told, classes)
