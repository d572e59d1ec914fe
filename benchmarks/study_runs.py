"""Studies that are run anew: what they take, with all processes that they start, and which bytes come out."""

import resource
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Folders of results/ that are no results. A checksum differs where its file does, which is counted already.
APART = (".partial", ".store", ".runs", "logs", "benchmarks", "checksums")


def spend(command, **options):
    """(CPU s, user and system, wall s) of a command and all that it starts; options are those of `subprocess.run`.

    Raises CalledProcessError where it fails.
    """
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, **options)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - start
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def result_bytes(folder):
    """Path below results/ -> bytes, of the study in a folder."""
    results = folder / "results"
    files = [file for file in results.rglob("*") if file.is_file() and file.relative_to(results).parts[0] not in APART]
    return {str(file.relative_to(results)): file.read_bytes() for file in files}


def count_differing(one, other):
    """How many files of two studies' `result_bytes` differ in a byte, or are in one of them alone."""
    return sum(one.get(name) != other.get(name) for name in one.keys() | other.keys())
