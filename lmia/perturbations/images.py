"""What the perturbations of images share."""

import torch


def image_size(inputs: torch.Tensor) -> tuple[int, int]:
    """(height, width) of inputs (n, channels, height, width); ValueError where they are no images."""
    if inputs.ndim != 4:
        raise ValueError(
            f"expected images (n, channels, height, width), got inputs of shape {tuple(inputs.shape)}; "
            "ask gaussian or bernoulli queries of tabular data"
        )
    height, width = inputs.shape[-2:]
    return height, width
