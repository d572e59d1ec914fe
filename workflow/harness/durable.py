"""Files that are whole under their name, or not there, also after a loss of power and on another file system."""

import contextlib
import errno
import os
import shutil
import uuid
from pathlib import Path


def move(source: str | Path, target: str | Path) -> None:
    """Rename a file, also to another file system, as where a folder of results is a link to a larger disk."""
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(source, target)
    with contextlib.suppress(OSError):  # there are file systems that cannot
        sync(Path(target).parent)


def _copy(source: str | Path, target: str | Path) -> None:
    """The same by a copy beside the target; OSError where the source has gone meanwhile."""
    beside = f"{target}.{uuid.uuid4().hex}.part"
    try:
        shutil.copyfile(source, beside)
        sync(beside)
        os.rename(source, f"{source}.copied")  # fails where a later attempt has begun
        os.replace(beside, target)
    finally:
        Path(beside).unlink(missing_ok=True)


def sync(path: str | Path) -> None:
    """Have a file on the disk: or else a loss of power could leave its name and no content."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
