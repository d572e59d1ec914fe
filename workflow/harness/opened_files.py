"""Files that a user's code opens although nothing names them: no plan would see an edit of one.

Python tells of each file that is opened, whatever library opens it, but for those that open files in compiled code.
"""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from importlib.machinery import all_suffixes
from pathlib import Path
from types import FrameType
from typing import Any

from workflow.harness.fingerprint import ROOT, is_installed

CODE = tuple(all_suffixes())  # imports are watched apart
OF_SNAKEMAKE = ("results", ".snakemake")  # these are what it watches itself


class OpenedFiles:
    """Refuses that a user's code opens a file unseen, from now on to the end of this process.

    Watched are the working folder, lmia's, and those of the user's code: keys and caches elsewhere decide no result.
    What was made since is none of the user's, and what is installed there, as in `.venv`, is pinned by its version. To
    open another one raises PermissionError, and `refused` has its text.

    own: files of the user's code, at least one; named: what the plan knows by its content; folders: whatever lies in
    them, as an option names them.
    """

    def __init__(self, own: Iterable[Path], named: Iterable[str], folders: Iterable[str]):
        self._own, self._began, self.refused = {str(file) for file in own}, time.time_ns(), ""
        self._named = {os.path.realpath(path) for path in named}
        self._watched = [*map(_inside, {str(ROOT), os.getcwd(), *map(os.path.dirname, self._own)})]
        self._left_out = [_inside(os.path.realpath(folder)) for folder in (*folders, *OF_SNAKEMAKE)]
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str | bytes) and not arguments[2] & (os.O_WRONLY | os.O_TRUNC):
            self._look(os.path.abspath(os.fsdecode(arguments[0])))

    def _look(self, path: str) -> None:
        file = os.path.realpath(path)
        if file in self._named or file.endswith(CODE) or any(map(file.startswith, self._left_out)):
            return
        if is_installed(Path(file)) or file.startswith(_inside(os.path.realpath(sys.prefix))):
            return
        if not any(at.startswith(folder) for folder in self._watched for at in (path, file)) or not self._is_old(file):
            return
        if (frame := next(self._frames(), None)) is not None:
            where = f"{frame.f_code.co_filename}, line {frame.f_lineno}"
            self.refused = self.refused or (
                f"{where}: opens {path}, which nothing names, so nobody would see an edit of it; let an option name "
                "it, or list it in FILES (docs/how-to/extend.md), or keep it in another folder if it decides nothing"
            )
            raise PermissionError(self.refused)

    def _is_old(self, file: str) -> bool:
        """Whether there is such a file, and nobody has made or changed it since."""
        return os.path.isfile(file) and os.stat(file).st_ctime_ns < self._began

    def _frames(self) -> Iterator[FrameType]:
        """Where the user's code stands at this moment, if it does, innermost first."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if os.path.abspath(frame.f_code.co_filename) in self._own:
                yield frame
            frame = frame.f_back


def _inside(folder: str) -> str:
    return os.path.join(folder, "")


def folders_in(value: Any, beside: Iterable[Path]) -> Iterator[str]:
    """Paths of all folders that a nested value names, from the working folder or beside files of a user's code."""
    if isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from folders_in(part, beside)
    elif isinstance(value, str) and value and "\0" not in value:
        text = os.path.expanduser(value)
        yield from filter(os.path.isdir, [text, *(os.path.join(file.parent, text) for file in beside)])
