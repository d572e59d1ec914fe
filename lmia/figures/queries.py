"""Accuracy against queries per example, on a logarithmic axis (figure 2c of the paper)."""

import pandas as pd
from matplotlib.ticker import FuncFormatter

from lmia.evaluation.metrics_table import select_cell
from lmia.figures import style


def plot(table, settings):
    """table: of `read_metrics`; settings: a figure's entry, attacks as curves and lines as level lines."""
    figure, ax = style.axes(settings, height=3)
    rows, shown = select_cell(table, "accuracy", settings), []
    for number, attack in enumerate(settings["attacks"]):
        at_budget = rows["setting"].eq("") | rows["setting"].str.startswith("budget=")
        curve = rows[(rows["attack"] == attack) & at_budget].sort_values("queries")
        colour = style.colour(attack)
        ax.plot(curve["queries"], curve["value"], style.line(attack, number), color=colour, label=style.label(attack))
        ax.fill_between(curve["queries"], curve["ci_low"], curve["ci_high"], color=colour, alpha=0.15, linewidth=0)
        if len(curve) == 1:  # a band of no width
            ax.vlines(curve["queries"], curve["ci_low"], curve["ci_high"], color=colour, linewidth=1)
        style.stars(ax, curve["queries"], curve["value"], curve["flags"])
        shown.append(curve)
    lines = rows[rows["attack"].isin(settings["lines"]) & (rows["setting"] == "")]
    for _, row in lines.iterrows():
        style.level_line(ax, row)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    style.percent(ax.yaxis)
    ax.set_xlabel("queries per example, as counted")
    style.explain(ax, pd.concat([*shown, lines]))
    ax.set_ylabel("attack accuracy (%)")
    ax.grid(axis="y")
    figure.legend(loc="outside lower center", ncols=min(3, len(settings["attacks"])), columnspacing=1)
    return figure
