"""Data sets of torchvision that come as one array of images with train and test parts."""

import numpy as np

N_EXAMPLES = {"MNIST": 70000, "FashionMNIST": 70000, "KMNIST": 70000, "CIFAR10": 60000, "CIFAR100": 60000}
SHAPE = {
    "MNIST": (1, 28, 28),
    "FashionMNIST": (1, 28, 28),
    "KMNIST": (1, 28, 28),
    "CIFAR10": (3, 32, 32),
    "CIFAR100": (3, 32, 32),
}
_libraries = []  # kept alive: a torch.library.Library takes its definitions along when it is collected


def import_torchvision():
    """Import torchvision beside any build of torch, and return it.

    Its compiled operators are built against CUDA and fail to load beside a CPU build of torch; the import then
    stops at operators that were never declared. Declaring them first is enough for data sets and transforms.
    """
    import torch

    if not torch.version.cuda and not _libraries:
        library = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _libraries.append(library)
    import torchvision

    return torchvision


def load(name, root="data", download=True):
    """The train and test parts of one data set pooled, images as (n, channels, height, width) in [0, 1].

    name: class in torchvision.datasets, one of N_EXAMPLES; root: folder of its files; download: fetch
    them where they are missing.
    """
    source = getattr(import_torchvision().datasets, name)
    parts = [source(root=root, train=train, download=download) for train in (True, False)]
    images = np.concatenate([np.asarray(part.data) for part in parts]).astype(np.float32) / 255
    images = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(images), np.concatenate([np.asarray(part.targets) for part in parts]).astype(np.int64)
