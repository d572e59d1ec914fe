"""Attacks against a defense's strength, above the models' own accuracy (figures 3, S8 and S9 of the paper)."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lmia.evaluation.metrics_table import select_cell
from lmia.figures import style


@style.look()
def plot(table: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """table: of `read_metrics`; options: a figure's entry with `strengths`, defense -> number on the axis.

    One curve for each attack and each of `settings`, in which the attacks are shown; "" is as they are meant.
    """
    figure, ax = style.axes(options, height=3.6, panels=(3, 1))
    above, below = ax
    rows = _placed(select_cell(table, "accuracy", options), options)
    curves = list(product(options["attacks"], options["settings"]))
    for number, (attack, setting) in enumerate(curves):
        curve = rows.loc[(rows["attack"] == attack) & (rows["setting"] == setting)]
        name = style.label(f"{attack}, {setting}" if setting else attack)
        shade = 1 - 0.7 * (number / len(curves)) if len(options["settings"]) > 1 else 1
        _draw(above, curve, style.line(attack, number), style.colour(attack), name, shade)
    models = _placed(select_cell(table, "test_accuracy", options), options)
    _draw(below, models, ".-", "black", None, 1)
    for panel, text in ((above, "attack accuracy (%)"), (below, "test\naccuracy (%)")):
        style.percent(panel.yaxis)
        panel.set_ylabel(text)
        panel.grid(axis="y")
    whole = bool(np.all(rows["strength"] == rows["strength"].round()))
    below.xaxis.set_major_locator(MaxNLocator(integer=whole))
    if options["scale"] == "log":
        below.set_xscale("log")
    below.set_xlabel(options["axis"] or style.label(options["family"]))
    shown = rows.loc[rows["attack"].isin(options["attacks"]) & rows["setting"].isin(options["settings"])]
    style.explain(below, shown, by="defense")
    figure.legend(loc="outside lower center", ncols=min(3, len(curves)), columnspacing=1)
    return figure


def _placed(rows: pd.DataFrame, options: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of the defenses that have a place on the axis, in its order."""
    rows = rows.assign(strength=rows["defense"].map(options["strengths"]))
    return rows.dropna(subset="strength").sort_values("strength")


def _draw(ax: Axes, curve: pd.DataFrame, form: str, colour: str, name: str | None, alpha: float) -> None:
    ax.plot(curve["strength"], curve["value"], form, color=colour, label=name, alpha=alpha)
    ax.fill_between(curve["strength"], curve["ci_low"], curve["ci_high"], color=colour, alpha=0.15, linewidth=0)
    style.stars(ax, curve["strength"], curve["value"], curve["flags"])
