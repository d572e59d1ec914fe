"""Any user's arrays: a file of numpy arrays (.npz), read without unpickling anything, and sized before it is read."""

import contextlib
import io
import math
import os
import zipfile

import numpy as np

from lmia.data.arrays import check_classes, check_numbering, check_range

MOST_BYTES = 16 << 30  # of memory, whatever a machine has: more than any data set here needs, far from a zip bomb's end
HEADER = 11_000  # bytes that hold any header which numpy accepts; a longer one could fill the memory
SHOWN = 10  # names in a message


def load(path, inputs=("inputs",), classes=("classes",), layout="channels_first"):
    """The examples of one file, arrays that are named together pooled in that order.

    path: the file; inputs: names of arrays of one shape, uint8 (0 to 255, divided by 255) or floats in [0, 1], of
    features (n, features), grey images (n, height, width), or images with their channels where `layout` says:
    "channels_first" (n, channels, height, width) or "channels_last" (n, height, width, channels); classes: names of
    as many integer arrays (n,) with values 0 .. n_classes - 1.

    Raises ValueError as `describe`, and where an array is damaged, or of another type or range.
    """
    describe(path, inputs, classes, layout)
    with _opened(path) as file:
        parts = [_as_inputs(_read(file, path, name), layout, f"{path}: {name}") for name in inputs]
        labels = [_read(file, path, name) for name in classes]
    for name, part in zip(classes, labels, strict=True):
        check_classes(part, f"{path}: {name}")
    pooled = np.concatenate(labels)
    check_numbering(pooled, path)
    return np.concatenate(parts), pooled.astype(np.int64)


def describe(path, inputs=("inputs",), classes=("classes",), layout="channels_first"):
    """(number of examples, shape of one input) of what `load` reads, from the arrays' headers alone.

    Raises ValueError where the file is none of numpy's, a name is missing, shapes do not go together or with the file's
    own, there is no example, or reading them needs more than MOST_BYTES of memory, and OSError where there is no such
    file.
    """
    with _opened(path) as file:
        heads = [_header(file, path, name) for name in inputs]
        counts = [_header(file, path, name)[0] for name in classes]
    shapes = [shape for shape, _ in heads]
    for name, shape, others, count in zip(inputs, shapes, classes, counts, strict=True):
        if count != shape[:1]:
            raise ValueError(f"{path}: {others}: expected one class for each of {name} {shape}, got shape {count}")
    each = {_one_shape(shape, layout, f"{path}: {name}") for name, shape in zip(inputs, shapes, strict=True)}
    if len(each) > 1:
        raise ValueError(f"{path}: expected inputs of one shape, got {', '.join(map(str, sorted(each)))}")
    if (needed := _memory(heads)) > MOST_BYTES:
        raise ValueError(
            f"{path}: takes {needed / 2**30:.1f} GiB of memory to read, {MOST_BYTES >> 30} are the most; "
            "take a part of it"
        )
    return sum(shape[0] for shape in shapes), each.pop()


def _one_shape(shape, layout, where):
    """Shape of one input as `load` gives it, from the shape of an array."""
    if len(shape) not in (2, 3, 4):
        raise ValueError(f"{where}: expected features (n, features) or images with 3 or 4 axes, got {shape}")
    if 0 in shape:
        raise ValueError(f"{where}: expected at least one example and one feature, got {shape}")
    if len(shape) == 4 and layout == "channels_first" and shape[1] not in (1, 3) and shape[3] in (1, 3):
        raise ValueError(f"{where}: {shape} looks like images with their channels last; set layout: channels_last")
    if len(shape) == 3:
        return (1, *shape[1:])
    return (shape[3], *shape[1:3]) if len(shape) == 4 and layout == "channels_last" else shape[1:]


@contextlib.contextmanager
def _named(where, expected):
    """Whatever a damaged or hostile file makes numpy and zipfile raise, as a ValueError that names it."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and error.filename is not None:  # there is no such file, or no right to read it
            raise
        raise ValueError(f"{where}: expected {expected} ({str(error) or type(error).__name__})") from error


def _opened(path):
    if os.path.exists(path) and not os.path.isfile(path):  # to open a pipe may take forever
        raise ValueError(f"{path}: expected a .npz file, found a folder, pipe or device")
    with _named(path, "a .npz file, as numpy.savez writes it"):
        return zipfile.ZipFile(path)


def _memory(heads):
    """Bytes that reading arrays takes at most, by their (shape, dtype): all as float32 twice, and one as it is kept."""
    kept = [dtype.itemsize * math.prod(shape) for shape, dtype in heads]
    return 2 * sum(4 * math.prod(shape) for shape, _ in heads) + max(kept)


def _header(file, path, name):
    """(shape, dtype) of an array, if its header goes with the size of what the file holds of it."""
    names = [entry.removesuffix(".npy") for entry in file.namelist() if entry.endswith(".npy")]
    if name not in names:
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        raise ValueError(f"{path}: no array {name}; it has {', '.join(names[:SHOWN])}{more}")
    with _named(f"{path}: {name}", "an array of numpy's"):
        with file.open(f"{name}.npy") as array:
            head = io.BytesIO(array.read(HEADER))
        version = np.lib.format.read_magic(head)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(head)
    if dtype.kind not in "fiub":
        raise ValueError(f"{path}: {name}: expected plain numbers, got {dtype}; objects are never unpickled")
    size = file.getinfo(f"{name}.npy").file_size - head.tell()
    if any(length < 0 for length in shape) or size != dtype.itemsize * math.prod(shape):
        raise ValueError(f"{path}: {name}: expected {dtype} of shape {shape}, found {size} bytes; save it again")
    return shape, dtype


def _read(file, path, name):
    with _named(f"{path}: {name}", "a sound array"), file.open(f"{name}.npy") as array:
        return np.lib.format.read_array(array, allow_pickle=False)


def _as_inputs(array, layout, where):
    if array.dtype == np.uint8:
        array = array.astype(np.float32) / np.float32(255)
    elif array.dtype.kind != "f":
        raise ValueError(f"{where}: expected uint8 or floats in [0, 1], got {array.dtype}")
    check_range(array, where)
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and layout == "channels_last":
        array = array.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(array, np.float32)
