"""CIFAR-10: 60,000 colour photographs of 32x32 pixels in 10 classes (Krizhevsky 2009)."""

import numpy as np

from lmia.data import archives, cifar_archives

N_EXAMPLES = 60000
SHAPE = (3, 32, 32)
HASHES = {"cifar-10-binary.tar.gz": "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"}
MEMBERS = [f"cifar-10-batches-bin/{part}.bin" for part in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")]


def load(path: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (60000, 3, 32, 32), classes 0 to 9, the 50,000 training images first.

    path: local copy of the archive, or of its folder; default: fetched. Errors: as `archives.originals`, and ValueError
    for an archive of another content.
    """
    [archive] = archives.originals(cifar_archives.URL, HASHES, path)
    return cifar_archives.read(archive, MEMBERS, N_EXAMPLES, SHAPE, n_labels=1, n_classes=10)
