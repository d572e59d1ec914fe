"""The journal of a job in a file, so that a job that is killed goes on from there.

It is written at most once in an interval, so a kill costs about an interval of work, and a job that is shorter than
that never writes.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lmia import artifacts
from lmia.journal import Journal
from lmia.memory_batches import Batches
from workflow.harness.job_outputs import Attempt
from workflow.harness.shared_cache_key import dependencies

INTERVAL = 60.0  # s


class KeptJournal(Journal):
    """A journal in a file.

    path: the file; key: says what the work depends on, and what was written under another one is not read; every:
    seconds from one write to the next.

    A file that cannot be read costs the work that it held, and nothing else.
    """

    def __init__(self, path: str | Path, key: str = "", every: float = INTERVAL) -> None:
        super().__init__()
        self._pages = _Pages(path, key, every)
        self._parts = self._pages.parts

    def save(self, state: Callable[[], dict[str, np.ndarray]]) -> None:
        if self._pages.due():
            self._parts[self._name] = state()
            self._pages.write()

    def finish(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """As every journal's; written together with what follows, when it is time."""
        super().finish(arrays)
        if self._pages.due():
            self._pages.write()
        return arrays


class _Pages:
    """Arrays of all parts, and the file that they are written to."""

    def __init__(self, path: str | Path, key: str, every: float) -> None:
        self._path, self._key, self._every = path, key, every
        self.parts = self._read()
        self._next = time.monotonic() + every

    def due(self) -> bool:
        return time.monotonic() >= self._next

    def write(self) -> None:
        flat = {f"{part}//{name}": array for part, arrays in self.parts.items() for name, array in arrays.items()}
        artifacts.save(self._path, "journal", flat, {"key": self._key, "halved": Batches.halved})
        self._next = time.monotonic() + self._every

    def _read(self) -> dict[str, dict[str, np.ndarray]]:
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
        Batches.halved |= provenance.get("halved", False)  # what goes on from here is not shared either
        parts: dict[str, dict[str, np.ndarray]] = {}
        for name, array in flat.items():
            part, _, own = name.partition("//")
            parts.setdefault(part, {})[own] = array
        print(f"{self._path}: work goes on; kept so far: {', '.join(parts)}")
        return parts


def journal_of(snakemake: Any, attempt: Attempt, device: torch.device) -> KeptJournal:
    """What earlier attempts at this job did, of equal code, settings, inputs, versions, threads and kind of device.

    snakemake: the object that Snakemake hands its script; attempt: this one; device: the job's, whose random streams
    no other kind can go on with. How often the journal is written is the configuration's; no result depends on it.
    """
    key = dependencies(attempt.record, snakemake.threads, device)
    return KeptJournal(attempt.journal, key, every=snakemake.config["save_every"])
