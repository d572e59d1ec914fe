"""Location: 5,010 people's visits to places in Bangkok, 446 yes or no each, in 30 groups (Shokri et al. 2017)."""

import numpy as np

from lmia.data import archives, binary_tables

N_EXAMPLES = 5010
SHAPE = (446,)
N_CLASSES = 30
HASHES = {"dataset_location.tgz": "927203f85a868f8ee17a0ded1dc61699efe602167beabe34fbf45b4b1de94b33"}


def load(path: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (5010, 446), classes 0 to 29.

    path: local copy of the archive, or of its folder; default: fetched. Errors: as `archives.originals`, and ValueError
    for an archive of another content.
    """
    [archive] = archives.originals(binary_tables.URL, HASHES, path)
    return binary_tables.read(archive, "bangkok", (N_EXAMPLES, *SHAPE), N_CLASSES)
