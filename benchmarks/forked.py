"""What forking jobs saves: CPU seconds of the default study with it and without, in turn, and whether bytes differ.

Runs in copies of the checkout, and prints a Markdown table: python benchmarks/forked.py [rounds [argument ...]], where
arguments are Snakemake's.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = ("Snakefile", "lmia", "workflow", "profiles", "config", "config.yaml")
APART = (".partial", ".store", ".runs", "logs", "benchmarks")  # folders that are no results


def run(fork, arguments, folder):
    """(CPU s, wall s, path -> bytes) of a study in a folder, Snakemake and all its processes counted."""
    for part in PARTS:
        (shutil.copytree if (ROOT / part).is_dir() else shutil.copy2)(ROOT / part, folder / part)
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    environment = {**os.environ, "LMIA_FORK": fork}
    subprocess.run(
        command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - start
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    results = folder / "results"
    files = [file for file in results.rglob("*") if file.is_file() and file.relative_to(results).parts[0] not in APART]
    return cpu, wall, {str(file.relative_to(results)): file.read_bytes() for file in files}


def main():
    rounds, arguments = int((sys.argv[1:2] or ["1"])[0]), sys.argv[2:]
    print("| round | forked: CPU s, wall s | started anew: CPU s, wall s | ratio of CPU | files, of which differ |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for number in range(1, rounds + 1):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            forked, forked_wall, files = run("1", arguments, Path(one))
            anew, anew_wall, expected = run("0", arguments, Path(other))
        differ = sum(files.get(name) != expected.get(name) for name in files.keys() | expected.keys())
        times = f"{forked:.0f}, {forked_wall:.0f} | {anew:.0f}, {anew_wall:.0f} | {anew / forked:.2f}"
        print(f"| {number} | {times} | {len(expected)}, {differ} |", flush=True)


if __name__ == "__main__":
    main()
