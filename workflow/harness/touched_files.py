"""Whether files were touched while a job ran: in the end they may be as they were, and others were read meanwhile.

The time of a file's status, of all times, is nobody's to set.
"""

import os
import sys
from pathlib import Path
from typing import Any

from workflow.harness.fingerprint import loaded


def state(path: str | Path) -> tuple[int, ...] | None:
    """What changes whenever a file is written to, replaced or put back; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


class Imports:
    """Looks at a job's code at the moment that Python imports it: what happens to it long after does no harm.

    files: path -> name as a module, of which "" is the script itself (fingerprint.closure). What is loaded by now was
    touched too late if that was after Snakemake wrote the copy of the script that runs, just before this process began.
    """

    def __init__(self, files: dict[Path, str]) -> None:
        began = os.stat(sys.argv[0]).st_ctime_ns
        here = {file for file, name in files.items() if not name} | loaded() & files.keys()
        self._touched = {file for file in here if max(os.stat(file).st_ctime_ns, os.lstat(file).st_ctime_ns) > began}
        self._before = {file: state(file) for file in files.keys() - here}
        self._names = {files[file]: file for file in self._before}
        self._seen: set[Path] = set()
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Asked by Python for each module that it is about to load; leaves that to others."""
        if name in self._names:
            self._look(self._names[name])

    def touched(self) -> set[Path]:
        """Paths of files that were touched between the plan and their import, as far as they are imported."""
        for file in loaded() & self._before.keys() - self._seen:  # under another name
            self._look(file)
        return self._touched

    def _look(self, file: Path) -> None:
        self._seen.add(file)
        if state(file) != self._before[file]:
            self._touched.add(file)
