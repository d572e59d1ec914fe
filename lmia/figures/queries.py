"""Accuracy, or another metric, against queries per example on a logarithmic axis (figure 2c of the paper)."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.ticker import FuncFormatter

from lmia.evaluation.metrics_table import select_cell
from lmia.figures import curves, style


@style.look()
def plot(table: pd.DataFrame, options: Mapping[str, Any]) -> style.Drawn:
    """table: of `read_metrics`; options: a figure's entry, attacks as curves and lines as level lines.

    The metric is drawn as `curves.draw` says, true-positive rates of 0 as open markers at the lower edge.
    """
    rows = select_cell(table, options["metric"], options)
    rows = rows.loc[rows["setting"].eq("") | rows["setting"].str.startswith("budget=")].assign(x=rows["queries"])
    of_attacks = {name: rows.loc[rows["attack"] == name].sort_values("x") for name in options["attacks"]}
    lines = rows.loc[rows["attack"].isin(options["lines"]) & (rows["setting"] == "")]
    figure, ax, told = curves.draw(table, options, of_attacks, lines, "queries per example, as counted")
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    style.finish(figure)
    return style.Drawn(figure, told)
