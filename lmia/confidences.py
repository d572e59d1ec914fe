"""Confidence vectors, for the baselines that are not label-only; apart from all code that asks for labels."""

import numpy as np
import torch


def read_confidences(model, inputs, mask):
    """Probabilities (n, n_classes), float32, as a model that answers with confidences would give them.

    mask: what a defense does to them, (n, n_classes) -> (n, n_classes). For the baselines that are not label-only.
    """
    with torch.inference_mode():
        parts = [torch.softmax(model.eval()(part), dim=1) for part in inputs.split(1024)]
        return mask(torch.cat(parts)).cpu().numpy().astype(np.float32)
