"""A lock that the kernel takes from a process which ends, however it ends."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

MISSING = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK)  # what file systems without locks answer


@contextlib.contextmanager
def locked(path: str | Path, advice: str) -> Iterator[None]:
    """Hold the lock on a file, which is made if need be, and wait while another process has it.

    advice: what to do where the file system has no such locks. Raises OSError then: a file that stands for a lock would
    outlast a job that was killed on another machine, and the others would wait for ever.
    """
    try:
        held = FileLock(path, fallback_to_soft=False).acquire()
    except OSError as error:
        if error.errno not in MISSING:
            raise
        raise OSError(f"{path}: its file system has no locks ({error.strerror}); {advice}") from error
    with held:
        yield
