"""Keep what a finished default study found: its figures in docs/figures, its rows over seeds in default-study.csv.

Run from the repository root after `snakemake --cores 2`: python docs/results/update.py
"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from lmia.tables import ALL_SEEDS, read_metrics  # noqa: E402


def main():
    table = read_metrics(ROOT / "results/metrics.csv")
    rows = table[table["seed"] == ALL_SEEDS]
    rows.to_csv(ROOT / "docs/results/default-study.csv", index=False, float_format="%.4g")
    for figure in sorted((ROOT / "results/figures").glob("*.png")):
        shutil.copy(figure, ROOT / "docs/figures" / figure.name)


if __name__ == "__main__":
    main()
