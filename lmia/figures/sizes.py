"""Accuracy against the number of members that a model was trained on, on a logarithmic axis (figure 1 of the paper)."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from lmia.evaluation.metrics_table import select
from lmia.figures import style


@style.look()
def plot(table: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """table: of `metrics_table.read_metrics`; options: a figure's entry; its study and further studies share a curve.

    The first defense is drawn in full lines; each further one dashed, and only for attacks that it changes.
    """
    figure, ax = style.axes(options, height=3.4)
    studies = (options["study"], *options["studies"])
    rows = pd.concat([select(table, study, "accuracy", setting="") for study in studies])
    if options["defense"] is not None:
        rows = rows.loc[rows["defense"] == options["defense"]]
    for number, attack in enumerate(options["attacks"]):
        curves = rows.loc[rows["attack"] == attack].sort_values("n_train").groupby("defense", sort=False)
        drawn = None
        for defense in curves.groups:
            curve = curves.get_group(defense).set_index("n_train")
            if drawn is None or not curve["value"].equals(drawn["value"].reindex(curve.index)):
                _draw(ax, curve, attack, number, "" if drawn is None else defense)
            drawn = curve if drawn is None else drawn
    ax.set_xscale("log")
    ax.set_xticks(sorted(rows["n_train"].unique()))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    style.percent(ax.yaxis)
    ax.set_xlabel("members per model, n")
    style.explain(ax, rows.loc[rows["attack"].isin(options["attacks"])])
    ax.set_ylabel("attack accuracy (%)")
    ax.grid(axis="y")
    figure.legend(loc="outside lower center", ncols=2, columnspacing=1, handlelength=3.5)  # long enough for dashes
    return figure


def _draw(ax: Axes, curve: pd.DataFrame, attack: str, number: int, defense: str) -> None:
    form = style.MARKERS[number % len(style.MARKERS)] + "--" if defense else style.line(attack, number)
    label = f"{style.label(attack)}, {style.label(defense)}" if defense else style.label(attack)
    ax.plot(curve.index, curve["value"], form, color=style.colour(attack), label=label)
    ax.fill_between(curve.index, curve["ci_low"], curve["ci_high"], color=style.colour(attack), alpha=0.15, linewidth=0)
    style.stars(ax, curve.index, curve["value"], curve["flags"])
