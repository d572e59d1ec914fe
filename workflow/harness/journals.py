"""The journal of a job in a file, so that a job that is killed goes on from there.

It is written at most once in an interval, so a kill costs about an interval of work, and a job that is shorter than
that never writes.
"""

import time

from lmia import artifacts
from lmia.journal import Journal
from workflow.harness.result_key import dependencies

INTERVAL = 60.0  # s


class KeptJournal(Journal):
    """A journal in a file.

    path: the file; key: says what the work depends on, and what was written under another one is not read; every:
    seconds from one write to the next.

    A file that cannot be read costs the work that it held, and nothing else.
    """

    def __init__(self, path, key="", every=INTERVAL):
        super().__init__()
        self._pages = _Pages(path, key, every)
        self._parts = self._pages.parts

    def save(self, state):
        if self._pages.due():
            self._parts[self._name] = state()
            self._pages.write()

    def finish(self, arrays):
        """As every journal's; written together with what follows, when it is time."""
        super().finish(arrays)
        if self._pages.due():
            self._pages.write()
        return arrays


class _Pages:
    """Arrays of all parts, and the file that they are written to."""

    def __init__(self, path, key, every):
        self._path, self._key, self._every = path, key, every
        self.parts = self._read()
        self._next = time.monotonic() + every

    def due(self):
        return time.monotonic() >= self._next

    def write(self):
        flat = {f"{part}//{name}": array for part, arrays in self.parts.items() for name, array in arrays.items()}
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


def journal_of(snakemake, attempt, device):
    """What earlier runs of this job have done, of equal code, settings, inputs, versions, threads and kind of device.

    attempt: of this run; device: its torch.device, whose random streams no other kind can go on with; how often the
    journal is written is the configuration's, and no result depends on it.
    """
    key = dependencies(attempt.record, snakemake.threads, device)
    return KeptJournal(attempt.journal, key, every=snakemake.config["save_every"])
