"""Keep what a finished study found: the rows over seeds of results/metrics.csv, and figures that the pages show.

Run from the repository root after `snakemake --cores 2`: python -m workflow.tools.copy_results_to_docs
And after `snakemake --cores 2 --configfile docs/results/configs/fresh-seeds.yaml`:
python -m workflow.tools.copy_results_to_docs fresh-seeds
Figures of a name go to docs/figures/NAME, where there is such a folder.
"""

import shutil
import sys
from pathlib import Path

from lmia.evaluation.metrics_table import ALL_SEEDS, read_metrics

ROOT = Path(__file__).resolve().parents[2]


def main(name: str = "default-study") -> None:
    table = read_metrics(ROOT / "results/metrics.csv")
    rows = table[table["seed"] == ALL_SEEDS]
    rows.to_csv(ROOT / f"docs/results/data/{name}.csv", index=False, float_format="%.4g")
    folder = ROOT / "docs/figures" / ("" if name == "default-study" else name)
    if folder.exists():
        for figure in sorted((ROOT / "results/figures").glob("*.png")):
            shutil.copy(figure, folder / figure.name)


if __name__ == "__main__":
    main(*sys.argv[1:])
