"""Files that a user's code opens although nothing names them: no plan would see an edit of one.

Python tells of each file that is opened, whatever library opens it, but for those that compiled code opens by itself,
and those of other programs.
"""

import mmap
import os
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from importlib.machinery import all_suffixes
from pathlib import Path
from types import FrameType
from typing import Any

from workflow.harness.fingerprint import ROOT, is_installed

CODE = tuple(all_suffixes())
OF_SNAKEMAKE = ("results/.partial", "results/paid", ".snakemake")  # what jobs keep, of which results are made again
DATA_CACHE = "LMIA_DATA"  # variable with the folder of `lmia.data.archives`, which checks all that lies there
MADE_ANEW = "__pycache__"  # by Python, and by compilers, from code that is watched
IMPORTS = "<frozen importlib._bootstrap>"  # file of the functions that an import statement calls
OF_ENVIRONMENT = ("bin", "include", "lib", "lib64", "share", "Scripts", "Lib")
MAX_TEXT = 1 << 14  # bytes of a text


def _inside(folder: str) -> str:
    return os.path.join(folder, "")


OURS = _inside(str(ROOT / "lmia")), _inside(str(ROOT / "workflow"))


class OpenedFiles:
    """Refuses that a user's code opens a file unseen, from now on to the end of this process and of its forks.

    Watched are the working folder, lmia's, and those of the user's code: keys and caches elsewhere decide no result.
    What was made since is none of the user's, nor are hidden folders of a home, and what is installed there, as in
    `.venv`, is pinned by its version. To open another one raises PermissionError, and `refused` has its text.

    own: files of the user's code, at least one; named: what the plan knows by its content; folders: whatever lies in
    them, as an option names them.
    """

    def __init__(self, own: Iterable[Path], named: Iterable[str], folders: Iterable[str]):
        self._own, self._began, self._made = {str(file) for file in own}, _now(), set[str]()
        self._code = {os.path.realpath(file) for file in self._own}
        self._named = {os.path.realpath(path) for path in named}
        self._watched = [*map(_inside, {str(ROOT), os.getcwd(), *map(os.path.dirname, self._own)})]
        scratch = os.path.realpath(tempfile.gettempdir())  # of libraries; the whole project may lie in it
        apart = [scratch] * any(scratch.startswith(os.path.realpath(folder)) for folder in self._watched)
        apart += [*folders, *OF_SNAKEMAKE, *filter(None, [_data_cache()])]
        apart += [os.path.join(sys.prefix, name) for name in OF_ENVIRONMENT]  # which may be the watched folder itself
        apart += _of_programs(self._watched)
        self._left_out = [*map(_inside, map(os.path.realpath, apart))]
        self._refusal = mmap.mmap(-1, MAX_TEXT)  # one for all forks
        sys.addaudithook(self._hear)

    @property
    def refused(self) -> str:
        """What was said of the first file that was refused, "" if none was."""
        return self._refusal[:].rstrip(b"\0").decode(errors="replace")

    def forget(self) -> None:
        """Begin again with nothing refused."""
        self._refusal[:] = bytes(MAX_TEXT)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        path = os.path.abspath(os.fsdecode(arguments[0]))
        if arguments[2] & (os.O_WRONLY | os.O_TRUNC):
            self._made.add(os.path.realpath(path))
        else:
            self._look(path)

    def _look(self, path: str) -> None:
        file = os.path.realpath(path)
        if not any(at.startswith(folder) for folder in self._watched for at in (path, file)) or self._may_open(file):
            return
        if (where := next(self._places(), None)) is not None:
            text = (
                f"{where}: opens {path}, which nothing names, so nobody would see an edit of it; let an option name "
                "it, or list it in FILES (docs/how-to/extend.md), or keep it in another folder if it decides nothing"
            )
            if not self.refused:
                content = text.encode(errors="replace")[:MAX_TEXT]
                self._refusal[: len(content)] = content
            raise PermissionError(text)

    def _may_open(self, file: str) -> bool:
        if file in self._named | self._made | self._code or MADE_ANEW in Path(file).parts:
            return True
        if file.endswith(CODE) and (file.startswith(OURS) or self._is_import()):
            return True
        if is_installed(Path(file)) or any(map(file.startswith, self._left_out)):
            return True
        return not os.path.isfile(file) or os.stat(file).st_ctime_ns >= self._began

    def _is_import(self) -> bool:
        """Whether a file is opened for an import, of which the module is looked at apart (fingerprint.unlisted).

        Code that is run from its file by other means leaves no module behind that tells of it.
        """
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and os.path.abspath(frame.f_code.co_filename) not in self._own:
            if frame.f_code.co_name == "_find_and_load" and frame.f_code.co_filename == IMPORTS:
                return True
            frame = frame.f_back
        return False

    def _places(self) -> Iterator[str]:
        """Where the user's code stands at this moment, if it does, innermost first.

        A thread is the user's, too, where nothing of lmia's is on its way: then its function is a library's.
        """
        frame: FrameType | None = sys._getframe(1)
        files = []
        while frame is not None:
            files.append(os.path.abspath(frame.f_code.co_filename))
            if files[-1] in self._own:
                yield f"{files[-1]}, line {frame.f_lineno}"
            frame = frame.f_back
        if threading.current_thread() is not threading.main_thread() and not any(
            file.startswith(OURS) and file != __file__ for file in files
        ):
            yield "a thread of a plug-in"


def _of_programs(watched: Iterable[str]) -> list[str]:
    """Folders of a home that is watched, in which programs keep what is theirs: settings, and caches of libraries."""
    home, real = os.path.realpath(os.path.expanduser("~")), [_inside(os.path.realpath(folder)) for folder in watched]
    if not os.path.isdir(home) or not any(_inside(home).startswith(folder) for folder in real):
        return []
    hidden = [_inside(entry.path) for entry in os.scandir(home) if entry.name.startswith(".")]
    return [folder for folder in hidden if not any(own.startswith(folder) for own in real)]


def _data_cache() -> str:
    """The folder of original files that the environment names, "" for none."""
    return os.path.expanduser(os.environ.get(DATA_CACHE, ""))


def _now() -> int:
    """The time by the clock that files of the working folder get theirs from, in ns: it may lag behind ours."""
    with tempfile.NamedTemporaryFile(dir=".", prefix=".now") as file:
        return os.stat(file.name).st_ctime_ns


def folders_in(value: Any, beside: Iterable[Path]) -> Iterator[str]:
    """Paths of all folders that options of plug-ins name, from the working folder or beside files of a user's code.

    value: nested; entries of plug-ins are dicts with a dotted `kind`. An option names a folder by a "/".
    """
    if isinstance(value, dict) and "." in str(value.get("kind", "")):
        for text in texts_in([part for name, part in value.items() if name != "kind"]):
            if os.sep in text and "\0" not in text:
                path = os.path.expanduser(text)
                yield from filter(os.path.isdir, [path, *(os.path.join(file.parent, path) for file in beside)])
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from folders_in(part, beside)


def texts_in(value: Any) -> Iterator[str]:
    """All texts in a nested value, but for keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts_in(part)
