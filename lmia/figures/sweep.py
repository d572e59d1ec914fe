"""Accuracy against the magnitude of a perturbation (figures 2a and 2b of the paper)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lmia.evaluation.metrics_table import magnitudes, select_cell
from lmia.figures import style


@style.look()
def plot(table: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """table: of `read_metrics`; options: a figure's entry, attacks as curves and lines as level lines;
    axes: unit of the magnitudes -> what the axis says, where that is more than the unit.
    """
    figure, ax = style.axes(options)
    rows, curves = select_cell(table, "accuracy", options), []
    for number, attack in enumerate(options["attacks"]):
        curve = rows.loc[
            (rows["attack"] == attack) & rows["setting"].str.contains("=") & ~rows["setting"].str.startswith("budget=")
        ]
        x, unit = magnitudes(curve)
        colour = style.colour(attack)
        ax.plot(x, curve["value"], style.line(attack, number), color=colour, label=style.label(attack))
        ax.fill_between(x, curve["ci_low"], curve["ci_high"], color=colour, alpha=0.2, linewidth=0)
        style.stars(ax, x, curve["value"], curve["flags"])
        curves.append(curve)
        ax.set_xlabel(options["axes"].get(unit, unit), parse_math=False)  # a plug-in may have any
    lines = rows.loc[rows["attack"].isin(options["lines"]) & (rows["setting"] == "")]
    for row in lines.to_dict("records"):
        style.level_line(ax, row)
    style.explain(ax, pd.concat([*curves, lines]))
    ax.xaxis.set_major_locator(MaxNLocator(integer=bool(np.all(x == np.round(x)))))
    style.percent(ax.yaxis)
    ax.set_ylabel("attack accuracy (%)")
    ax.grid(axis="y")
    figure.legend(loc="outside lower center", ncols=min(3, len(options["attacks"])), columnspacing=1)
    return figure
