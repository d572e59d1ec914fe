"""CPU time of a finished study's jobs, and the share of it that pays for starting processes and for scheduling.

Snakemake starts a process per job; one process would do the same work with one start. The study is run again and its
CPU time counted, Snakemake's own apart from the jobs'. The start of each script is measured by running its imports
alone, once without and once with what Snakemake imports ahead of them. What one process would need lies between two
bounds: at most the total without the imports, at least the jobs alone without all that their start costs. Run from the
repository root: python benchmarks/one_process.py
"""

import ast
import re
import subprocess
import sys
from collections import Counter

from study_runs import ROOT, spend


def imports_of(script):
    """The import statements of a script as source."""
    body = ast.parse((ROOT / "workflow/scripts" / f"{script}.py").read_text()).body
    return "\n".join(ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom))


# What Snakemake puts ahead of a script, and itself with its CPU time printed at the end, the jobs' apart.
PREAMBLE = "import pickle; from snakemake.logging import logger; from snakemake.iocontainers import Snakemake\n"
SNAKEMAKE = """
import atexit, resource
from snakemake.cli import main
def seconds(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime
atexit.register(lambda: print("CPU", seconds(resource.RUSAGE_SELF), seconds(resource.RUSAGE_CHILDREN)))
main()
"""


def snakemake(*arguments):
    """What Snakemake printed, with a line "CPU <its own seconds> <its jobs' seconds>"."""
    command = [sys.executable, "-c", SNAKEMAKE, *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def start(source):
    """CPU seconds of Python that runs this alone."""
    cpu, _ = spend([sys.executable, "-c", source], cwd=ROOT, capture_output=True)
    return cpu


def starts(jobs, preamble=""):
    """(CPU seconds to start all jobs, of the dearest start alone)."""
    each = {script: min(start(preamble + imports_of(script)) for _ in range(3)) for script in jobs}
    return sum(n * each[script] for script, n in jobs.items()), max(each.values())


def main():
    table = snakemake("-n", "--forceall").partition("Job stats:")[2].partition("Reasons:")[0]
    jobs = Counter({name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", table, re.M)})
    del jobs["all"], jobs["total"]
    found = re.search(r"^CPU (\S+) (\S+)$", snakemake("--cores", "2", "--forceall"), re.M)
    scheduling, working = map(float, found.groups())
    total = scheduling + working
    print(f"{total:.0f} s of CPU for {sum(jobs.values())} jobs, {scheduling:.0f} s of them Snakemake's own")
    imports, one = starts(jobs)
    print(f"imports: {imports:.0f} s; one process at most {total - imports + one:.0f} s", end="; ")
    print(f"ratio at least {total / (total - imports + one):.2f} (scheduling and preambles counted as work)")
    imports, one = starts(jobs, PREAMBLE)
    print(f"imports with preambles: {imports:.0f} s; one process at least {working - imports + one:.0f} s", end="; ")
    print(f"ratio at most {total / (working - imports + one):.2f} (neither counted as work)")


if __name__ == "__main__":
    main()
