"""CPU time of a finished study's jobs, and the share of it that pays for starting processes.

Snakemake starts a process per job; one process would do the same work with one start. The study is run again and its
CPU time counted; the start of each script is measured by running its imports alone; the work is what remains. Run from
the repository root: python benchmarks/one_process.py
"""

import ast
import re
import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def cpu(command):
    """CPU seconds, user and system, of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def imports_of(script):
    """The import statements of a script as source."""
    body = ast.parse((ROOT / "workflow/scripts" / f"{script}.py").read_text()).body
    return "\n".join(ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom))


def main():
    total = cpu([sys.executable, "-m", "snakemake", "--cores", "2", "--forceall"])
    plan = subprocess.run(
        [sys.executable, "-m", "snakemake", "-n", "--forceall"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    table = plan.partition("Job stats:")[2].partition("Reasons:")[0]
    jobs = Counter({name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", table, re.M)})
    del jobs["all"], jobs["total"]
    starts = {script: min(cpu([sys.executable, "-c", imports_of(script)]) for _ in range(3)) for script in jobs}
    starting = sum(n * starts[script] for script, n in jobs.items())
    alone = total - starting + max(starts.values())
    print(f"{total:.0f} s of CPU for {sum(jobs.values())} jobs, of which {starting:.0f} s start processes")
    print(f"one process: {alone:.0f} s at most; ratio {total / alone:.2f} (scheduling is counted as work)")


if __name__ == "__main__":
    main()
