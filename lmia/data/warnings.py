"""What is allowed in a data set and rarely meant: said once, before anything is trained on it."""

import numpy as np

from lmia.data.array_checks import may_be_turned
from lmia.data.equal_inputs import number_inputs
from lmia.data.hidden_twins import count_hidden_twins, naming_columns
from lmia.table import Table


def remarks(
    inputs: np.ndarray,
    classes: np.ndarray,
    members: np.ndarray,
    nonmembers: np.ndarray,
    table: Table | None = None,
) -> list[str]:
    """Remarks on a sound data set, a list of str.

    inputs: float32 (n, *shape); classes: int64 (n,); members, nonmembers: ids of the examples of one model; table: of
    the columns, where it is one of a user's. Features that are constant are looked for in tables alone, as the edges
    of images often are.
    """
    found = _names(table, inputs, members, nonmembers) if table is not None else []
    if inputs.ndim == 2 and (constant := int((inputs.min(axis=0) == inputs.max(axis=0)).sum())):
        found.append(f"{constant} of {inputs.shape[1]} features have the same value in all examples; leave them out")
    counts = np.bincount(classes)
    if len(rare := np.flatnonzero(counts * len(members) < len(classes))):
        named = ", ".join(f"{label} ({counts[label]} examples)" for label in rare[:5])
        found.append(
            f"{len(members)} members hold some classes less than once on average, and do not teach them: {named}"
        )
    if inputs.ndim == 4 and (remark := axes_remark(inputs.shape[1:])):
        found.append(f"{remark} (kind npz: set layout)")
    return found + _twins(inputs, classes, members, nonmembers)


def axes_remark(shape: tuple[int, ...]) -> str:
    """What to say of the axes (channels, height, width) of images, "" where they are as they should be."""
    channels, height, width = shape
    if not may_be_turned(shape):
        return ""
    return (
        f"images are read as {height}x{width} pixels with {channels} channels; if another axis has the channels, let "
        "it be the first of an image"
    )


def _names(table: Table, inputs: np.ndarray, members: np.ndarray, nonmembers: np.ndarray) -> list[str]:
    """On columns that may be names of records."""
    if not (names := naming_columns(table, len(inputs))):
        return []
    twins = count_hidden_twins(table, inputs, members, nonmembers)
    return [
        f"{', '.join(names)}: another value in each record, and {twins} of {len(nonmembers)} non-members equal a "
        "member in all else; if it is a name of records, let `id` name it, or leave it out"
    ]


def _twins(inputs: np.ndarray, classes: np.ndarray, members: np.ndarray, nonmembers: np.ndarray) -> list[str]:
    """On examples with equal inputs."""
    same = number_inputs(inputs)
    if (n_distinct := int(same.max()) + 1) == len(inputs):
        return []
    first = np.unique(same, return_index=True)[1]
    otherwise = int((classes != classes[first[same]]).sum())
    shared = int(np.isin(same[nonmembers], same[members]).sum())
    return [
        f"{len(inputs) - n_distinct} of {len(inputs)} examples have the inputs of an earlier one, {otherwise} of "
        f"these another class; {shared} of the first target's {len(nonmembers)} non-members have those of a member: no "
        "attack can tell these apart"
    ]
