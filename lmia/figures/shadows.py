"""A metric of calibrated attacks on a pool against the number of shadow models per target, on a logarithmic axis."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lmia.evaluation.metrics_table import select_cell
from lmia.figures import curves, style

FEWER = "shadows="  # what settings with fewer shadows than all begin with


@style.look()
def plot(table: pd.DataFrame, options: Mapping[str, Any]) -> style.Drawn:
    """table: of `read_metrics`; options: a figure's entry, attacks as curves and lines as level lines, with
    all_shadows: how many models of the pool are shadows of a target, which they all are in setting "".

    The metric is drawn as `curves.draw` says, true-positive rates of 0 as open markers at the lower edge.
    """
    rows = select_cell(table, options["metric"], options)
    rows = rows.loc[rows["setting"].eq("") | rows["setting"].str.startswith(FEWER)]
    counts = rows["setting"].str.removeprefix(FEWER).replace("", str(options["all_shadows"])).astype(int)
    rows = rows.assign(x=counts)
    of_attacks = {name: rows.loc[rows["attack"] == name].sort_values("x") for name in options["attacks"]}
    lines = rows.loc[rows["attack"].isin(options["lines"]) & (rows["setting"] == "")]
    figure, ax, told = curves.draw(table, options, of_attacks, lines, "shadow models per target")
    ax.set_xscale("log")
    style.ticks(ax.xaxis, sorted(set(rows.loc[rows["attack"].isin(options["attacks"]), "x"])), ".0f")
    style.finish(figure)
    return style.Drawn(figure, told)
