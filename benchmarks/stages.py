"""What each stage of a finished study cost, from the files that Snakemake's `benchmark:` directives left.

Prints a Markdown table: jobs, wall and CPU seconds of each folder of results/benchmarks. Snakemake samples CPU time, so
jobs of under half a second count as 0. Run from the repository root after a study: python benchmarks/stages.py
"""

from pathlib import Path

import pandas as pd

FOLDER = Path("results/benchmarks")


def main():
    rows = [
        pd.read_csv(file, sep="\t").assign(stage=file.relative_to(FOLDER).parts[0]) for file in FOLDER.rglob("*.tsv")
    ]
    if not rows:
        raise SystemExit(f"{FOLDER}: no measurements; run `snakemake --cores 2` first")
    table = pd.concat(rows)
    table["stage"] = table["stage"].str.removesuffix(".tsv")
    table["cpu_time"] = pd.to_numeric(table["cpu_time"], errors="coerce")  # a job without a sample has none
    stages = table.groupby("stage").agg(jobs=("s", "size"), wall=("s", "sum"), cpu=("cpu_time", "sum"))
    stages.loc["all"] = stages.sum()
    print("| stage | jobs | wall s | CPU s |\n| --- | ---: | ---: | ---: |")
    for stage, (jobs, wall, cpu) in stages.sort_values("cpu").iterrows():
        print(f"| {stage} | {jobs:.0f} | {wall:.1f} | {cpu:.1f} |")


if __name__ == "__main__":
    main()
