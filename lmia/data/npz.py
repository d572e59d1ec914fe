"""Any user's arrays: a file of numpy arrays (.npz), read without unpickling anything, and sized before it is read."""

import contextlib
import io
import math
import os
import zipfile
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np

from lmia.data.array_checks import UNIT, Limits, check_classes, check_numbering, cut, limits, may_be_turned, shown

MAX_BYTES = 16 << 30  # of memory, whatever a machine has: more than any data set here needs, far from a zip bomb's end
MAX_HEADER = 11_000  # bytes that hold any header which numpy accepts; a longer one could fill the memory
MAX_NAMES = 10  # names in a message
MEMBERSHIP = (0, 1, -1)  # not in training, in training, and not known
BYTES = (0, 255)  # what images of 8 bits range over
BLOCK = 1 << 17  # values that are mapped at once, in float64

Shape: TypeAlias = tuple[int, ...]
Range: TypeAlias = Sequence[float]  # first, last


def load(
    path: str,
    inputs: Sequence[str] = ("inputs",),
    classes: Sequence[str] = ("classes",),
    layout: str | None = None,
    range: Range | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The examples of one file, arrays that are named together pooled in that order.

    Args:
        path: the file, "~" for a home.
        inputs: names of arrays of one shape, of features (n, features), grey images (n, height, width), or images with
            their channels where `layout` says.
        classes: names of as many integer arrays (n,) with values 0 .. n_classes - 1.
        layout: "channels_first" (n, channels, height, width), or "channels_last" (n, height, width, channels). None:
            channels first, unless another axis looks like channels.
        range: (first, last) of all these arrays, mapped to [0, 1]. None: numbers of any type in [0, 1] are taken as
            they are, and uint8 images that need all 8 bits are divided by 255.

    Raises ValueError as `describe`, and where an array is damaged, of another type, or out of its range.
    """
    n, shape = describe(path, inputs, classes, layout, range)
    with _opened(path) as file:
        labels = _pooled(file, path, classes, n)
        arrays = [_read(file, path, name) for name in inputs]
    ends = _ends(path, inputs, arrays, range)
    pooled, start = np.empty((n, *shape), np.float32), 0
    while arrays:  # each is given up once it is mapped
        array = _as_read(arrays.pop(0), layout)
        _map(array, ends, pooled[start : start + len(array)])
        start += len(array)
    return pooled, labels


def describe(
    path: str,
    inputs: Sequence[str] = ("inputs",),
    classes: Sequence[str] = ("classes",),
    layout: str | None = None,
    range: Range | None = None,
) -> tuple[int, tuple[int, ...]]:
    """(number of examples, shape of one input) of what `load` reads by the same arguments, from headers alone.

    Raises ValueError where the file is none of numpy's, a name is missing, shapes do not go together or with the file's
    own, there is no example, it is not plain which axis has the channels, `range` is none, or reading them needs more
    than MAX_BYTES of memory, and OSError where there is no such file.
    """
    if range is not None and not 0 < range[1] - range[0] < math.inf:
        raise ValueError(f"range: {list(range)}: expected two numbers, the smaller one first")
    with _opened(path) as file:
        heads = [_header(file, path, name) for name in inputs]
        others = [_header(file, path, name) for name in classes]
    shapes = [shape for shape, _ in heads]
    for name, shape, label, (count, _) in zip(inputs, shapes, classes, others, strict=True):
        if count != shape[:1]:
            raise ValueError(f"{path}: {label}: expected one class for each of {name} {shape}, got shape {count}")
    each = {_one_shape(shape, layout, f"{path}: {name}") for name, shape in zip(inputs, shapes, strict=True)}
    if len(each) > 1:
        raise ValueError(f"{path}: expected inputs of one shape, got {', '.join(map(str, sorted(each)))}")
    if (needed := _memory(heads, others)) > MAX_BYTES:
        raise ValueError(
            f"{path}: takes {needed / 2**30:.1f} GiB of memory to read, {MAX_BYTES >> 30} are the most; "
            "take a part of it"
        )
    return sum(shape[0] for shape in shapes), each.pop()


def load_known(path: str, membership: Sequence[str], classes: Sequence[str] = ("classes",)) -> np.ndarray:
    """Whether a model was trained on the examples of `load`, in their order: int8 (n,), 1 if so, 0 if not, -1 unknown.

    path, classes: see `load`; membership: names of as many arrays (n,), of true and false or of these numbers.

    Raises ValueError as `describe`, and where such an array has another length or other numbers.
    """
    if len(membership) != len(classes):
        raise ValueError(f"{path}: expected membership for each of {', '.join(classes)}, got {', '.join(membership)}")
    found = []
    with _opened(path) as file:
        for name, label in zip(membership, classes, strict=True):
            (shape, _), (labels, _) = _header(file, path, name), _header(file, path, label)
            if shape != labels[:1]:
                raise ValueError(f"{path}: {name}: expected one for each of {label} {labels[:1]}, got shape {shape}")
            array = _read(file, path, name)
            if len(other := array[~np.isin(array, MEMBERSHIP)]):
                raise ValueError(
                    f"{path}: {name}: expected 1 in training, 0 not, and -1 not known, got {shown(other[0])}"
                )
            found.append(array.astype(np.int8))
    return np.concatenate(found)


def _one_shape(shape: Shape, layout: str | None, where: str) -> Shape:
    """Shape of one input as `load` gives it, from the shape of an array."""
    if len(shape) not in (2, 3, 4):
        raise ValueError(f"{where}: expected features (n, features) or images with 3 or 4 axes, got {shape}")
    if 0 in shape:
        raise ValueError(f"{where}: expected at least one example and one feature, got {shape}")
    if len(shape) == 4 and layout is None and may_be_turned(shape[1:]):
        first, height, last = shape[1:]
        raise ValueError(
            f"{where}: {shape} does not tell which axis has the channels; set layout: channels_last for images of "
            f"{first}x{height} pixels and {last} channels, or layout: channels_first for {height}x{last} and {first}"
        )
    if len(shape) == 3:
        return (1, *shape[1:])
    return (shape[3], *shape[1:3]) if len(shape) == 4 and layout == "channels_last" else shape[1:]


@contextlib.contextmanager
def _named(where: str, expected: str) -> Iterator[None]:
    """Whatever a damaged or hostile file makes numpy and zipfile raise, as a ValueError that names it."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and error.filename is not None:  # there is no such file, or no right to read it
            raise
        raise ValueError(f"{where}: expected {expected} ({str(error) or type(error).__name__})") from error


def _opened(path: str) -> zipfile.ZipFile:
    with _named(path, "a .npz file, as numpy.savez writes it"):
        file = os.path.expanduser(path)
        if not os.path.exists(file) or os.path.isfile(file):  # to open a pipe may take forever
            return zipfile.ZipFile(file)
    raise ValueError(f"{path}: expected a .npz file, found a folder, pipe or device")


def _memory(inputs: list[tuple[Shape, np.dtype]], classes: list[tuple[Shape, np.dtype]]) -> int:
    """Bytes that reading and checking arrays takes at most, by their (shape, dtype).

    Classes end as int64. Each array of them is there once as it is kept, and once more while it is taken over; all are
    there as many numbers and truth values again while they are checked. Inputs are all there as they are kept, and as
    float32, and two blocks of them as float64, the last one and the next.
    """
    n, values = sum(shape[0] for shape, _ in inputs), [math.prod(shape) for shape, _ in inputs]
    checking, labels = 9 * n + 1, max(dtype.itemsize * shape[0] for shape, dtype in classes)
    kept = sum(dtype.itemsize * count for count, (_, dtype) in zip(values, inputs, strict=True))
    block = 16 * min(max(values), max(BLOCK, math.prod(inputs[0][0][1:])))
    return 8 * n + max(labels + max(labels, checking), 4 * sum(values) + max(checking, kept + block))


def _header(file: zipfile.ZipFile, path: str, name: str) -> tuple[Shape, np.dtype]:
    """(shape, dtype) of an array, if its header goes with the size of what the file holds of it."""
    names = [entry.removesuffix(".npy") for entry in file.namelist() if entry.endswith(".npy")]
    if name not in names:
        more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
        raise ValueError(f"{path}: no array {name}; it has {', '.join(names[:MAX_NAMES])}{more}")
    with _named(f"{path}: {name}", "an array of numpy's"):
        with file.open(f"{name}.npy") as array:
            head = io.BytesIO(array.read(MAX_HEADER))
        version = np.lib.format.read_magic(head)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(head)
    if dtype.kind not in "fiub":
        raise ValueError(f"{path}: {name}: expected plain numbers, got {dtype}; objects are never unpickled")
    size = file.getinfo(f"{name}.npy").file_size - head.tell()
    if any(length < 0 for length in shape) or size != dtype.itemsize * math.prod(shape):
        raise ValueError(f"{path}: {name}: expected {dtype} of shape {shape}, found {size} bytes; save it again")
    return shape, dtype


def _read(file: zipfile.ZipFile, path: str, name: str) -> np.ndarray:
    with _named(f"{path}: {name}", "a sound array"), file.open(f"{name}.npy") as array:
        return np.lib.format.read_array(array, allow_pickle=False)


def _pooled(file: zipfile.ZipFile, path: str, names: Sequence[str], n: int) -> np.ndarray:
    """The classes of all n examples, int64 (n,)."""
    pooled, start = np.empty(n, np.int64), 0
    for name in names:
        array = _read(file, path, name)
        check_classes(array, f"{path}: {name}")
        pooled[start : start + len(array)] = cut(array, n)
        start += len(array)
    check_numbering(pooled, path)
    return pooled


def _ends(path: str, names: Sequence[str], arrays: list[np.ndarray], stated: Range | None) -> Range:
    """The range that the values of all arrays are mapped from, as `load` has it.

    All are judged together: a part whose values happen to be small has no other scale than the others.
    """
    found = [limits(array, f"{path}: {name}") for name, array in zip(names, arrays, strict=True)]
    ranges = [f"{name} {part} ({array.dtype})" for name, part, array in zip(names, found, arrays, strict=True)]
    got = f"got {', '.join(ranges[:MAX_NAMES])}"
    if stated is not None:
        if any(part.leave(stated) for part in found):
            raise ValueError(f"{path}: expected values in range: {list(stated)}, {got}; mend the range")
        return stated
    beyond = [part.leave(UNIT) for part in found]
    if not any(beyond):
        return UNIT
    is_bytes = all(array.dtype == np.uint8 and array.ndim > 2 for array in arrays)
    if is_bytes and max(part.high for part in found) > BYTES[1] // 2:
        return BYTES
    write = _proposal(found)
    advice = f"write {write} if every value has that range, or scale them first"
    if not all(beyond):
        advice = f"scale all alike first, or write {write} if they are"
    raise ValueError(f"{path}: expected values in [0, 1], or images of 8 bits, {got}; {advice}")


def _proposal(found: list[Limits]) -> str:
    """The `range` to write for values whose limits are these, and the one of pixels where they may be such."""
    low, high = min((part.low for part in found), key=float), max((part.high for part in found), key=float)
    first, last = shown(low) if low < 0 else "0", shown(high) if low < high or low > 0 else "0"
    pixels = " (pixels: range: [0, 255])" if 0 <= low and high < BYTES[1] else ""
    return f"range: [{first}, {last}]{pixels}"


def _as_read(array: np.ndarray, layout: str | None) -> np.ndarray:
    """An array with the axes of what `load` gives."""
    if array.ndim == 3:
        return array[:, None]
    return array.transpose(0, 3, 1, 2) if array.ndim == 4 and layout == "channels_last" else array


def _map(array: np.ndarray, ends: Range, out: np.ndarray) -> None:
    """Write an array, mapped from the range `ends` to [0, 1], into `out`, float32 of the same shape."""
    first, last = ends
    step = max(1, BLOCK // math.prod(array.shape[1:]))
    for start in range(0, len(array), step):
        rows = slice(start, start + step)
        values = array[rows].astype(np.float64)
        values -= first
        values /= last - first
        np.clip(values, 0, 1, out=out[rows])
