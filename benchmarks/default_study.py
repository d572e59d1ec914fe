"""CPU seconds of the default study, of a changed rule, and of nothing to do, beside those of another revision.

Runs both in turn, in copies of their committed files, and prints a Markdown table, with how many results differ in a
byte: python benchmarks/default_study.py REVISION [rounds]
Python keeps bytecode there, as it does unless PYTHONDONTWRITEBYTECODE is set.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from study_runs import ROOT, count_differing, result_bytes, spend

RULE = "reads: boundary, budgets: [25, 50, 100, 250, 500]"
CHANGED = "reads: boundary, budgets: [25, 50, 100, 250]"


def snakemake(folder):
    """(CPU s of Snakemake and all its processes, wall s) of a run."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    told = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return spend(command, cwd=folder, env=environment, **told)


def measured(revision, folder):
    """[(what was run, CPU s, wall s, results)] of a revision in a folder."""
    archive = subprocess.run(["git", "archive", revision], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    subprocess.run(["tar", "-x"], cwd=folder, check=True, input=archive)
    rows = [("the default study", *snakemake(folder), result_bytes(folder))]
    config = folder / "config.yaml"
    text = config.read_text()
    assert RULE in text
    config.write_text(text.replace(RULE, CHANGED))
    rows.append(("other budgets of an attack", *snakemake(folder), result_bytes(folder)))
    rows.append(("nothing to do", *min(snakemake(folder) for _ in range(3)), {}))
    return rows


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    revision, rounds = sys.argv[1], int((sys.argv[2:3] or ["1"])[0])
    print(f"| run | {revision}: CPU s, wall s | now: CPU s, wall s | ratio of CPU | files, of which differ |")
    print("| --- | ---: | ---: | ---: | ---: |", flush=True)
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            pairs = zip(measured(revision, Path(one)), measured("HEAD", Path(other)), strict=True)
            for (name, cpu, wall, before), (_, own_cpu, own_wall, after) in pairs:
                times = f"{cpu:.1f}, {wall:.0f} | {own_cpu:.1f}, {own_wall:.0f} | {cpu / own_cpu:.2f}"
                print(f"| {name} | {times} | {len(before)}, {count_differing(before, after)} |", flush=True)


if __name__ == "__main__":
    main()
