"""What the arrays of every data set must be: each way to fall short has a message of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lmia.box import Box

UNIT = (0, 1)
ROUNDINGS = 8  # that may leave a value beyond the end of its range: scaling takes a few


def checked(inputs: Any, classes: Any, box: Box | None = None) -> tuple[np.ndarray, np.ndarray]:
    """A data set as (inputs float32, classes int64 (n,)).

    inputs: numbers in [0, 1], of features (n, features) or images (n, channels, height, width), where floats may lie
    outside by what rounding explains, which is cut off; classes: integers (n,), 0 .. n_classes - 1, at least two, each
    with an example; box: that features (n, features) lie in instead of [0, 1], each in a range of its own. Raises
    ValueError where they are anything else.
    """
    inputs, classes = _as_array(inputs, "inputs"), _as_array(classes, "classes")
    if inputs.dtype.kind not in "fiub":
        raise ValueError(f"inputs: expected floats in [0, 1], got {inputs.dtype}")
    if inputs.ndim not in (2, 4) or 0 in inputs.shape:
        raise ValueError(
            "inputs: expected at least one example, of features (n, features) or images (n, channels, height, width), "
            f"got {inputs.shape}"
        )
    found = limits(inputs, "inputs")
    if box is None and found.leave(UNIT):
        raise ValueError(f"inputs: expected values in [0, 1], got {found}; scale them first")
    check_classes(classes, "classes")
    if classes.shape != inputs.shape[:1]:
        raise ValueError(f"classes: expected one for each of {len(inputs)} inputs, got shape {classes.shape}")
    check_numbering(classes, "classes")
    if classes.max() == 0:
        raise ValueError(f"classes: expected two or more, got {len(classes)} examples of one; every answer is the same")
    if all((row == inputs[0]).all() for row in inputs):
        raise ValueError(f"inputs: all {len(inputs)} examples are equal; no model can tell them apart")
    inputs, classes = np.ascontiguousarray(inputs, np.float32), classes.astype(np.int64, copy=False)
    if box is not None:
        _check_inside(inputs, box)
        return inputs, classes
    inside = 0 <= found.low and found.high <= 1
    return inputs if inside else inputs.clip(0, 1), classes


def _check_inside(inputs: np.ndarray, box: Box) -> None:
    """Raise ValueError unless inputs are a table (n, features) in a box with ends for each feature."""
    if inputs.ndim != 2 or np.shape(box.low) != inputs.shape[1:]:
        raise ValueError(
            f"box: expected the ends of each feature of inputs (n, features), got {np.size(box.low)} for inputs of "
            f"shape {inputs.shape}; use Box.around(inputs)"
        )
    if (outside := ((inputs < box.low) | (inputs > box.high)).any(axis=0)).any():
        feature = int(np.argmax(outside))
        raise ValueError(
            f"inputs: expected values in their box, got {Limits(inputs[:, feature].min(), inputs[:, feature].max())} "
            f"in feature {feature}, outside {box.low[feature]:g} to {box.high[feature]:g}; use Box.around(inputs)"
        )


@dataclass(frozen=True)
class Limits:
    """The least and the greatest value of an array, of its own type."""

    low: Any
    high: Any

    def leave(self, ends: Sequence[float]) -> bool:
        """Whether they lie outside the range `ends` (first, last) by more than rounding explains.

        Integers are not rounded. Floats were in their own type, where they come from, and are in float32 in the end.
        """
        (first, last), dtype, room = ends, self.low.dtype, 0.0
        if dtype.kind == "f":
            own, kept = float(np.finfo(dtype).eps), float(np.finfo(np.float32).eps)
            room = ROUNDINGS * (own * max(abs(first), abs(last)) + kept * (last - first))
        return float(self.low) < first - room or float(self.high) > last + room

    def __str__(self) -> str:
        return f"{shown(self.low)} to {shown(self.high)}"


def shown(value: np.generic) -> str:
    """A number of numpy's in full, so that no message tells 1 where 1.0000021 came."""
    return str(int(value) if value.dtype.kind == "b" else value).removesuffix(".0")


def limits(array: np.ndarray, where: str) -> Limits:
    """The `Limits` of an array that is not empty. Raises ValueError, naming `where`, where it holds nan or infinity."""
    low, high = array.min(), array.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        example = int(np.isfinite(array).all(axis=tuple(range(1, array.ndim))).argmin())
        value = array[example][~np.isfinite(array[example])][0]
        raise ValueError(f"{where}: expected finite numbers, got {value}, first in example {example}; fill or drop it")
    return Limits(low, high)


def may_be_turned(shape: tuple[int, ...]) -> bool:
    """Whether the axes of an image may be others than (channels, height, width), as which `shape` reads them.

    Grey and RGB images, and square ones, are as they should be. Others have fewer channels than pixels along each side.
    """
    channels, height, width = shape
    return channels not in (1, 3) and height != width and channels >= min(height, width)


def check_classes(array: np.ndarray, where: str) -> None:
    """Raise ValueError, naming `where`, unless an array is (n,), of integers from 0 upwards."""
    if array.ndim != 1 or not len(array):
        raise ValueError(f"{where}: expected one class for each example (n,), got shape {array.shape}")
    if array.dtype.kind not in "iu":
        raise ValueError(f"{where}: expected integers from 0 upwards, got {array.dtype}")
    if array.min() < 0:
        raise ValueError(f"{where}: expected integers from 0 upwards, got {array.dtype} from {array.min()}")


def cut(classes: np.ndarray, n: int) -> np.ndarray:
    """Sound classes (m,) of n examples, where n stands for all that are too large for so few to have no gap."""
    return np.minimum(classes, min(n, np.iinfo(classes.dtype).max))


def check_numbering(classes: np.ndarray, where: str) -> None:
    """Raise ValueError, naming `where`, unless sound classes (n,) are numbered without gaps."""
    n = len(classes)
    seen = np.zeros(n + 1, bool)  # n examples leave out one of so many classes at least
    seen[cut(classes, n)] = True
    if (missing := int(seen.argmin())) <= classes.max():
        raise ValueError(f"{where}: no example has class {missing}; number the classes 0, 1, 2, ... without gaps")


def _as_array(values: Any, where: str) -> np.ndarray:
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:  # rows of several lengths, a tensor that needs gradients
        raise ValueError(f"{where}: expected an array of numbers ({error})") from error
