"""The paper's convolutional network: two blocks of 3x3 convolutions, a dense layer, logits."""

import torch
from torch import nn

from lmia.models.initialization import initialize


def build(shape, n_classes, channels=(32, 64), convolutions=2, dense=512, initialization="torch"):
    """In each block a convolution with padding and then ones without, ReLU after each, and 2x2 max-pooling.

    channels: filters of each block; convolutions: how many a block has (1 where images are too small for 2);
    dense: units of the hidden layer; initialization: see `initialize`.
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
