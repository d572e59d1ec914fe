"""Draw the figures of a page of results again, from the rows that are kept beside it in docs/results/data/.

Run from the repository root, with the files that were given to Snakemake's --configfile:
python -m workflow.tools.redraw_figures docs/results/configs/first-runs.yaml \\
    --rows docs/results/data/first-runs-attacks.csv
It draws those alone whose rows are kept: no ROCs, histograms and galleries, and none with the models' own accuracies.
Beside each lies its caption, for the page.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pandas as pd

from lmia import plugins
from lmia.attacks.observations import OBSERVATIONS
from lmia.evaluation.metrics_table import read_metrics
from lmia.figures.style import save
from workflow.config.load import load
from workflow.config.schema.configuration import Config

OF_ATTACKS = ("bars", "sweep", "queries", "shadows", "sizes")  # kinds that need no rows of models


def main(files: Sequence[str], rows: Sequence[str], into: Path, prefix: str) -> None:
    config = load(*files)
    table = kept(rows, config)
    into.mkdir(parents=True, exist_ok=True)
    for name, figure in config.figures.items():
        if figure.kind in OF_ATTACKS and set(figure.all_studies()) <= set(table["study"]):
            drawn = plugins.load("figures", figure.kind).plot(table, figure.params(config))
            stem = f"{prefix}{name}"
            save(drawn, SimpleNamespace(png=into / f"{stem}.png", pdf=None, caption=into / f"{stem}.txt"))
            print(stem)


def kept(files: Sequence[str], config: Config) -> pd.DataFrame:
    """The rows of files as one table, with the access that each attack has."""
    table = pd.concat(map(read_metrics, files), ignore_index=True)
    access = {name: OBSERVATIONS[config.query_of(name).observation].access for name in config.attacks}
    return table.assign(access=[access.get(name, "") for name in table["attack"]])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", help="configuration files")
    parser.add_argument("--rows", nargs="+", required=True, help="tables of rows")
    parser.add_argument("--into", type=Path, default=Path("docs/figures/paper"))
    parser.add_argument("--prefix", default="", help="of the names of files")
    main(**vars(parser.parse_args()))
