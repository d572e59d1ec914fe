"""Data sets of torchvision that it reads from idx files. (Its CIFAR sets are pickles; the kind cifar10 is not.)"""

import importlib
import sys
from types import ModuleType

import numpy as np

N_EXAMPLES = {"MNIST": 70000, "FashionMNIST": 70000, "KMNIST": 70000}
SHAPE = {"MNIST": (1, 28, 28), "FashionMNIST": (1, 28, 28), "KMNIST": (1, 28, 28)}
_libraries = []  # kept alive: a torch.library.Library takes its definitions along when it is collected


def import_torchvision() -> ModuleType:
    """Import torchvision beside any build of torch, and return it.

    Its compiled operators may be built for another torch and fail to load; the import then stops at operators that
    were never declared. Declaring these and importing again is enough for data sets and transforms.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # half imported
    _declare_operators()
    return importlib.import_module("torchvision")


def _declare_operators() -> None:
    import torch

    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _libraries.append(library)


def load(name: str, root: str = "data", download: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """The train and test parts of one data set pooled, images as (70000, 1, 28, 28) in [0, 1].

    name: class in torchvision.datasets, one of N_EXAMPLES, or ValueError; root: folder of its files; download: fetch
    them where they are missing.
    """
    if name not in N_EXAMPLES:
        raise ValueError(f"{name}: expected one of {', '.join(N_EXAMPLES)}; others may be pickles, and are not read")
    source = getattr(import_torchvision().datasets, name)
    parts = [source(root=root, train=train, download=download) for train in (True, False)]
    images = np.concatenate([np.asarray(part.data) for part in parts])[:, None].astype(np.float32) / 255
    return images, np.concatenate([np.asarray(part.targets) for part in parts]).astype(np.int64)
