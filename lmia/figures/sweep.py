"""Accuracy against the magnitude of a perturbation (figures 2a and 2b of the paper)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from lmia.evaluation.metrics_table import magnitudes, select_cell
from lmia.figures import remarks, style


@style.look()
def plot(table: pd.DataFrame, options: Mapping[str, Any]) -> style.Drawn:
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
        style.curve(ax, x, curve, style.line(attack, number), style.colour(attack), style.label(attack))
        curves.append(curve)
        ax.set_xlabel(options["axes"].get(unit, unit), parse_math=False)  # a plug-in may have any
    lines = rows.loc[rows["attack"].isin(options["lines"]) & (rows["setting"] == "")]
    for row in lines.to_dict("records"):
        style.level_line(ax, row)
    ax.xaxis.set_major_locator(MaxNLocator(integer=bool(np.all(x == np.round(x)))))
    style.percent(ax.yaxis)
    ax.set_ylabel("attack accuracy (%)")
    ax.grid(axis="y")
    style.finish(figure)
    shown = pd.concat([*curves, lines])
    flagged = remarks.flagged(shown, "Hollow, or a star in the legend")
    return style.Drawn(figure, remarks.intervals(shown, table, options, "Bands") + flagged)
