"""CIFAR's binary archives: fixed-length records of label bytes and an image. The other archives hold pickles."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lmia.data import archives

URL = "https://www.cs.toronto.edu/~kriz/"


def read(
    archive: Path, names: Sequence[str], n: int, shape: tuple[int, ...], n_labels: int, n_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """The named members of an archive pooled in order: inputs float32 (n, *shape) in [0, 1], classes int64 (n,).

    Args:
        archive: a verified .tar.gz.
        names: of members.
        n: records expected in all.
        shape: of one image.
        n_labels: bytes of labels before each image, the last being the class.
        n_classes: classes are below it.

    Raises ValueError for another content.
    """
    length = n_labels + math.prod(shape)
    with archives.members(archive, *names) as files:
        parts = [parse(file.read(), length, f"{archive}: {name}") for name, file in zip(names, files, strict=True)]
    records = np.concatenate(parts)
    classes = records[:, n_labels - 1].astype(np.int64)
    if len(records) != n or classes.max() >= n_classes:
        raise ValueError(
            f"{archive}: expected {n} images of classes 0 to {n_classes - 1}, "
            f"found {len(records)} of classes up to {classes.max()}"
        )
    images = records[:, n_labels:].reshape(n, *shape).astype(np.float32)
    images /= 255
    return images, classes


def parse(data: bytes, length: int, source: str) -> np.ndarray:
    """Bytes as uint8 (records, length); ValueError, naming `source`, where they are no whole number of records."""
    if not data or len(data) % length:
        raise ValueError(f"{source}: expected records of {length} bytes, found {len(data)} bytes")
    return np.frombuffer(data, np.uint8).reshape(-1, length)
