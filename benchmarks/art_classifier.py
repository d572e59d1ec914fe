"""A network as ART takes it. ART is an extra of the benchmarks alone: it is imported where it is run."""

import numpy as np
from torch import nn


def as_art_classifier(model, shape, n_classes, device):
    """ART's classifier of a network on a torch device that takes float32 inputs (n, *shape) in [0, 1]."""
    from art.estimators.classification import PyTorchClassifier

    class Classifier(PyTorchClassifier):
        def predict(self, x, *args, **options):
            """In float32, which is what the model takes: with NumPy 2 the attack makes float64 of its points."""
            return super().predict(x.astype(np.float32), *args, **options)

    given = {"clip_values": (0.0, 1.0), "device_type": "gpu" if device.type == "cuda" else "cpu"}
    return Classifier(model, nn.CrossEntropyLoss(), tuple(shape), n_classes, **given)
