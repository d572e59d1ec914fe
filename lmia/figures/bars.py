"""Accuracy of every attack as a bar with its interval."""

from collections.abc import Iterable, Mapping
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lmia.evaluation.metrics_table import select_cell, utility
from lmia.figures import style

LINE = 38  # characters that fit below these axes, which are off the middle; of the title somewhat fewer
HATCHES = {"confidence": "////", "white-box": "xxxx"}  # of what sees more than labels


def wrapped(title: str) -> str:
    """The lines of a title, as they are drawn."""
    return "\n".join(wrap(title, LINE - 5))


@style.look()
def plot(table: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """table: of `metrics_table.read_metrics`; options: study, n_train, defense, title, attacks (top to bottom), and
    defenses, those that are shown and in which order, [] for all. Below the axes stands which bars are whose."""
    rows, attacks, title = _rows(table, options), options["attacks"], wrapped(options["title"])
    cells = _cells(rows)
    height = 0.55 + 0.23 * len(attacks) * max(1, 0.6 * len(cells))
    figure, ax = style.axes({**options, "title": title}, height=height)
    for number, cell in enumerate(cells.values()):
        _draw_cell(ax, cell.set_index("attack").reindex(attacks), number, len(cells))
    ax.set_yticks(np.arange(len(attacks)), [style.label(attack) for attack in attacks])
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0.5, max(0.6, np.nanmax(rows["ci_high"].fillna(rows["value"])) + 0.045))
    style.percent(ax.xaxis)
    names = _names(cells, table, options["study"]) if len(cells) > 1 else []
    ax.set_xlabel("\n".join(["attack accuracy (%), chance = 50", *_footnotes(rows, names)]))
    style.explain(ax, rows, line=LINE)
    lines = title.count("\n") + ax.get_xlabel().count("\n") - 1  # besides the usual ones
    figure.set_figheight(figure.get_figheight() + 0.15 * lines)
    ax.grid(axis="x")
    return figure


def _rows(table: pd.DataFrame, options: Mapping[str, Any]) -> pd.DataFrame:
    """Accuracies of what is shown, defenses in their order."""
    rows = select_cell(table, "accuracy", options, setting="")
    rows = rows.loc[rows["attack"].isin(options["attacks"])]
    if options["defenses"]:
        rows = rows.loc[rows["defense"].isin(options["defenses"])].sort_values(
            "defense", key=lambda names: names.map(options["defenses"].index), kind="stable"
        )
    return rows


def _cells(rows: pd.DataFrame) -> dict[tuple[int, str], pd.DataFrame]:
    """(n_train, defense) -> its rows, in the order in which they are shown."""
    keys = dict.fromkeys(zip(rows["n_train"], rows["defense"], strict=True))
    return {(n, name): rows.loc[rows["n_train"].eq(n) & rows["defense"].eq(name)] for n, name in keys}


def _draw_cell(ax: Axes, cell: pd.DataFrame, number: int, n_cells: int) -> None:
    """Bars of one of n cells, whose rows are by attack, with intervals, numbers and stars."""
    thickness = 0.75 / n_cells
    y = np.arange(len(cell)) + (number - (n_cells - 1) / 2) * thickness
    value = cell["value"].to_numpy()
    colours = [style.colour(attack) for attack in cell.index]
    hatches = [HATCHES.get(access, "") for access in cell["access"]]
    ax.barh(y, value - 0.5, thickness, 0.5, color=colours, hatch=hatches, edgecolor="white")
    style.whiskers(ax, cell, y)
    ends, stars = cell["ci_high"].fillna(cell["value"]), ["*" * bool(text) for text in cell["flags"].fillna("")]
    for place, share, end, star in zip(y, value, ends, stars, strict=True):
        ax.text(end + 0.004, place, f"{100 * share:.1f}{star}", va="center", fontsize=7)


def _footnotes(rows: pd.DataFrame, names: list[str]) -> list[str]:
    """Lines on what hatches mean, and on which bars are whose; names: of cells from the top, [] for a single one."""
    crossed = "; crossed: needs gradients" if "white-box" in set(rows["access"]) else ""
    legend = wrap(f"from the top: {'; '.join(names)}", LINE) if names else []
    return ["hatched: needs confidences" + crossed, *legend]


def _names(cells: Iterable[tuple[int, str]], table: pd.DataFrame, study: str) -> list[str]:
    """What is said of the models of each cell: that in which cells differ, and with the defense their utility."""
    sizes, defenses = (set(values) for values in zip(*cells, strict=True))
    names = []
    for n_train, defense in cells:
        parts = [f"n = {n_train:,}"] if len(sizes) > 1 else []
        if len(defenses) > 1:
            tested = style.utility_text(utility(table, study, n_train).get(defense))
            parts += ["no defense" if defense == "none" else defense, *filter(None, [tested])]
        names.append(", ".join(parts))
    return names
