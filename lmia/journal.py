"""What a long job has done so far, in one file, so that a job that is killed goes on from there.

A journal is a tree of parts, each with named arrays: results of what is finished, the present state of what is not.
It is written at most once in an interval, so a kill costs about an interval of work, and a job that is shorter than
that never writes.
"""

import copy
import time

from lmia import artifacts

INTERVAL = 60.0  # s


class Journal:
    """A part of a journal, at first the whole.

    path: its file, None to remember within this process only; key: says what the work depends on, and what was written
    under another one is not read; every: seconds from one write to the next.

    A file that cannot be read costs the work that it held, and nothing else.
    """

    def __init__(self, path=None, key="", every=INTERVAL):
        self._pages, self._name = _Pages(path, key, every), ""

    def part(self, name):
        """The part of that name within this one; a name has no "//"."""
        part = copy.copy(self)
        part._name = f"{self._name}/{name}"
        return part

    def get(self):
        """Arrays of this part, name -> array, or None where it has none."""
        return self._pages.arrays.get(self._name)

    def save(self, state):
        """Take `state()`, named arrays, as those of this part, if it is time to write."""
        if self._pages.due():
            self._pages.arrays[self._name] = state()
            self._pages.write()

    def finish(self, arrays):
        """Take the named arrays as those of this part, in the place of all parts within it; returns them.

        They are written together with what follows, when it is time.
        """
        inner = [name for name in self._pages.arrays if name.startswith(f"{self._name}/")]
        for name in inner:
            del self._pages.arrays[name]
        self._pages.arrays[self._name] = arrays
        if self._pages.due():
            self._pages.write()
        return arrays


class _Pages:
    """Arrays of all parts, and the file that they are written to."""

    def __init__(self, path, key, every):
        self._path, self._key, self._every = path, key, every
        self.arrays = self._read() if path is not None else {}
        self._next = time.monotonic() + every

    def due(self):
        return self._path is not None and time.monotonic() >= self._next

    def write(self):
        flat = {f"{part}//{name}": array for part, arrays in self.arrays.items() for name, array in arrays.items()}
        artifacts.save(self._path, "journal", flat, {"key": self._key})
        self._next = time.monotonic() + self._every

    def _read(self):
        try:
            flat, provenance = artifacts.load(self._path, "journal")
        except FileNotFoundError:
            return {}
        except artifacts.ArtifactError as error:
            print(f"work starts anew: {error}")
            return {}
        if provenance["key"] != self._key:
            print(f"{self._path}: written by other code, or for other settings or inputs; work starts anew")
            return {}
        parts = {}
        for name, array in flat.items():
            part, _, own = name.partition("//")
            parts.setdefault(part, {})[own] = array
        print(f"{self._path}: work goes on; kept so far: {', '.join(parts)}")
        return parts
