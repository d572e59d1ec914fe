"""Tables of zeros and ones as text, in which Shokri et al. (2017) released Location, Purchase and Texas."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from lmia.data import archives

URL = "https://github.com/privacytrustlab/datasets/raw/169de9de00de049dd2e571cf7279e64698ac046a/"


def read(archive: Path, name: str, shape: tuple[int, int], n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """A member of an archive with rows "class,0,1,...": inputs float32 of `shape` (n, features), classes int64 (n,)."""
    with archives.members(archive, name) as [lines]:
        bits, heads = parse_bits(lines, shape, f"{archive}: {name}", head=rb'("\d+"|\d+),')
    return bits.astype(np.float32), parse_classes(heads, n_classes, f"{archive}: {name}")


def parse_bits(
    lines: Iterable[bytes], shape: tuple[int, int], source: str, head: bytes = b""
) -> tuple[np.ndarray, list[bytes]]:
    """Rows of comma-separated zeros and ones: uint8 of `shape` (n, features), and what stands before them in each row.

    lines: of bytes; source: named in messages; head: pattern of what must stand before them. Row by row into one array,
    as the text of Texas is 830 MB. Raises ValueError for any other number of rows, and for a row of another form.
    """
    n, features = shape
    bits, heads, width = np.empty(shape, np.uint8), [], 2 * features - 1
    for line in map(bytes.rstrip, lines):
        text = np.frombuffer(line[-width:], np.uint8)
        is_row = len(text) == width and (text[1::2] == ord(",")).all() and (text[::2] >> 1 == ord("0") >> 1).all()
        if not is_row or not re.fullmatch(head, line[:-width]):
            expected = f"{'a class and ' if head else ''}{features} columns of 0 or 1"
            raise ValueError(
                f"{source}: row {len(heads) + 1}: expected {expected}, "
                f"found {line.count(b',') + 1} columns: {line[:30].decode(errors='replace')}..."
            )
        if len(heads) < n:
            bits[len(heads)] = text[::2] & 1
        heads.append(line[:-width])
    if len(heads) != n:
        raise ValueError(f"{source}: expected {n} rows of {features} columns, found {len(heads)} rows")
    return bits, heads


def parse_classes(texts: Sequence[bytes], n_classes: int, source: str) -> np.ndarray:
    """Classes "1", "2", ..., in quotes or not, as int64 0, 1, ...; ValueError for any outside 1 .. n_classes."""
    classes = np.array([int(text.strip(b'",')) for text in texts], np.int64) - 1
    if len(classes) and not (0 <= classes.min() and classes.max() < n_classes):
        raise ValueError(
            f"{source}: expected classes 1 to {n_classes}, found {classes.min() + 1} to {classes.max() + 1}"
        )
    return classes
