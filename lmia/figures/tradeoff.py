"""Privacy against utility, a panel per kind of defense and a point per strength (figures 5 and 6 of the paper)."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lmia.evaluation.metrics_table import select_cell
from lmia.evaluation.tpr_names import fpr_of
from lmia.figures import curves, remarks, style

X = {"test_accuracy": "test accuracy (%)", "gap": "train accuracy - test accuracy (points)"}
SIZES = (14, 26, 40, 56, 76, 98)  # points^2, by strength
PANEL = 1.45  # inches
NONE, OTHER = "#222222", "#c8c8c8"  # colours


@style.look()
def plot(table: pd.DataFrame, options: Mapping[str, Any]) -> style.Drawn:
    """table: of `read_metrics`; options: a figure's entry with one attack, `x` (see X), `metric` and `families`.

    families: defense -> (kind, what its strength reads, rank of that strength among its kind's, from 0). In the panel
    of a kind, all other defenses are grey, for orientation. The caption has test accuracies where x is the gap.
    True-positive rates have a logarithmic axis, as in `curves.draw`.
    """
    every, families, rate = _points(table, options), options["families"], fpr_of(options["metric"])
    floor = curves.lowest(every, rate)
    points = curves.above(floor, every.dropna(subset="value"))
    of_kind = [families[name][0] for name in points.index]
    kinds = [kind for kind in dict.fromkeys(of_kind) if kind != "none"]
    columns = min(4, max(1, len(kinds)))
    rows = -(-max(1, len(kinds)) // columns)
    names = {kind: style.fitted(style.label(kind), PANEL - 0.1, 7.5) for kind in kinds}
    lines = max([name.count("\n") for name in names.values()], default=0)
    height = 0.65 + rows * (1.4 + 0.12 * lines) if columns > 1 else 2.6
    width = max(style.WIDTH, PANEL * columns + 0.5)
    figure, panels = plt.subplots(rows, columns, squeeze=False, sharex=True, sharey=True, figsize=(width, height))
    style.entitle(figure, options["title"])
    for panel in panels.flat[max(1, len(kinds)) :]:
        panel.set_axis_off()
    notes = []
    for number, (kind, ax) in enumerate(zip(kinds or [None], panels.flat, strict=False)):
        is_own = np.array([other == kind for other in of_kind], bool)
        own = points.loc[is_own].sort_values("rank")
        shade = style.FAMILIES[1 + number % (len(style.FAMILIES) - 1)]
        _draw(ax, points.loc[~is_own & (points["kind"] != "none")], points.loc[points["kind"] == "none"], own, shade)
        _guide(ax, points, options, rate)
        if kind is not None:
            ax.set_title(names[kind], fontsize=7.5, pad=3)
        notes.append((ax, own["strength"].tolist(), list(zip(own["x"], own["value"], strict=True)), shade))
        ax.grid()
    style.percent(panels[0, 0].xaxis)  # axes are shared by all panels
    if rate:
        curves.scale(panels[0, 0], floor)
    if options["metric"] != "auc":
        style.percent(panels[0, 0].yaxis)
    for ax in panels.flat[max(0, len(kinds) - columns) : max(1, len(kinds))]:  # the lowest of each column
        ax.tick_params(labelbottom=True)
        ax.set_xlabel(style.fitted(X[options["x"]], PANEL if columns > 1 else style.WIDTH - 1))
    figure.supylabel(style.fitted(_value(options, rate), figure.get_figheight() - 0.6), fontsize=8)
    style.finish(figure, columns=4)
    style.beside_points(figure, notes)
    told = ["Beside the points stands the strength; larger points are stronger."] * any(points["strength"].ne(""))
    told += remarks.intervals(points.reset_index(), table, options, "Whiskers")
    told += _tested(points) if options["x"] == "gap" else []
    told += curves.notes(every) if rate else []
    return style.Drawn(figure, told + remarks.flagged(points.reset_index(), "Hollow", by="defense"))


def _value(options: Mapping[str, Any], rate: float | None) -> str:
    """What the vertical axis says."""
    attack = style.label(options["attacks"][0])
    if rate:
        return f"members found by {attack} (%) at {100 * rate:g} % false positives"
    return f"area under the ROC curve of {attack}" if options["metric"] == "auc" else f"accuracy of {attack} (%)"


def _draw(ax: Axes, others: pd.DataFrame, none: pd.DataFrame, own: pd.DataFrame, shade: str) -> None:
    """The points of one kind, by strength, before all others and beside those of no defense."""
    ax.scatter(others["x"], others["value"], s=6, color=OTHER, linewidths=0, zorder=1, label="other defenses")
    _whiskers(ax, none, NONE)
    hollow = ["white" if text else NONE for text in none["flags"]]
    ax.scatter(none["x"], none["value"], s=16, marker="D", c=hollow, edgecolors=NONE, zorder=3, label="no defense")
    ax.plot(own["x"], own["value"], color=shade, linewidth=0.7, alpha=0.6, zorder=2)
    _whiskers(ax, own, shade)
    hollow = ["white" if text else shade for text in own["flags"]]
    sizes = [SIZES[min(rank, len(SIZES) - 1)] for rank in own["rank"]]
    ax.scatter(own["x"], own["value"], s=sizes, c=hollow, edgecolors=shade, alpha=0.85, zorder=4)


def _whiskers(ax: Axes, rows: pd.DataFrame, shade: str) -> None:
    reach = [rows["value"] - rows["ci_low"], rows["ci_high"] - rows["value"]]
    ax.errorbar(rows["x"], rows["value"], yerr=reach, fmt="none", ecolor=shade, elinewidth=0.8, alpha=0.7, zorder=2)


def _guide(ax: Axes, points: pd.DataFrame, options: Mapping[str, Any], rate: float | None) -> None:
    """What the accuracy of the gap attack is, or what a guess reaches."""
    look = {"linestyle": "--", "linewidth": 0.9, "color": style.colour("gap"), "zorder": 1}
    if options["x"] == "gap" and options["metric"] == "accuracy":
        ends = [0, points["x"].max()]
        ax.plot(ends, [0.5 + end / 2 for end in ends], label="gap attack", **look)
    else:
        ax.axhline(rate or 0.5, label="chance", **look)


def _tested(points: pd.DataFrame) -> list[str]:
    """A line for each kind with the test accuracies of its models, by strength."""
    lines = []
    for kind, group in points.sort_values("rank", kind="stable").groupby("kind", sort=False):
        of_strengths: Sequence[str] = [
            f"{row['strength']} ({100 * row['test_accuracy']:.0f} %)".strip() for row in group.to_dict("records")
        ]
        name = "no defense" if kind == "none" else style.label(str(kind))
        lines.append(f"Test accuracy of {name}: {', '.join(of_strengths)}.")
    return lines


def _points(table: pd.DataFrame, options: Mapping[str, Any]) -> pd.DataFrame:
    """By defense: kind, strength, rank, x, test_accuracy, and the row of the attack's metric over seeds."""
    (attack,) = options["attacks"]
    train, test = (_by_defense(table, options, metric)["value"] for metric in ("train_accuracy", "test_accuracy"))
    models = pd.DataFrame({"x": train - test if options["x"] == "gap" else test, "test_accuracy": test})
    points = _by_defense(table, options, options["metric"], attack=attack, setting="").join(models, how="inner")
    points = points.loc[[name in options["families"] for name in points.index]]
    told = [options["families"][name] for name in points.index]
    return points.assign(
        **{name: [of[place] for of in told] for place, name in enumerate(("kind", "strength", "rank"))}
    )


def _by_defense(table: pd.DataFrame, options: Mapping[str, Any], metric: str, **equal: Any) -> pd.DataFrame:
    return select_cell(table, metric, options, **equal).set_index("defense")
