"""What the perturbations of images share."""


def image_size(inputs):
    """(height, width) of inputs (n, channels, height, width); ValueError where they are no images."""
    if inputs.ndim != 4:
        raise ValueError(
            f"expected images (n, channels, height, width), got inputs of shape {tuple(inputs.shape)}; "
            "ask gaussian or bernoulli queries of tabular data"
        )
    return inputs.shape[-2:]
