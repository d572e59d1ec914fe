"""Accuracy against the number of members that a model was trained on, on a logarithmic axis (figure 1 of the paper)."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from lmia.evaluation.metrics_table import select
from lmia.figures import remarks, style


@style.look()
def plot(table: pd.DataFrame, options: Mapping[str, Any]) -> style.Drawn:
    """table: of `metrics_table.read_metrics`; options: a figure's entry; its study and further studies share a curve.

    The first defense is drawn in full lines; each further one dashed, and only for attacks that it changes.
    """
    figure, ax = style.axes(options, height=2.6)
    studies = (options["study"], *options["studies"])
    rows = pd.concat([select(table, study, "accuracy", setting="") for study in studies])
    if options["defense"] is not None:
        rows = rows.loc[rows["defense"] == options["defense"]]
    shown = []
    for number, attack in enumerate(options["attacks"]):
        curves = rows.loc[rows["attack"] == attack].sort_values("n_train").groupby("defense", sort=False)
        drawn = None
        for defense in curves.groups:
            curve = curves.get_group(defense).set_index("n_train")
            if drawn is None or not curve["value"].equals(drawn["value"].reindex(curve.index)):
                shown.append(_draw(ax, curve, attack, number, "" if drawn is None else defense))
            drawn = curve if drawn is None else drawn
    ax.set_xscale("log")
    style.ticks(ax.xaxis, sorted(rows["n_train"].unique()), ",.0f")
    style.percent(ax.yaxis)
    ax.set_xlabel("members per model, n")
    ax.set_ylabel("attack accuracy (%)")
    ax.grid(axis="y")
    style.finish(figure, columns=2, handlelength=3.5)  # long enough for dashes
    told = pd.concat(shown) if shown else rows.assign(curve="").iloc[:0]
    lines = remarks.intervals(told, table, options, "Bands")
    return style.Drawn(figure, lines + remarks.flagged(told, "Hollow", by="curve", with_size=True))


def _draw(ax: Axes, curve: pd.DataFrame, attack: str, number: int, defense: str) -> pd.DataFrame:
    """A curve of rows by n_train, which are returned with the curve's name."""
    form = style.MARKERS[number % len(style.MARKERS)] + "--" if defense else style.line(attack, number)
    label = f"{style.label(attack)}, {style.label(defense)}" if defense else style.label(attack)
    style.curve(ax, curve.index, curve, form, style.colour(attack), label)
    return curve.reset_index().assign(curve=label)
