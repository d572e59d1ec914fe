"""MNIST: 70,000 grey images of 28x28 pixels of the ten digits (LeCun, Cortes and Burges)."""

import gzip
import struct
from pathlib import Path

import numpy as np

from lmia.data import archives

N_EXAMPLES = 70000
SHAPE = (1, 28, 28)
URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"
HASHES = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
UNSIGNED_BYTES = 8  # the code of this type in an idx file


def load(path: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (70000, 1, 28, 28), classes 0 to 9, the 60,000 training images first.

    path: folder with local copies of the four files; default: fetched. Errors: as `archives.originals`, and ValueError
    for files of another content.
    """
    files = archives.originals(URL, HASHES, path)
    parts = [parse_idx(gzip.decompress(file.read_bytes()), file) for file in files]
    images, classes = np.concatenate(parts[:2]), np.concatenate(parts[2:])
    if (len(images), *images.shape[1:]) != (N_EXAMPLES, *SHAPE[1:]) or len(classes) != N_EXAMPLES:
        raise ValueError(
            f"{files[0].parent}: expected {N_EXAMPLES} images of {SHAPE[1]}x{SHAPE[2]} pixels and as many labels, "
            f"found {images.shape} and {classes.shape}"
        )
    return images[:, None].astype(np.float32) / 255, classes.astype(np.int64)


def parse_idx(data: bytes, source: str | Path) -> np.ndarray:
    """An idx file's bytes as a uint8 array: a header of type, number of dimensions and sizes (big-endian), then values.

    source: named in messages. Raises ValueError where the bytes are not what the header says.
    """
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != UNSIGNED_BYTES or len(data) < 4 + 4 * data[3]:
        raise ValueError(f"{source}: expected an idx file of unsigned bytes, found one that starts {data[:4].hex(' ')}")
    sizes = struct.unpack_from(f">{data[3]}I", data, 4)
    values = np.frombuffer(data, np.uint8, offset=4 + 4 * len(sizes))
    if len(values) != np.prod(sizes):
        raise ValueError(f"{source}: expected {'x'.join(map(str, sizes))} values, found {len(values)}")
    return values.reshape(sizes)
