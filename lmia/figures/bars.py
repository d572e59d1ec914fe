"""Accuracy of every attack as a bar with its interval."""

from textwrap import wrap

import numpy as np

from lmia.evaluation.metrics_table import select_cell, utility
from lmia.figures import style

LINE = 38  # characters that fit below these axes, which are off the middle; of the title somewhat fewer
HATCHES = {"confidence": "////", "white-box": "xxxx"}  # of what sees more than labels


def wrapped(title):
    """The lines of a title, as they are drawn."""
    return "\n".join(wrap(title, LINE - 5))


def plot(table, settings):
    """table: of `metrics_table.read_metrics`; settings: study, n_train, defense, title, attacks (top to bottom), and
    defenses, those that are shown and in which order, [] for all. Below the axes stands which bars are whose."""
    rows = select_cell(table, "accuracy", settings)
    rows = rows[rows["setting"].eq("") & rows["attack"].isin(settings["attacks"])]
    if settings["defenses"]:
        rows = rows[rows["defense"].isin(settings["defenses"])].sort_values(
            "defense", key=lambda names: names.map(settings["defenses"].index), kind="stable"
        )
    cells = list(dict.fromkeys(zip(rows["n_train"], rows["defense"], strict=True)))
    attacks = settings["attacks"]
    title = wrapped(settings["title"])
    figure, ax = style.axes(settings | {"title": title}, height=0.55 + 0.23 * len(attacks) * max(1, 0.6 * len(cells)))
    thickness = 0.75 / len(cells)
    for c, (n_train, defense) in enumerate(cells):
        cell = rows[(rows["n_train"] == n_train) & (rows["defense"] == defense)].set_index("attack").reindex(attacks)
        y = np.arange(len(attacks)) + (c - (len(cells) - 1) / 2) * thickness
        value = cell["value"].to_numpy()
        hatch = [HATCHES.get(access, "") for access in cell["access"]]
        ax.barh(
            y, value - 0.5, thickness, 0.5, color=[style.colour(a) for a in attacks], hatch=hatch, edgecolor="white"
        )
        reach = np.abs(np.vstack([value - cell["ci_low"], cell["ci_high"] - value]))
        ax.errorbar(value, y, xerr=reach, fmt="none", ecolor="#222222", elinewidth=0.9, capsize=2)
        ends, stars = cell["ci_high"].fillna(cell["value"]), ["*" * bool(text) for text in cell["flags"].fillna("")]
        for position, number, high, star in zip(y, value, ends, stars, strict=True):
            ax.text(high + 0.004, position, f"{100 * number:.1f}{star}", va="center", fontsize=7)
    ax.set_yticks(np.arange(len(attacks)), [style.label(attack) for attack in attacks])
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0.5, max(0.6, np.nanmax(rows["ci_high"].fillna(rows["value"])) + 0.045))
    style.percent(ax.xaxis)
    crossed = "; crossed: needs gradients" if rows["access"].eq("white-box").any() else ""
    ax.set_xlabel("attack accuracy (%), chance = 50\nhatched: needs confidences" + crossed)
    if len(cells) > 1:
        told = wrap(f"from the top: {'; '.join(_names(cells, table, settings['study']))}", LINE)
        ax.set_xlabel("\n".join([ax.get_xlabel(), *told]))
    style.explain(ax, rows, line=LINE)
    lines = title.count("\n") + ax.get_xlabel().count("\n") - 1  # besides the usual ones
    figure.set_figheight(figure.get_figheight() + 0.15 * lines)
    ax.grid(axis="x")
    return figure


def _names(cells, table, study):
    """What is said of the models of each cell: that in which cells differ, and with the defense their utility."""
    sizes, defenses = ({cell[place] for cell in cells} for place in (0, 1))
    names = []
    for n_train, defense in cells:
        said = [f"n = {n_train:,}"] if len(sizes) > 1 else []
        if len(defenses) > 1:
            useful = utility(table, study, n_train)[defense]
            said += ["no defense" if defense == "none" else defense, *([f"test {useful}"] if useful else [])]
        names.append(", ".join(said))
    return names
