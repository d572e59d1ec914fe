"""Accuracy against queries per example, on a logarithmic axis (figure 2c of the paper)."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from lmia.evaluation.metrics_table import select_cell
from lmia.figures import style


@style.look()
def plot(table: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """table: of `read_metrics`; options: a figure's entry, attacks as curves and lines as level lines."""
    figure, ax = style.axes(options, height=3)
    rows, curves = select_cell(table, "accuracy", options), []
    for number, attack in enumerate(options["attacks"]):
        at_budget = rows["setting"].eq("") | rows["setting"].str.startswith("budget=")
        curve = rows.loc[(rows["attack"] == attack) & at_budget].sort_values("queries")
        colour = style.colour(attack)
        ax.plot(curve["queries"], curve["value"], style.line(attack, number), color=colour, label=style.label(attack))
        ax.fill_between(curve["queries"], curve["ci_low"], curve["ci_high"], color=colour, alpha=0.15, linewidth=0)
        if len(curve) == 1:  # a band of no width
            ax.vlines(curve["queries"], curve["ci_low"], curve["ci_high"], color=colour, linewidth=1)
        style.stars(ax, curve["queries"], curve["value"], curve["flags"])
        curves.append(curve)
    lines = rows.loc[rows["attack"].isin(options["lines"]) & (rows["setting"] == "")]
    for row in lines.to_dict("records"):
        style.level_line(ax, row)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    style.percent(ax.yaxis)
    ax.set_xlabel("queries per example, as counted")
    style.explain(ax, pd.concat([*curves, lines]))
    ax.set_ylabel("attack accuracy (%)")
    ax.grid(axis="y")
    figure.legend(loc="outside lower center", ncols=min(3, len(options["attacks"])), columnspacing=1)
    return figure
