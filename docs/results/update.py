"""Keep what a finished study found: the rows over seeds of results/metrics.csv, and the default study's figures.

Run from the repository root: python docs/results/update.py after `snakemake --cores 2`, and
python docs/results/update.py fresh-seeds after `snakemake --cores 2 --configfile docs/results/fresh-seeds.yaml`.
"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from lmia.tables import ALL_SEEDS, read_metrics  # noqa: E402


def main(name="default-study"):
    table = read_metrics(ROOT / "results/metrics.csv")
    rows = table[table["seed"] == ALL_SEEDS]
    rows.to_csv(ROOT / f"docs/results/{name}.csv", index=False, float_format="%.4g")
    if name == "default-study":
        for figure in sorted((ROOT / "results/figures").glob("*.png")):
            shutil.copy(figure, ROOT / "docs/figures" / figure.name)


if __name__ == "__main__":
    main(*sys.argv[1:])
