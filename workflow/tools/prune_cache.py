"""What a shared cache holds, and what of it nobody has used for long: `python -m workflow.tools.prune_cache --help`."""

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

Found = tuple[Path, os.stat_result]
DAY = 86400.0  # s
LEFTOVERS = (".part", ".lock")  # of jobs that were killed; a living one holds its lock


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Count the results of a shared cache, and remove unused ones.")
    parser.add_argument("folder", nargs="?", default=os.environ.get("LMIA_CACHE"), help="default: LMIA_CACHE")
    parser.add_argument("--prune", type=float, metavar="DAYS", help="remove what was neither made nor taken since")
    options = parser.parse_args(arguments)
    folder, now = Path(os.path.expanduser(options.folder or "")), time.time()
    if not options.folder or not os.path.isdir(folder):
        sys.exit(f"{options.folder}: no such folder; name that of a cache, or set LMIA_CACHE")
    results, leftovers = [], []
    for file in folder.glob("[0-9a-f][0-9a-f]/*"):
        with contextlib.suppress(FileNotFoundError):  # it has ended just now
            found = file, file.stat()
            if file.suffix == ".npz":
                results.append(found)
            elif file.suffix in LEFTOVERS:
                leftovers.append(found)
    print(f"{folder}: {_summary(results)}")
    if options.prune is not None:
        unused = [found for found in results if now - found[1].st_mtime > options.prune * DAY]
        old = [found for found in leftovers if now - found[1].st_mtime > DAY]
        kept = [*_remove(unused), *_remove(old)]
        print(f"removed: {_summary([found for found in unused if found not in kept])}")
        if kept:
            sys.exit(f"{len(kept)} files could not be removed, the first of them {kept[0][0]}: ask its owner")


def _remove(found: list[Found]) -> Iterator[Found]:
    """Remove files, but no lock that a job holds; yields those that cannot be removed."""
    for file, stat in found:
        try:
            with _locked(file) if file.suffix == ".lock" else contextlib.nullcontext():
                file.unlink(missing_ok=True)
        except Timeout:  # the job that holds it is at work
            continue
        except OSError:  # another user's, in a folder that does not let it be removed
            yield file, stat


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold a lock, so that no job takes it while it is removed; Timeout where a job has it."""
    lock = FileLock(file, timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except (Timeout, PermissionError):
        raise
    except OSError:  # no file system with locks, or no regular file: nobody has it
        pass
    try:
        yield
    finally:
        lock.release()


def _summary(results: list[Found]) -> str:
    return f"{len(results)} results, {sum(stat.st_size for _, stat in results) / 1e9:.1f} GB"


if __name__ == "__main__":
    main()
