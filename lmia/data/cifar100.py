"""CIFAR-100: 60,000 colour photographs of 32x32 pixels in 100 classes (Krizhevsky 2009)."""

import numpy as np

from lmia.data import archives, cifar_archives

N_EXAMPLES = 60000
SHAPE = (3, 32, 32)
HASHES = {"cifar-100-binary.tar.gz": "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"}
MEMBERS = ["cifar-100-binary/train.bin", "cifar-100-binary/test.bin"]


def load(path: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (60000, 3, 32, 32), fine classes 0 to 99, the 50,000 training images first.

    path: local copy of the archive, or of its folder; default: fetched. Errors: as `archives.originals`, and ValueError
    for an archive of another content.
    """
    [archive] = archives.originals(cifar_archives.URL, HASHES, path)
    return cifar_archives.read(archive, MEMBERS, N_EXAMPLES, SHAPE, n_labels=2, n_classes=100)
