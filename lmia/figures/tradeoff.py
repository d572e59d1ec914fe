"""Privacy against utility, one point per defense and strength (figures 5 and 6 of the paper)."""

import pandas as pd

from lmia.evaluation.metrics_table import select
from lmia.figures import style

X = {
    "test_accuracy": "test accuracy (%)",
    "gap": "train accuracy - test accuracy (points)\nbeside the points: strength, test accuracy",
}
SIZES = (18, 34, 54, 78, 106, 138)  # points^2, by strength


def plot(table, settings):
    """table: of `metrics_table.read_metrics`; settings: a figure's entry with one attack, `x` (see X) and `families`.

    families: defense -> (kind, what its strength reads, rank of that strength among its kind's, from 0).
    """
    figure, ax = style.axes(settings, height=4.4)
    points = _points(table, settings)
    texts, places, colours = [], [], []
    kinds = list(dict.fromkeys(settings["families"][name][0] for name in points.index))
    for number, kind in enumerate(kinds):
        own = points[[settings["families"][name][0] == kind for name in points.index]]
        look = {
            "marker": style.MARKERS[number % len(style.MARKERS)],
            "color": style.FAMILIES[number % len(style.FAMILIES)],
        }
        sizes = [SIZES[min(settings["families"][name][2], len(SIZES) - 1)] for name in own.index]
        reach = [own["value"] - own["ci_low"], own["ci_high"] - own["value"]]
        ax.errorbar(own["x"], own["value"], yerr=reach, fmt="none", ecolor=look["color"], elinewidth=0.7, alpha=0.5)
        ax.scatter(own["x"], own["value"], s=sizes, alpha=0.75, linewidths=0, label=style.label(kind), **look)
        for name, row in own.iterrows():
            strength = settings["families"][name][1]
            utility = f"{100 * row['test_accuracy']:.0f} %" if settings["x"] == "gap" else ""  # else it is below
            texts.append(", ".join(filter(None, [strength, utility])))
            places.append((row["x"], row["value"]))
            colours.append(look["color"])
        style.stars(ax, own["x"], own["value"], own["flags"])
    if settings["x"] == "gap":
        ends = [0, points["x"].max()]
        ax.plot(ends, [0.5 + end / 2 for end in ends], "--", color=style.colour("gap"), linewidth=1, label="gap attack")
    else:
        ax.axhline(0.5, linestyle="--", color=style.colour("gap"), linewidth=1)
    for axis in (ax.xaxis, ax.yaxis):
        style.percent(axis)
    ax.set_xlabel(X[settings["x"]])
    style.explain(ax, points.reset_index(), by="defense")
    ax.set_ylabel(f"accuracy of {style.label(settings['attacks'][0])} (%)")
    ax.grid()
    figure.legend(loc="outside lower center", ncols=2, columnspacing=1)
    style.beside_points(figure, ax, texts, places, colours)
    return figure


def _points(table, settings):
    """By defense: x, test_accuracy, and the attack's accuracy with its interval and flags (value, ci_low, ...)."""
    (attack,) = settings["attacks"]
    models = {metric: _column(table, settings, metric) for metric in ("test_accuracy", "train_accuracy")}
    x = models["test_accuracy"]["value"]
    x = models["train_accuracy"]["value"] - x if settings["x"] == "gap" else x
    attacked = _column(table, settings, "accuracy", attack=attack, setting="")
    useful = pd.DataFrame({"x": x, "test_accuracy": models["test_accuracy"]["value"]})
    points = attacked[["value", "ci_low", "ci_high", "flags"]].join(useful, how="inner")
    return points[[name in settings["families"] for name in points.index]]


def _column(table, settings, metric, **equal):
    rows = select(table, settings["study"], metric, **equal)
    if settings["n_train"] is not None:
        rows = rows[rows["n_train"] == settings["n_train"]]
    return rows.set_index("defense")
