"""What each rule asked for beside what its jobs used: `python -m workflow.tools.resource_usage [results/benchmarks]`.

Reads the benchmark files, which hold both (`benchmark-extended` in profiles/default). Memory is sampled every half a
minute, at first every half a second, so the peak of a job of seconds may be missed. Exit code 1: a job used more than
was asked for, and lived only because nobody enforced it.
"""

import ast
import csv
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

Job = tuple[float, float, float, float]  # memory asked for and used, MB; time asked for and used, min
HEADER = ("rule", "jobs", "memory MB: asked", "used", "time min: asked", "used", "")


def records(folder: str | Path) -> dict[str, list[Job]]:
    """Rule -> one (memory asked, used, time asked, used) per job, in MB and minutes."""
    found = defaultdict(list)
    for file in sorted(Path(folder).rglob("*.tsv")):
        with open(file, newline="") as lines:
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                if "resources" in row:  # others were written before, or by `--workflow-profile none`
                    asked = ast.literal_eval(row["resources"])
                    used = 0 if row["max_rss"] == "NA" else float(row["max_rss"])  # NA: too short to be sampled
                    found[row["rule_name"]].append((asked["mem_mb"], used, asked["runtime"], float(row["s"]) / 60))
    return found


def table(found: dict[str, list[Job]]) -> Iterator[tuple]:
    """One row per rule: the smallest request and the largest use of its jobs, and which of them was too small."""
    for rule, jobs in sorted(found.items()):
        memory, used_memory, time, used_time = zip(*jobs, strict=True)
        exceeded = [job for job in jobs if job[1] > job[0] or job[3] > job[2]]
        remark = f"{len(exceeded)} used more than asked for" if exceeded else ""
        yield rule, len(jobs), min(memory), round(max(used_memory)), min(time), round(max(used_time), 1), remark


def main(folder: str | Path = "results/benchmarks") -> None:
    found = records(folder)
    if not found:
        sys.exit(f"{folder}: no benchmark file that says what was asked for; run a job with profiles/default first")
    rows = [HEADER, *(tuple(map(str, row)) for row in table(found))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    sys.exit(any(row[-1] for row in rows[1:]))


if __name__ == "__main__":
    main(*sys.argv[1:])
