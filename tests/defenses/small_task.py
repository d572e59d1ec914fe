"""A task and a network small enough to follow a defense on, and every defense that trains."""

import importlib
from functools import partial

import numpy as np
import torch

from lmia.models import cnn
from lmia.training.loop import train
from lmia.training.options import TrainingOptions

OPTIONS = {"learning_rate": 1e-3, "batch_size": 20, "min_delta": 0.0, "patience": 5, "max_epochs": 5}
BUILD = partial(cnn.build, channels=(4, 8), convolutions=1, dense=16)
SHAPE = (3, 8, 8)
N = 50
DEFENSES = {
    "l1": {"strength": 0.01},
    "l2": {"strength": 0.01},
    "dropout": {"rate": 0.5},
    "weight_decay": {"strength": 0.1},
    "early_stopping": {"epochs": 2},
    "label_smoothing": {"amount": 0.1},
    "hamp": {"entropy": 0.8, "strength": 0.01},
    "ldl": {"sigma": 0.1, "copies": 3},
    "mixup": {"alpha": 0.5},
    "augmentation": {"pixels": 1, "views": "random", "flips": True, "cutout": 3},
    "adversarial_regularization": {"strength": 1.0, "epochs": 3},
    "transfer": {"source": "elsewhere"},
    "dp_sgd": {"epochs": 2, "noise": 0.5, "batch_size": 20},
}


def draw(shape=SHAPE, n=N, seed=0):
    """A random task of three classes."""
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.random((n, *shape), dtype=np.float32)), torch.from_numpy(rng.integers(3, size=n))


def defend(kind, **options):
    defense = importlib.import_module(f"lmia.defenses.{kind}").Defense(**options)
    defense.supply(reference=lambda: draw(n=N, seed=1), source=source)
    return defense


def source():
    """Weights of a model of five classes."""
    with torch.random.fork_rng():
        torch.manual_seed(9)
        return {name: value.numpy().copy() for name, value in BUILD(SHAPE, 5).state_dict().items()}


def fit(defense, build=BUILD, shape=SHAPE, seed=0, journal=None, **options):
    return train(build, *draw(shape), 3, seed, defense, TrainingOptions(**OPTIONS | options), journal)


def fresh(seed=0, build=BUILD, shape=SHAPE):
    """The model as training starts with it."""
    torch.manual_seed(seed)
    return build(shape, 3)
