"""What the arrays of every data set must be, whoever made them: each way of not being so has its message."""

import numpy as np


def checked(inputs, classes):
    """A data set as (inputs float32, classes int64 (n,)).

    inputs: numbers in [0, 1], of features (n, features) or images (n, channels, height, width); classes: integers (n,),
    0 .. n_classes - 1, at least two, each with an example. Raises ValueError where they are anything else.
    """
    inputs, classes = _as_array(inputs, "inputs"), _as_array(classes, "classes")
    if inputs.dtype.kind not in "fiub":
        raise ValueError(f"inputs: expected floats in [0, 1], got {inputs.dtype}")
    if inputs.ndim not in (2, 4) or 0 in inputs.shape:
        raise ValueError(
            "inputs: expected at least one example, of features (n, features) or images (n, channels, height, width), "
            f"got {inputs.shape}"
        )
    check_range(inputs, "inputs")
    check_classes(classes, "classes")
    if classes.shape != inputs.shape[:1]:
        raise ValueError(f"classes: expected one for each of {len(inputs)} inputs, got shape {classes.shape}")
    check_numbering(classes, "classes")
    if classes.max() == 0:
        raise ValueError(f"classes: expected two or more, got {len(classes)} examples of one; every answer is the same")
    if (inputs == inputs[0]).all():
        raise ValueError(f"inputs: all {len(inputs)} examples are equal; no model can tell them apart")
    return np.ascontiguousarray(inputs, np.float32), classes.astype(np.int64)


def check_range(array, where):
    """Raise ValueError, naming `where`, unless all numbers (not none) of an array are in [0, 1]."""
    low, high = array.min(), array.max()
    if np.isnan(low):
        example = int(np.argwhere(np.isnan(array))[0][0])
        raise ValueError(f"{where}: expected numbers in [0, 1], got nan, first in example {example}; fill or drop it")
    if low < 0 or high > 1:
        raise ValueError(f"{where}: expected values in [0, 1], got {low:g} to {high:g}; scale them first")


def check_classes(array, where):
    """Raise ValueError, naming `where`, unless an array is (n,), of integers from 0 upwards."""
    if array.ndim != 1 or not len(array):
        raise ValueError(f"{where}: expected one class for each example (n,), got shape {array.shape}")
    if array.dtype.kind not in "iu":
        raise ValueError(f"{where}: expected integers from 0 upwards, got {array.dtype}")
    if array.min() < 0:
        raise ValueError(f"{where}: expected integers from 0 upwards, got {array.dtype} from {array.min()}")


def check_numbering(classes, where):
    """Raise ValueError, naming `where`, unless sound classes (n,) are numbered without gaps."""
    found = np.unique(classes)
    if len(missing := np.flatnonzero(found != np.arange(len(found)))):
        raise ValueError(f"{where}: no example has class {missing[0]}; number the classes 0, 1, 2, ... without gaps")


def _as_array(values, where):
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:  # rows of several lengths, a tensor that needs gradients
        raise ValueError(f"{where}: expected an array of numbers ({error})") from error
