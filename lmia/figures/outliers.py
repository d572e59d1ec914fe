"""Precision of one attack on outliers beside that on all points, for every defense (figure S11 of the paper)."""

import numpy as np

from lmia.evaluation.metrics_table import select, utility
from lmia.figures import style

SHOWN = {"precision": "all points", "outlier_precision": "outliers"}


def plot(table, settings):
    """table: of `metrics_table.read_metrics`; settings: a figure's entry with one attack; defenses from top to bottom.

    Beside each defense stands the test accuracy of its targets.
    """
    (attack,) = settings["attacks"]
    rows = select(table, settings["study"], "precision", attack=attack, setting="")
    if settings["n_train"] is not None:
        rows = rows[rows["n_train"] == settings["n_train"]]
    defenses = rows["defense"].tolist()
    figure, ax = style.axes(settings, height=0.9 + 0.3 * len(defenses))
    for number, (metric, said) in enumerate(SHOWN.items()):
        found = select(table, settings["study"], metric, attack=attack, setting="", n_train=rows["n_train"].iloc[0])
        found = found.set_index("defense").reindex(defenses)
        y, value = np.arange(len(defenses)) + 0.38 * (number - 0.5), found["value"]
        colour = style.colour(attack) if number else style.colour("gap")
        ax.barh(y, value, 0.36, color=colour, label=said)
        reach = np.abs(np.vstack([value - found["ci_low"], found["ci_high"] - value]))
        ax.errorbar(value, y, xerr=reach, fmt="none", ecolor="#222222", elinewidth=0.9, capsize=2)
        for place in y[value.isna()]:
            ax.text(0.01, place, "nothing called a member", va="center", fontsize=6)
    useful = utility(table, settings["study"], rows["n_train"].iloc[0])
    names = [
        style.label(name) + "*" * bool(text) + (f", test {useful[name]}" if useful[name] else "")
        for name, text in zip(defenses, rows["flags"], strict=True)
    ]
    ax.set_yticks(np.arange(len(defenses)), names)
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.axvline(0.5, color="#222222", linestyle="--", linewidth=0.8)
    ax.set_xlim(0, 1.02)
    style.percent(ax.xaxis)
    ax.set_xlabel(f"precision of {style.label(attack)} (%)")
    style.explain(ax, rows, by="defense")
    ax.grid(axis="x")
    figure.legend(loc="outside lower center", ncols=2)
    return figure
