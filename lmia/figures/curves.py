"""Curves of a metric with their intervals, beside level lines: what figures against queries and shadows share."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from lmia.figures import style

NARROW = 50  # characters that fit below axes with a label of two lines beside them
SAID = {"accuracy": "attack accuracy (%)", "auc": "area under the ROC curve"}
TPR = re.compile(r"tpr_at_(.+)_fpr")
FEW = r"(\d+ false alarms allowed)(?: \(\d+ of \d+\))?"  # `lmia.evaluation.flags`: the same of all attacks
TIED = r"\d+ (?=tied at the )"  # other numbers at each point of a curve


def draw(
    options: Mapping[str, Any], curves: Mapping[str, pd.DataFrame], lines: pd.DataFrame, label: str
) -> tuple[Figure, Axes]:
    """A new figure of curves with bands, and of attacks as level lines.

    A true-positive rate at a false-positive rate is drawn on a logarithmic axis, beside chance. A rate of 0 has no
    place there: it is an open marker at the lower edge, and a note says so.

    Args:
        options: title, and metric: accuracy, auc, or tpr_at_F_fpr for a rate F.
        curves: Attack -> rows of `lmia.evaluation.metrics_table` with a further column x, in its order.
        lines: Such rows, one for each attack, without x.
        label: Of the x-axis.
    """
    rows, rate = pd.concat([*curves.values(), lines]), TPR.fullmatch(options["metric"])
    floor = min([float(rate[1]), *rows.loc[rows["value"] > 0, "value"]]) / 2 if rate else -np.inf
    figure, ax = style.axes(options, height=3.6 if rate else 3)
    for number, (attack, curve) in enumerate(curves.items()):
        _curve(ax, _above(floor, curve), attack, number, floor)
    for row in _above(floor, lines.dropna(subset="value")).to_dict("records"):
        style.level_line(ax, row)
    if rate:
        x = [x for curve in curves.values() for x in curve["x"]]
        ax.update_datalim([(x, y) for x in x for y in (floor, float(rate[1]))])  # also where no rate is resolvable
        ax.axhline(float(rate[1]), color="#999999", linestyle=":", linewidth=1, zorder=1, label="chance")
        ax.set_yscale("log")
        ax.set_ylim(bottom=floor / 1.1)  # so that markers stand on the edge
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.set_ylabel(f"members found (%)\nat {100 * float(rate[1]):g} % false positives")
        label = "\n".join([label, *_notes(rows)])
    else:
        ax.set_ylabel(SAID[options["metric"]])
    if options["metric"] != "auc":
        style.percent(ax.yaxis)
    ax.set_xlabel(label)
    style.explain(ax, _above(floor, rows), line=NARROW if rate else style.LINE)
    ax.grid(axis="y")
    figure.legend(loc="outside lower center", ncols=min(3, len(curves)), columnspacing=1)
    return figure, ax


def _above(floor: float, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with nothing below the floor, and with flags that are the same for all points of a curve."""
    flags = rows["flags"].str.replace(FEW, "", regex=True).str.replace(TIED, "", regex=True).str.strip("; ")
    return rows.assign(flags=flags, **{name: rows[name].clip(lower=floor) for name in ("value", "ci_low", "ci_high")})


def _curve(ax: Axes, curve: pd.DataFrame, attack: str, number: int, floor: float) -> None:
    colour = style.colour(attack)
    ax.plot(curve["x"], curve["value"], style.line(attack, number), color=colour, label=style.label(attack))
    ax.fill_between(curve["x"], curve["ci_low"], curve["ci_high"], color=colour, alpha=0.15, linewidth=0)
    if len(curve) == 1:  # a band of no width
        ax.vlines(curve["x"], curve["ci_low"], curve["ci_high"], color=colour, linewidth=1)
    style.stars(ax, curve["x"], curve["value"], curve["flags"])
    nobody = curve.loc[curve["value"] == floor]
    if len(nobody):  # larger than a star, which may lie on it
        marker = {"markersize": 9, "markerfacecolor": "white", "clip_on": False, "zorder": 4}
        ax.plot(nobody["x"], nobody["value"], style.MARKERS[number % len(style.MARKERS)], color=colour, **marker)


def _notes(rows: pd.DataFrame) -> list[str]:
    """What a reader of rates must know that concerns no single point."""
    few = dict.fromkeys(text for flags in rows["flags"] for text in re.findall(FEW, flags))
    notes = [f"only {text}" for text in few]
    if np.any(rows["value"] == 0):
        notes.append("at the lower edge: no member found")
    if np.any(rows["value"].isna()):
        notes.append("not drawn: where non-members are too few for this rate")
    return notes
