"""Accuracy of every attack as a bar with its interval."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from lmia.evaluation.metrics_table import select_cell, utility
from lmia.figures import remarks, style

HATCHES = {"confidence": ("////", "needs confidences"), "white-box": ("xxxx", "needs gradients")}  # not labels alone
NAMES = 1.25  # inches, of what stands beside the bars
LINE = 0.145  # inches, of one of its lines


class Line(NamedTuple):
    """What stands beside a bar, and the row of the table that it shows; none below an attack's name."""

    text: str
    row: Mapping[Any, Any] | None


@style.look()
def plot(table: pd.DataFrame, options: Mapping[str, Any]) -> style.Drawn:
    """table: of `metrics_table.read_metrics`; options: study, n_train, defense, title, attacks (top to bottom), and
    defenses, those that are shown and in which order, [] for all.

    Models that differ have each a bar below the name of the attack, beside their own; those on which an attack has the
    same number, interval and flags have one together. The caption has their test accuracies.
    """
    rows = _rows(table, options)
    cells = _cells(rows)
    lines = _lines(rows, options["attacks"], _names(cells))
    texts = [style.fitted(line.text, NAMES, 7.5) for line in lines]
    heights = np.array([max(1.5 if len(cells) == 1 else 1.0, 1 + text.count("\n")) for text in texts])
    figure, ax = style.axes(options, height=0.75 + LINE * heights.sum())
    y = np.cumsum(heights) - heights / 2
    _draw(ax, lines, y, 1.1 if len(cells) == 1 else 0.75)
    ax.set_yticks(y, texts)
    for line, tick in zip(lines, ax.get_yticklabels(), strict=True):
        tick.set_weight("bold" if line.row is None else "normal")
    ax.set_ylim(heights.sum(), 0)
    ax.tick_params(axis="y", length=0)
    ends = rows[["value", "ci_low", "ci_high"]].to_numpy()
    low, high = min(0.5, np.nanmin(ends, initial=0.5)), np.nanmax(ends, initial=0.55)
    ax.set_xlim(low, high + 0.22 * (high - low))  # room for the numbers
    style.percent(ax.xaxis)
    ax.set_xlabel("attack accuracy (%), chance = 50")
    ax.grid(axis="x")
    hatched = [found for access, found in HATCHES.items() if access in set(rows["access"])]
    handles = [Patch(facecolor="#999999", edgecolor="white", hatch=hatch, label=text) for hatch, text in hatched]
    style.finish(figure, handles=handles)
    told = _tested(cells, table, options["study"]) + remarks.intervals(rows, table, options, "Whiskers")
    return style.Drawn(figure, told + remarks.flagged(rows, "Starred"))


def _rows(table: pd.DataFrame, options: Mapping[str, Any]) -> pd.DataFrame:
    """Accuracies of what is shown, defenses in their order."""
    rows = select_cell(table, "accuracy", options, setting="")
    rows = rows.loc[rows["attack"].isin(options["attacks"])]
    if options["defenses"]:
        rows = rows.loc[rows["defense"].isin(options["defenses"])].sort_values(
            "defense", key=lambda names: names.map(options["defenses"].index), kind="stable"
        )
    return rows


def _cells(rows: pd.DataFrame) -> list[tuple[int, str]]:
    """(n_train, defense) of all models, in the order in which they are shown."""
    return list(dict.fromkeys(zip(rows["n_train"], rows["defense"], strict=True)))


def _names(cells: Sequence[tuple[int, str]]) -> dict[tuple[int, str], str]:
    """What the models of each cell are called: by that in which cells differ, "" where there is one."""
    sizes, defenses = (set(values) for values in zip(*cells, strict=True)) if cells else (set(), set())
    names = {}
    for n, defense in cells:
        parts = [remarks.size(n)] if len(sizes) > 1 else []
        parts += ["no defense" if defense == "none" else style.label(defense)] if len(defenses) > 1 else []
        names[n, defense] = ", ".join(parts)
    return names


def _lines(rows: pd.DataFrame, attacks: Sequence[str], names: Mapping[tuple[int, str], str]) -> list[Line]:
    """From top to bottom."""
    lines = []
    for attack in attacks:
        of_attack = rows.loc[rows["attack"] == attack].to_dict("records")
        if len(names) < 2:
            lines += [Line(style.label(attack), row) for row in of_attack]
            continue
        alike: dict[tuple, list[dict]] = {}
        for row in of_attack:
            alike.setdefault((str(row["value"]), str(row["ci_low"]), str(row["ci_high"]), row["flags"]), []).append(row)
        lines.append(Line(style.label(attack), None))
        for same in alike.values():
            whose = [names[row["n_train"], row["defense"]].replace(" ", "\u00a0") for row in same]
            lines.append(Line("; ".join(whose) if len(same) < len(names) else "all", same[0]))
    return lines


def _draw(ax: Axes, lines: Sequence[Line], y: np.ndarray, thickness: float) -> None:
    """Bars at y (n,) with intervals, numbers and stars."""
    for line, place in zip(lines, y, strict=True):
        if line.row is None:
            continue
        value, low, high = (line.row[name] for name in ("value", "ci_low", "ci_high"))
        hatch, _ = HATCHES.get(line.row["access"], ("", ""))
        look: dict[str, Any] = {"color": style.colour(line.row["attack"]), "hatch": hatch, "edgecolor": "white"}
        ax.barh(place, value - 0.5, thickness, 0.5, **look)
        style.whiskers(ax, pd.DataFrame([line.row]), np.array([place]))
        text, end = f"{100 * value:.1f}" + "*" * bool(line.row["flags"]), np.nanmax([value, high, 0.5])
        ax.annotate(text, (end, place), (2.5, 0), textcoords="offset points", va="center", fontsize=7)


def _tested(cells: Iterable[tuple[int, str]], table: pd.DataFrame, study: str) -> list[str]:
    """The caption's line on what the targets are worth: test accuracies, those that are the same once."""
    found: dict[str, list[str]] = {}
    names = _names(list(cells))
    for (n, defense), name in names.items():
        accuracy = utility(table, study, n).get(defense)
        if accuracy is not None:
            found.setdefault(f"{100 * accuracy:.1f} %", []).append(name)
    if len(found) == 1:
        return [f"Test accuracy of the targets: {next(iter(found))}."]
    whose = "; ".join(f"{text} ({', '.join(of)})" for text, of in found.items())
    return [f"Test accuracy of the targets: {whose}."] if found else []
