"""What it takes Snakemake to plan studies of 2,600 to 100,000 jobs: CPU time and memory of a dry run.

Plans config/paper-archives.yaml, which has all of the paper's undefended results, and generated studies of 5 sizes, 13
defenses, the attacks of cifar10-sizes and as many seeds as it takes: one seed a job, in blocks of seeds, and in part.
Prints a table, and writes each row into a CSV, in the place of the plan's earlier one. Nothing is run: the time of jobs
is not in it. Time on the clock is the machine's at that moment, CPU time the program's. Run from the repository root:
python benchmarks/plans.py [names of plans, default all]
"""

import argparse
import csv
import os
import platform
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "benchmarks/results/plans.csv"
LIMIT = 15 * 60  # s of CPU
COLUMNS = ("plan", "jobs", "cpu_s", "wall_s", "peak_mb", "ended", "machine")
TABLE, BATCH = "results/tables/grid.csv", "tabulate_study=1/10"
PLANS = {  # name -> (seeds, seeds in a block, what is asked for); None: config/paper-archives.yaml
    "config/paper-archives.yaml": (None, None, ["all"]),
    "5 seeds, one a job": (5, 1, [TABLE]),
    "5 seeds in one block": (5, 5, [TABLE]),
    "50 seeds in one block": (50, 50, [TABLE]),
    "50 seeds in blocks of 10": (50, 10, [TABLE]),
    "50 seeds in blocks of 5": (50, 5, [TABLE]),
    "50 seeds, one a job, a tenth of them: --batch tabulate_study=1/10": (50, 1, [TABLE, "--batch", BATCH]),
    "50 seeds, one a job": (50, 1, [TABLE]),
}


def paper(_seeds, _block):
    """Hashes for the two archives that need one before anything is planned."""
    return {"datasets": {name: {"sha256": "0" * 64} for name in ("purchase", "texas")}}


def grid(seeds, block):
    """A configuration over the paper's with one large study alone."""
    given = yaml.safe_load((ROOT / "config/paper.yaml").read_text())
    defenses = {f"l2-{number}": {"kind": "l2", "strength": 0.001 * number} for number in range(1, 13)}
    study = {
        **given["studies"]["cifar10-sizes"],
        "n_train": [100, 500, 1000, 5000, 10000],
        "defenses": ["none", *defenses],
        "seeds": [f"{first}-{first + block - 1}" if block > 1 else first for first in range(0, seeds, block)],
    }
    gone = {section: dict.fromkeys(given[section]) for section in ("studies", "figures", "exhibits")}
    return gone | {"defenses": defenses, "studies": gone["studies"] | {"grid": study}}


def plan(name):
    """One row: a dry run in an empty folder, where nothing has been made yet."""
    seeds, block, wanted = PLANS[name]
    with tempfile.TemporaryDirectory() as folder:
        for file in ("config.yaml", "config"):
            (Path(folder) / file).symlink_to(ROOT / file)
        whole = "config/paper.yaml" if seeds else "config/paper-archives.yaml"
        overlay = {"base": whole} | (grid if seeds else paper)(seeds, block)
        (Path(folder) / "overlay.yaml").write_text(yaml.safe_dump(overlay))
        command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "rules", "--snakefile", ROOT / "Snakefile"]
        command += [*wanted, "--configfile", whole, "overlay.yaml"]
        with open(Path(folder) / "out.txt", "w+") as out:
            start = time.monotonic()
            process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, preexec_fn=_limit)
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.monotonic() - start
            out.seek(0)
            text = out.read()
    stopped = os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)
    if status and not stopped:
        raise SystemExit(f"{name}: the dry run failed:\n{text[-3000:]}")
    jobs = re.search(r"^total +(\d+)$", text, re.M)
    cpu, ended = usage.ru_utime + usage.ru_stime, f"stopped after {LIMIT} s of CPU" if stopped else "done"
    n_jobs, megabytes = jobs.group(1) if jobs else "", round(usage.ru_maxrss / 1024)
    return name, n_jobs, round(cpu, 1), round(wall, 1), megabytes, ended, machine()


def machine():
    info = Path("/proc/cpuinfo")
    models = re.findall(r"^model name\s*: (.*)$", info.read_text(), re.M) if info.exists() else []
    return f"{models[0] if models else platform.processor()}, {os.cpu_count()} cores"


def earlier():
    """Name -> row of what was measured before, but for plans that are none any more."""
    if not OUT.exists():
        return {}
    with open(OUT, newline="") as file:
        return {row["plan"]: [row[key] for key in COLUMNS] for row in csv.DictReader(file) if row["plan"] in PLANS}


def write(rows):
    """All rows, in the order of PLANS."""
    with open(OUT, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *(rows[name] for name in PLANS if name in rows)])


def _limit():
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plans", nargs="*", help=f"default all: {', '.join(PLANS)}")
    names = parser.parse_args(arguments).plans or list(PLANS)
    if unknown := [name for name in names if name not in PLANS]:
        parser.error(f"no such plan: {', '.join(unknown)}; there are: {', '.join(PLANS)}")
    print(*COLUMNS, sep=" | ")
    for name in names:
        row = plan(name)
        print(*row, sep=" | ", flush=True)
        write(earlier() | {name: row})


if __name__ == "__main__":
    main()
