"""Precision of one attack on outliers beside that on all points, for every defense (figure S11 of the paper)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lmia.evaluation.metrics_table import select, select_cell, utility
from lmia.figures import style

METRICS = {"precision": "all points", "outlier_precision": "outliers"}


@style.look()
def plot(table: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """table: of `metrics_table.read_metrics`; options: a figure's entry with one attack; defenses from top to bottom.

    Beside each defense stands the test accuracy of its targets.
    """
    (attack,) = options["attacks"]
    rows = select_cell(table, "precision", options, attack=attack, setting="")
    n_train, defenses = rows["n_train"].iloc[0], rows["defense"].tolist()
    figure, ax = style.axes(options, height=0.9 + 0.3 * len(defenses))
    for number, (metric, name) in enumerate(METRICS.items()):
        bars = select(table, options["study"], metric, attack=attack, setting="", n_train=n_train)
        bars = bars.set_index("defense").reindex(defenses)
        y, value = np.arange(len(defenses)) + 0.38 * (number - 0.5), bars["value"]
        colour = style.colour(attack) if number else style.colour("gap")
        ax.barh(y, value, 0.36, color=colour, label=name)
        style.whiskers(ax, bars, y)
        for place in y[value.isna()]:
            ax.text(0.01, place, "nothing called a member", va="center", fontsize=6)
    tested = utility(table, options["study"], n_train)
    names = [style.label(name) + "*" * bool(text) for name, text in zip(defenses, rows["flags"], strict=True)]
    texts = [style.utility_text(tested.get(name)) for name in defenses]
    labels = [", ".join(filter(None, parts)) for parts in zip(names, texts, strict=True)]
    ax.set_yticks(np.arange(len(defenses)), labels)
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
