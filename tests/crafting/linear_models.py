"""Models whose answers are known in closed form, and whose rows depend on no other row of their batch."""

import numpy as np
import torch


class Linear(torch.nn.Module):
    """Logits x . weights + biases of flat inputs, float64: weights (d, n_classes), biases (n_classes,)."""

    def __init__(self, weights, biases):
        super().__init__()
        self.weights = torch.nn.Parameter(torch.as_tensor(np.asarray(weights, float)))
        self.biases = torch.as_tensor(np.asarray(biases, float))

    def forward(self, x):
        return (x.flatten(1)[:, :, None] * self.weights).sum(dim=1) + self.biases


def halfspace(normal, offset):
    """A model of two classes: the margin of class 1 is normal . x - offset."""
    normal = np.asarray(normal, float)
    return Linear(np.stack([np.zeros_like(normal), normal], axis=1), [0.0, -offset])


class Curved(torch.nn.Module):
    """Logits of a hidden layer, row by row."""

    def __init__(self, seed, dim, hidden=16, n_classes=3):
        super().__init__()
        numbers = np.random.default_rng(seed)
        sizes = (dim, hidden), (hidden, n_classes)
        self.layers = torch.nn.ParameterList(torch.from_numpy(numbers.normal(size=size)) for size in sizes)

    def forward(self, x):
        for layer in self.layers:
            x = torch.tanh((x.flatten(1)[:, :, None] * layer).sum(dim=1))
        return 5 * x
