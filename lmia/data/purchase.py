"""Purchase: what 197,324 shoppers bought out of 600 products, in 100 groups (Shokri et al. 2017, of Kaggle's data)."""

import numpy as np

from lmia.data import archives, binary_tables

N_EXAMPLES = 197324
SHAPE = (600,)
N_CLASSES = 100
NAME = "dataset_purchase.tgz"


def load(path: str | None = None, sha256: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (197324, 600), classes 0 to 99.

    path: local copy of the archive, or of its folder; default: fetched. sha256: of the archive, in hex; without it
    nothing is read, as nobody published it, and the error tells what was found. Errors: as `archives.originals`, and
    ValueError for an archive of another content.
    """
    [archive] = archives.originals(binary_tables.URL, {NAME: sha256}, path)
    return binary_tables.read(archive, "dataset_purchase", (N_EXAMPLES, *SHAPE), N_CLASSES)
