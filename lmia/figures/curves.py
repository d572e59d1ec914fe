"""Curves of a metric with their intervals, beside level lines: what figures against queries and shadows share."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from lmia.evaluation.flag_texts import join, parted
from lmia.evaluation.flags import FEW as FEW_ALARMS
from lmia.evaluation.tpr_names import fpr_of
from lmia.figures import remarks, style

SAID = {"accuracy": "attack accuracy (%)", "auc": "area under the ROC curve"}
FEW = rf"({FEW_ALARMS.pattern})(?: \(\d+ of \d+\))?"  # the same of all attacks
TIED = r"(?:\d+ to )?\d+ (?=tied at the )"  # other numbers at each point of a curve


def draw(
    table: pd.DataFrame,
    options: Mapping[str, Any],
    curves: Mapping[str, pd.DataFrame],
    lines: pd.DataFrame,
    label: str,
) -> tuple[Figure, Axes, list[str]]:
    """A new figure of curves with bands, and of attacks as level lines, with its axes and the lines of its caption.

    A true-positive rate at a false-positive rate is drawn on a logarithmic axis, beside chance. A rate of 0 has no
    place there: its marker is at the lower edge, and the caption says so.

    Args:
        table: That the rows are of.
        options: title, and metric: accuracy, auc, or tpr_at_F_fpr for a rate F.
        curves: Attack -> rows of `lmia.evaluation.metrics_table` with a further column x, in its order.
        lines: Such rows, one for each attack, without x.
        label: Of the x-axis.
    """
    rows, rate = pd.concat([*curves.values(), lines]), fpr_of(options["metric"])
    floor = lowest(rows, rate)
    figure, ax = style.axes(options, height=2.6 if rate else 2.4)
    for number, (attack, curve) in enumerate(curves.items()):
        _curve(ax, above(floor, curve), attack, number, floor)
    for row in above(floor, lines.dropna(subset="value")).to_dict("records"):
        style.level_line(ax, row)
    if rate:
        x = [x for curve in curves.values() for x in curve["x"]]
        ax.update_datalim([(x, y) for x in x for y in (floor, rate)])  # also where no rate is resolvable
        ax.axhline(rate, color="#999999", linestyle=":", linewidth=1, zorder=1, label="chance")
        scale(ax, floor)
        ax.set_ylabel(f"members found (%)\nat {100 * rate:g} % false positives")
    else:
        ax.set_ylabel(SAID[options["metric"]])
    if options["metric"] != "auc":
        style.percent(ax.yaxis)
    ax.set_xlabel(label)
    ax.grid(axis="y")
    told = remarks.intervals(rows, table, options, "Bands") + (notes(rows) if rate else [])
    return figure, ax, told + remarks.flagged(above(floor, rows), "Hollow, or a star in the legend")


def lowest(rows: pd.DataFrame, rate: float | None) -> float:
    """The lower edge of a logarithmic axis of the rows' values beside `rate`; without one, the axis has none."""
    return min([rate, *rows.loc[rows["value"] > 0, "value"]]) / 2 if rate else -np.inf


def scale(ax: Axes, floor: float) -> None:
    """Make the vertical axis logarithmic, from the lower edge on."""
    ax.set_yscale("log")
    ax.set_ylim(bottom=floor / 1.1)  # so that markers stand on the edge
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_minor_formatter(NullFormatter())


def above(floor: float, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with nothing below the floor, and with flags that are the same for all points of a curve."""
    flags = [join(re.sub(TIED, "", flag) for flag in parted(text) if not re.match(FEW, flag)) for text in rows["flags"]]
    return rows.assign(flags=flags, **{name: rows[name].clip(lower=floor) for name in ("value", "ci_low", "ci_high")})


def _curve(ax: Axes, curve: pd.DataFrame, attack: str, number: int, floor: float) -> None:
    style.curve(ax, curve["x"], curve, style.line(attack, number), style.colour(attack), style.label(attack))
    for nobody in curve.loc[curve["value"] == floor].to_dict("records"):  # whole, although on the edge
        face = "white" if nobody["flags"] else style.colour(attack)
        marker = {"color": style.colour(attack), "markerfacecolor": face, "clip_on": False, "zorder": 4}
        ax.plot(nobody["x"], floor, style.MARKERS[number % len(style.MARKERS)], **marker)


def notes(rows: pd.DataFrame) -> list[str]:
    """What a reader of true-positive rates must know that concerns no single point, each a line of a caption."""
    few = dict.fromkeys(text for flags in rows["flags"] for text in re.findall(FEW, flags))
    notes = [f"Only {text}." for text in few]
    if np.any(rows["value"] == 0):
        notes.append("At the lower edge: no member found.")
    if np.any(rows["value"].isna()):
        notes.append("Not drawn: where non-members are too few for this rate.")
    return notes
