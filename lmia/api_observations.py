"""Observations that a user makes of answers of their own, checked: what was expected, what came, and what to do."""

from dataclasses import replace

import numpy as np

from lmia.attacks.observations import Answers, Compared, Confidences, Distances, Observations, Relabelled
from lmia.label_function import in_range

TYPES = {"integers": "iu", "numbers": "fiu", "bools": "b"}
# Of each field its type and its axes, of which those of one name are of one length.
ARRAYS = {
    Answers: {"classes": "integers n", "labels": "integers n q", "magnitudes": "numbers q"},
    Distances: {
        "classes": "integers n",
        "distance": "numbers n copies t",
        "n_queries": "integers n copies t",
        "stopped": "bools n",
        "random_distance": "numbers r u",
        "random_queries": "integers r u",
        "reference_distance": "numbers n",
        "relabelled_levels": "integers n models v",
        "relabelled_queries": "integers n models v",
    },
    Confidences: {
        "classes": "integers n",
        "probabilities": "numbers n n_classes",
        "phi": "numbers n",
        "population": "numbers z",
    },
    Compared: {
        "classes": "integers n",
        "labels": "integers n",
        "reference_labels": "integers n r",
        "is_in": "bools n r",
    },
    Relabelled: {"classes": "integers n", "labels": "integers n", "losses": "numbers n"},
}
NEEDED = ("n", "q", "copies", "t", "n_classes")  # axes that have a place at least
ROOM = 0.01  # between 1 and the sum of a row: bfloat16 leaves 0.003
MOST_DECIMALS = 6  # more are as good as all that float32 has


def as_observed(name: str, observed: Observations) -> Observations:
    """What was observed, with numpy's arrays for its fields. name: in errors. What is no observation stays as it is.

    Raises ValueError for other types and shapes than attacks read, distances that are no numbers, and what are no
    probabilities.
    """
    arrays: dict[str, np.ndarray] = {}
    lengths: dict[str, int] = {}
    for field, told in ARRAYS.get(type(observed), {}).items():
        if (value := getattr(observed, field)) is not None:
            arrays[field] = np.asarray(value)
            _check_array(f"{name}: {field}", arrays[field], told, lengths)
    for field in {"distance", "random_distance"} & arrays.keys():
        if np.isnan(arrays[field]).any():
            raise ValueError(f"{name}: {field}: expected distances, infinite where no other label was found, got nan")
    if isinstance(observed, Confidences):
        _check_probabilities(f"{name}: probabilities", arrays["probabilities"])
        in_range(f"{name}: classes", arrays["classes"], lengths["n_classes"])
    return replace(observed, **arrays) if arrays else observed


def _check_array(name: str, array: np.ndarray, told: str, lengths: dict[str, int]) -> None:
    """Raise ValueError unless an array is as `told`, and take its lengths of axes that have none."""
    kind, *axes = told.split()
    wanted = [lengths.get(axis, axis) for axis in axes]
    fits = array.ndim == len(axes) and all(
        lengths.setdefault(axis, length) == length and (length or axis not in NEEDED)
        for axis, length in zip(axes, array.shape, strict=True)
    )
    if not fits or array.dtype.kind not in TYPES[kind]:
        lacking = ", None" * (len(axes) - array.ndim)
        raise ValueError(
            f"{name}: expected {kind} of shape ({', '.join(map(str, wanted))}{',' * (len(wanted) == 1)}), got "
            f"{array.dtype} of shape {array.shape}"
            + f"; for axes of one place each, give {name.split()[-1]}[:{lacking}]"
            * (bool(lacking) and array.ndim == 1)
        )


def _check_probabilities(name: str, probabilities: np.ndarray) -> None:
    """Raise ValueError unless rows (n, n_classes) are probabilities, or what a mask leaves of them.

    A mask may round them, and then take a digit off what would draw level with the largest (`lmia.defenses.rounding`),
    or put 0 in the place of those below the largest few (`lmia.defenses.top_k`).
    """
    low, high = probabilities.min(), probabilities.max()
    if not (low >= 0 and high <= 1 + ROOM):  # also where they are NaN
        raise ValueError(
            f"{name}: expected numbers from 0 to 1, got {low:.4g} to {high:.4g}; of logits, give their softmax"
        )
    rows, unit = probabilities.astype(float), _unit(probabilities)
    sums, hidden = rows.sum(axis=1), rows == 0
    least = sums - unit / 2 * (~hidden).sum(axis=1)
    most = sums + 3 * unit / 2 * rows.shape[1] + hidden.sum(axis=1) * np.where(hidden, np.inf, rows).min(axis=1)
    if (wrong := (least > 1 + ROOM) | (most < 1 - ROOM) | (sums == 0)).any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"{name}: expected rows that sum to 1, but for what a mask rounds or hides, got {sums[row]:.4g} in row "
            f"{row}; of logits, give their softmax"
        )


def _unit(probabilities: np.ndarray) -> float:
    """The unit 1, 0.1, 0.01, ... that all are whole multiples of, as rounding leaves them; 0 where there is none."""
    digits = [np.finfo(of).eps for of in (np.float32, probabilities.dtype) if np.dtype(of).kind == "f"]
    for decimals in range(MOST_DECIMALS + 1):
        steps = probabilities.astype(float) * 10.0**decimals
        if np.abs(steps - steps.round()).max() <= max(digits) * 10.0**decimals:
            return 10.0**-decimals
    return 0.0
