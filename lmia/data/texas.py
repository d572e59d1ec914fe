"""Texas: 67,330 hospital stays with 6,169 yes or no each, in the 100 commonest procedures (Shokri et al. 2017)."""

import numpy as np

from lmia.data import archives, binary_tables

N_EXAMPLES = 67330
SHAPE = (6169,)
N_CLASSES = 100
NAME = "dataset_texas.tgz"


def load(path: str | None = None, sha256: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (67330, 6169), 1.66 GB; classes 0 to 99.

    path: local copy of the archive, or of its folder; default: fetched. sha256: of the archive, in hex; without it
    nothing is read, as nobody published it, and the error tells what was found. Errors: as `archives.originals`, and
    ValueError for an archive of another content.
    """
    [archive] = archives.originals(binary_tables.URL, {NAME: sha256}, path)
    with archives.members(archive, "texas/100/labels", "texas/100/feats") as (labels, lines):
        labels = labels.read().split()
        bits, _ = binary_tables.parse_bits(lines, (N_EXAMPLES, *SHAPE), f"{archive}: texas/100/feats")
    if len(labels) != N_EXAMPLES:
        raise ValueError(f"{archive}: texas/100/labels: expected {N_EXAMPLES} labels, found {len(labels)}")
    return bits.astype(np.float32), binary_tables.parse_classes(labels, N_CLASSES, f"{archive}: texas/100/labels")
