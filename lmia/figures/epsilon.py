"""Lower bounds on epsilon beside the epsilon that private training guarantees, a column per defense."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from lmia.evaluation.epsilon_rows import ONE_RUN
from lmia.evaluation.metrics_table import select_cell
from lmia.figures import remarks, style

COLUMN = 0.8  # inches
FINE, COARSE = (0, 0.25, 0.5, 1, 2, 5, 10, 20), (0, 1, *(10**power for power in range(1, 10)))  # ticks


@style.look()
def plot(table: pd.DataFrame, options: Mapping[str, Any]) -> style.Drawn:
    """table: of `read_metrics`; options: a figure's entry with attacks, and level and delta of the bounds.

    Defenses stand from the smallest guarantee to those without one. The vertical axis is linear up to 1, and
    logarithmic above.
    """
    rows = select_cell(table, ONE_RUN, options, setting="")
    rows = rows.loc[rows["attack"].isin(options["attacks"])]
    guaranteed = select_cell(table, "epsilon", options).set_index("defense")["value"].to_dict()
    defenses = sorted(dict.fromkeys(rows["defense"]), key=lambda name: guaranteed.get(name, np.inf))
    places = {name: place for place, name in enumerate(defenses)}
    figure, ax = style.axes(options, height=2.7, width=max(style.WIDTH, 0.9 + COLUMN * len(defenses)))
    for number, attack in enumerate(options["attacks"]):
        of_attack = rows.loc[rows["attack"] == attack].dropna(subset="value")
        beside = 0.6 * ((number + 0.5) / len(options["attacks"]) - 0.5)
        look = {"color": style.colour(attack), "linestyle": "none", "clip_on": False, "zorder": 3}
        x, marker = of_attack["defense"].map(places) + beside, style.MARKERS[number % len(style.MARKERS)]
        ax.plot(x, of_attack["value"], marker, label=style.label(attack), **look)
    private = [name for name in defenses if name in guaranteed]
    ends = np.array([[places[name] - 0.4, places[name] + 0.4] for name in private]).reshape(-1, 2)
    ax.hlines([guaranteed[name] for name in private], *ends.T, color="black", linewidth=1.5, label="guaranteed")
    top = max([1.0, *rows["value"].dropna(), *guaranteed.values()])
    ax.set_yscale("symlog", linthresh=1)
    ax.set_ylim(0, 1.3 * top)
    ticks = FINE if top < 2 * FINE[-1] else COARSE
    ax.yaxis.set_major_locator(FixedLocator([tick for tick in ticks if tick <= 1.3 * top]))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.set_xlim(-0.5, len(defenses) - 0.5)
    ax.set_xticks(range(len(defenses)), [style.fitted(style.label(name), COLUMN - 0.1, 7.5) for name in defenses])
    ax.set_ylabel("epsilon")
    ax.grid(axis="y")
    style.finish(figure)
    told = [
        f"Markers: lower bounds of all models together, at a level of {100 * options['level']:g} %, "
        f"for delta = {options['delta']:g}."
    ]
    deltas = select_cell(table, "delta", options)["value"]
    told += [f"The guarantee is for delta = {delta:g}." for delta in dict.fromkeys(deltas) if delta != options["delta"]]
    told += ["At the lower edge: nothing is bounded."] * bool(np.any(rows["value"] == 0))
    told += ["Not drawn: bounds of attacks whose scores have no order."] * bool(np.any(rows["value"].isna()))
    return style.Drawn(figure, told + remarks.flagged(rows, "Flagged", by="defense"))
