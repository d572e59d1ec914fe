"""What a long job has done so far, part by part: here remembered within the process only.

A journal is a tree of parts, each with named arrays: results of what is finished, the present state of what is not. One
that survives a kill is derived from this class where files are known of; no result depends on which of them is used.
"""

import copy
from collections.abc import Callable
from typing import Self, TypeAlias

import numpy as np

Arrays: TypeAlias = dict[str, np.ndarray]  # by name


class Journal:
    """A part of a journal, at first the whole."""

    def __init__(self):
        self._name = ""
        self._parts: dict[str, Arrays] = {}

    def part(self, name: str) -> Self:
        """The part of that name within this one; a name has no "//"."""
        part = copy.copy(self)
        part._name = f"{self._name}/{name}"
        return part

    def get(self) -> Arrays | None:
        """Arrays of this part, name -> array, or None where it has none."""
        return self._parts.get(self._name)

    def save(self, state: Callable[[], Arrays]) -> None:
        """Take `state()`, named arrays, as those of this part, where a journal outlives the process."""

    def finish(self, arrays: Arrays) -> Arrays:
        """Take the named arrays as those of this part, in the place of all parts within it; returns them."""
        inner = [name for name in self._parts if name.startswith(f"{self._name}/")]
        for name in inner:
            del self._parts[name]
        self._parts[self._name] = arrays
        return arrays
