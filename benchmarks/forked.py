"""What forking jobs saves: CPU seconds of the default study with it and without, in turn, and whether bytes differ.

Runs in copies of the checkout, and prints a Markdown table: python benchmarks/forked.py [rounds [argument ...]], where
arguments are Snakemake's.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from study_runs import ROOT, count_differing, result_bytes, spend

PARTS = ("Snakefile", "lmia", "workflow", "profiles", "config", "config.yaml")


def run(fork, arguments, folder):
    """(CPU s, wall s, path -> bytes) of a study in a folder, Snakemake and all its processes counted."""
    for part in PARTS:
        (shutil.copytree if (ROOT / part).is_dir() else shutil.copy2)(ROOT / part, folder / part)
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    told = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return *spend(command, cwd=folder, env={**os.environ, "LMIA_FORK": fork}, **told), result_bytes(folder)


def main():
    rounds, arguments = int((sys.argv[1:2] or ["1"])[0]), sys.argv[2:]
    print("| round | forked: CPU s, wall s | started anew: CPU s, wall s | ratio of CPU | files, of which differ |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for number in range(1, rounds + 1):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            forked, forked_wall, files = run("1", arguments, Path(one))
            anew, anew_wall, expected = run("0", arguments, Path(other))
        times = f"{forked:.0f}, {forked_wall:.0f} | {anew:.0f}, {anew_wall:.0f} | {anew / forked:.2f}"
        print(f"| {number} | {times} | {len(expected)}, {count_differing(files, expected)} |", flush=True)


if __name__ == "__main__":
    main()
