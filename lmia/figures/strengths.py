"""Attacks against a defense's strength, above the models' own accuracy (figures 3, S8 and S9 of the paper)."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from lmia.evaluation.flag_texts import join
from lmia.evaluation.metrics_table import select_cell
from lmia.figures import remarks, style

LEAST = 0.5  # of its own members, that a model must label rightly to have learned
UNLEARNED = "models that label less than half of their own members rightly, which is no defense"


@style.look()
def plot(table: pd.DataFrame, options: Mapping[str, Any]) -> style.Drawn:
    """table: of `read_metrics`; options: a figure's entry with `strengths`, defense -> number on the axis.

    One curve for each attack and each of `settings`, in which the attacks are shown; "" is as they are meant.
    """
    figure, ax = style.axes(options, height=3.6, panels=(2, 1))
    above, below = ax
    tested, trained = (
        _placed(select_cell(table, metric, options), options) for metric in ("test_accuracy", "train_accuracy")
    )
    rows = _with_unlearned(_placed(select_cell(table, "accuracy", options), options), trained)
    curves = list(product(options["attacks"], options["settings"]))
    for number, (attack, setting) in enumerate(curves):
        curve = rows.loc[(rows["attack"] == attack) & (rows["setting"] == setting)]
        name = style.label(f"{attack}, {setting}" if setting else attack)
        shade = 1 - 0.7 * (number / len(curves)) if len(options["settings"]) > 1 else 1
        style.curve(above, curve["strength"], curve, style.line(attack, number), style.colour(attack), name, shade)
    for models, form, name in ((trained, "^:", "train accuracy of the models"), (tested, "v-", "their test accuracy")):
        if len(models):
            style.curve(below, models["strength"], models, form, "black", name)
    for panel, text in ((above, "attack accuracy (%)"), (below, "models' own\naccuracy (%)")):
        style.percent(panel.yaxis)
        panel.set_ylabel(text)
        panel.grid(axis="y")
    whole = bool(np.all(rows["strength"] == rows["strength"].round()))
    below.xaxis.set_major_locator(MaxNLocator(integer=whole))
    if options["scale"] == "log":
        below.set_xscale("log")
    below.set_xlabel(style.wrapped(options["axis"] or style.label(options["family"])))
    shown = rows.loc[rows["attack"].isin(options["attacks"]) & rows["setting"].isin(options["settings"])]
    style.finish(figure)
    lines = remarks.intervals(pd.concat([shown, tested, trained]), table, options, "Bands")
    return style.Drawn(figure, lines + remarks.flagged(shown, "Hollow", by="defense"))


def _with_unlearned(rows: pd.DataFrame, trained: pd.DataFrame) -> pd.DataFrame:
    """Rows that are flagged where the models do not fit their members, so that they say nothing of a defense."""
    few = set(trained.loc[trained["value"] < LEAST, "defense"])
    flags = [join([text, UNLEARNED * (name in few)]) for name, text in zip(rows["defense"], rows["flags"], strict=True)]
    return rows.assign(flags=flags)


def _placed(rows: pd.DataFrame, options: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of the defenses that have a place on the axis, in its order."""
    rows = rows.assign(strength=rows["defense"].map(options["strengths"]))
    return rows.dropna(subset="strength").sort_values("strength")
