"""Keep what a finished study found: the rows over seeds of results/metrics.csv, and figures that the pages show.

Run from the repository root after `snakemake --cores 2`: python -m workflow.tools.copy_results_to_docs
And after `snakemake --cores 2 --configfile docs/results/configs/fresh-seeds.yaml`:
python -m workflow.tools.copy_results_to_docs fresh-seeds
Figures that a page shows go to docs/figures/, those of a name to docs/figures/NAME, where there is such a folder.
With --metrics, rows of those alone are kept whose names begin so, as of pools under many defenses:
python -m workflow.tools.copy_results_to_docs defended-pools --metrics accuracy auc tpr canary_auc canary_tpr test \\
    epsilon
"""

import argparse
import shutil
from collections.abc import Sequence

from lmia.evaluation.metrics_table import ALL_SEEDS, read_metrics
from workflow.harness.fingerprint import ROOT


def main(name: str, metrics: Sequence[str]) -> None:
    """metrics: what names of metrics begin with; of none, all rows are kept."""
    table = read_metrics(ROOT / "results/metrics.csv")
    rows = table[table["seed"].eq(ALL_SEEDS) & table["metric"].str.startswith(tuple(metrics) or "")]
    rows.to_csv(ROOT / f"docs/results/data/{name}.csv", index=False, float_format="%.4g")
    folder = ROOT / "docs/figures" / ("" if name == "default-study" else name)
    pages = "".join(page.read_text() for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
    for figure in sorted((ROOT / "results/figures").glob("*.png")):
        if folder.exists() and f"{folder.relative_to(ROOT / 'docs')}/{figure.name}" in pages:
            shutil.copy(figure, folder / figure.name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", nargs="?", default="default-study", help="of the files")
    parser.add_argument("--metrics", nargs="*", default=[], help="beginnings of names; default: all")
    args = parser.parse_args()
    main(args.name, args.metrics)
