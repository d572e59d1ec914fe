"""Precision of one attack on outliers beside that on all points, for every defense (figure S11 of the paper)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lmia.evaluation.metrics_table import ALL_SEEDS, CALLED, select, select_cell, utility
from lmia.figures import remarks, style

METRICS = {"precision": "all points", "outlier_precision": "outliers"}
FEWEST = 20  # outliers called members, of all seeds together, without which their precision is not drawn
NAMES, LINE = 1.5, 0.14  # inches, of what stands beside the points, and of one of its lines


@style.look()
def plot(table: pd.DataFrame, options: Mapping[str, Any]) -> style.Drawn:
    """table: of `metrics_table.read_metrics`; options: a figure's entry with one attack; defenses from top to bottom.

    At the right edge stands how many outliers are called members: their precision is a share of these, and is not drawn
    where they are fewer than FEWEST. The caption has the targets' test accuracies.
    """
    (attack,) = options["attacks"]
    rows = select_cell(table, "precision", options, attack=attack, setting="")
    n_train, defenses = rows["n_train"].iloc[0], rows["defense"].tolist()
    names = [style.label(name) + "*" * bool(text) for name, text in zip(defenses, rows["flags"], strict=True)]
    names = [style.fitted(name, NAMES, 7.5) for name in names]
    heights = np.array([1.25 + name.count("\n") for name in names])
    figure, ax = style.axes(options, height=0.75 + LINE * heights.sum())
    y = np.cumsum(heights) - heights / 2
    called = _called(table, options, attack, n_train).reindex(defenses)
    for number, (metric, name) in enumerate(METRICS.items()):
        points = select(table, options["study"], metric, attack=attack, setting="", n_train=n_train)
        points = points.set_index("defense").reindex(defenses)
        if number:
            points = points.loc[(called >= FEWEST).to_numpy()]
        at = y[[defenses.index(name) for name in points.index]] + 0.25 * (number - 0.5)
        reach = np.abs(np.vstack([points["value"] - points["ci_low"], points["ci_high"] - points["value"]]))
        look = {
            "color": style.colour(attack if number else "gap"),
            "markersize": 3.5,
            "elinewidth": 0.9,
            "capsize": 1.5,
        }
        ax.errorbar(points["value"], at, xerr=reach, fmt="so"[number], label=name, **look)
    for place, n in zip(y, called, strict=True):
        text = "" if np.isnan(n) else f"{n:,.0f}"
        ax.text(1.04, place, text, va="center", ha="left", fontsize=7, color="black" if n >= FEWEST else "#999999")
    ax.set_yticks(y, names)
    ax.set_ylim(heights.sum(), 0)
    ax.tick_params(axis="y", length=0)
    ax.axvline(0.5, color="#222222", linestyle="--", linewidth=0.8)
    ax.set_xlim(0, 1.02)
    style.percent(ax.xaxis)
    ax.set_xlabel(style.wrapped(f"precision of {style.label(attack)} (%)"))
    ax.grid(axis="x")
    style.finish(figure)
    told = [
        "At the right edge: outliers called members, of all seeds together; where they are fewer than "
        f"{FEWEST}, their precision is not drawn."
    ]
    told += _tested(defenses, utility(table, options["study"], n_train))
    told += remarks.intervals(rows, table, options, "Whiskers")
    return style.Drawn(figure, told + remarks.flagged(rows, "Starred", by="defense"))


def _called(table: pd.DataFrame, options: Mapping[str, Any], attack: str, n_train: int) -> pd.Series:
    """How many outliers an attack calls members, by defense, of all seeds together."""
    is_shown = table["study"].eq(options["study"]) & table["attack"].eq(attack) & table["n_train"].eq(n_train)
    rows = table.loc[is_shown & table["metric"].eq(CALLED) & table["setting"].eq("")]
    return rows.loc[rows["seed"].ne(ALL_SEEDS)].groupby("defense")["value"].sum()


def _tested(defenses: list[str], tested: Mapping[str, float]) -> list[str]:
    """The caption's lines on what the targets are worth, eight at a time."""
    told = [f"{style.label(name)} {100 * tested[name]:.1f} %" for name in defenses if name in tested]
    return [f"Test accuracy of the targets: {', '.join(told[start : start + 8])}." for start in range(0, len(told), 8)]
