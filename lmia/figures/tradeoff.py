"""Privacy against utility, one point per defense and strength (figures 5 and 6 of the paper)."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from lmia.evaluation.metrics_table import select_cell
from lmia.figures import style

X = {
    "test_accuracy": "test accuracy (%)",
    "gap": "train accuracy - test accuracy (points)\nbeside the points: strength, test accuracy",
}
SIZES = (18, 34, 54, 78, 106, 138)  # points^2, by strength


@style.look()
def plot(table: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """table: of `metrics_table.read_metrics`; options: a figure's entry with one attack, `x` (see X) and `families`.

    families: defense -> (kind, what its strength reads, rank of that strength among its kind's, from 0).
    """
    figure, ax = style.axes(options, height=4.4)
    points = _points(table, options)
    texts, places, colours = [], [], []
    kinds = list(dict.fromkeys(options["families"][name][0] for name in points.index))
    for number, kind in enumerate(kinds):
        group = points.loc[[options["families"][name][0] == kind for name in points.index]]
        look = {
            "marker": style.MARKERS[number % len(style.MARKERS)],
            "color": style.FAMILIES[number % len(style.FAMILIES)],
        }
        sizes = [SIZES[min(options["families"][name][2], len(SIZES) - 1)] for name in group.index]
        reach = [group["value"] - group["ci_low"], group["ci_high"] - group["value"]]
        ax.errorbar(group["x"], group["value"], yerr=reach, fmt="none", ecolor=look["color"], elinewidth=0.7, alpha=0.5)
        ax.scatter(group["x"], group["value"], s=sizes, alpha=0.75, linewidths=0, label=style.label(kind), **look)
        for name, row in group.iterrows():
            strength = options["families"][name][1]
            utility = f"{100 * row['test_accuracy']:.0f} %" if options["x"] == "gap" else ""  # else it is below
            texts.append(", ".join(filter(None, [strength, utility])))
            places.append((row["x"], row["value"]))
            colours.append(look["color"])
        style.stars(ax, group["x"], group["value"], group["flags"])
    if options["x"] == "gap":
        ends = [0, points["x"].max()]
        ax.plot(ends, [0.5 + end / 2 for end in ends], "--", color=style.colour("gap"), linewidth=1, label="gap attack")
    else:
        ax.axhline(0.5, linestyle="--", color=style.colour("gap"), linewidth=1)
    for axis in (ax.xaxis, ax.yaxis):
        style.percent(axis)
    ax.set_xlabel(X[options["x"]])
    style.explain(ax, points.reset_index(), by="defense")
    ax.set_ylabel(f"accuracy of {style.label(options['attacks'][0])} (%)")
    ax.grid()
    figure.legend(loc="outside lower center", ncols=2, columnspacing=1)
    style.beside_points(figure, ax, texts, places, colours)
    return figure


def _points(table: pd.DataFrame, options: Mapping[str, Any]) -> pd.DataFrame:
    """By defense: x, test_accuracy, and the attack's accuracy with its interval and flags (value, ci_low, ...)."""
    (attack,) = options["attacks"]
    train, test = (_by_defense(table, options, metric)["value"] for metric in ("train_accuracy", "test_accuracy"))
    models = pd.DataFrame({"x": train - test if options["x"] == "gap" else test, "test_accuracy": test})
    attacked = _by_defense(table, options, "accuracy", attack=attack, setting="")
    points = attacked.loc[:, ["value", "ci_low", "ci_high", "flags"]].join(models, how="inner")
    return points.loc[[name in options["families"] for name in points.index]]


def _by_defense(table: pd.DataFrame, options: Mapping[str, Any], metric: str, **equal: Any) -> pd.DataFrame:
    return select_cell(table, metric, options, **equal).set_index("defense")
