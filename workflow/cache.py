"""What a cache of shared results holds, and what of it nobody has used for long: `python -m workflow.cache --help`."""

import argparse
import os
import sys
import time
from pathlib import Path

DAY = 86400.0  # s
LEFTOVERS = (".part", ".claim")  # of jobs that were killed; living ones move the time of theirs


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Count the results of a shared cache, and remove unused ones.")
    parser.add_argument("folder", nargs="?", default=os.environ.get("LMIA_CACHE"), help="default: LMIA_CACHE")
    parser.add_argument("--prune", type=float, metavar="DAYS", help="remove what was neither made nor taken since")
    options = parser.parse_args(arguments)
    if not options.folder or not Path(options.folder).expanduser().is_dir():
        sys.exit(f"{options.folder}: no such folder; name that of a cache, or set LMIA_CACHE")
    folder, now = Path(options.folder).expanduser(), time.time()
    results, leftovers = [], []
    for file in folder.glob("[0-9a-f][0-9a-f]/*"):
        (leftovers if file.suffix in LEFTOVERS else results).append((file, file.stat()))
    print(f"{folder}: {_told(results)}")
    if options.prune is not None:
        unused = [(file, stat) for file, stat in results if now - stat.st_mtime > options.prune * DAY]
        for file, _ in [*unused, *((file, stat) for file, stat in leftovers if now - stat.st_mtime > DAY)]:
            file.unlink(missing_ok=True)
        print(f"removed: {_told(unused)}")


def _told(results):
    return f"{len(results)} results, {sum(stat.st_size for _, stat in results) / 1e9:.1f} GB"


if __name__ == "__main__":
    main()
