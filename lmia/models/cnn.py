"""The paper's convolutional network: two blocks of 3x3 convolutions, a dense layer, logits."""

from collections.abc import Sequence

import torch
from torch import nn

from lmia.models.initialization import initialize


def build(
    shape: tuple[int, ...],
    n_classes: int,
    channels: Sequence[int] = (32, 64),
    convolutions: int = 2,
    dense: int = 512,
    initialization: str = "torch",
) -> nn.Sequential:
    """In each block a convolution with padding and then ones without, ReLU after each, and 2x2 max-pooling.

    Args:
        shape: (channels, height, width) of one input.
        n_classes: logits.
        channels: filters of each block.
        convolutions: how many a block has (1 where images are too small for 2).
        dense: units of the hidden layer.
        initialization: see `initialize`.
    """
    layers, width = [], shape[0]
    for filters in channels:
        for number in range(convolutions):
            layers += [nn.Conv2d(width, filters, 3, padding="valid" if number else "same"), nn.ReLU()]
            width = filters
        layers.append(nn.MaxPool2d(2))
    features = nn.Sequential(*layers, nn.Flatten())
    with torch.no_grad():
        size = features(torch.zeros(1, *shape)).shape[1]
    model = nn.Sequential(features, nn.Linear(size, dense), nn.ReLU(), nn.Linear(dense, n_classes))
    return initialize(model, initialization)
