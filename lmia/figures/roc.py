"""Log-log ROC: how many members are found at how few false alarms."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lmia.evaluation.metrics import roc
from lmia.figures import style


@style.look()
def plot(scored: Mapping[str, Sequence[tuple[np.ndarray, np.ndarray]]], options: Mapping[str, Any]) -> Figure:
    """scored: attack -> list over seeds of (scores (n,), is_member (n,)); options: title, attacks.

    Each curve is the mean over seeds of the exact step functions: the largest TPR at FPR <= x.
    """
    figure, ax = style.axes(options, height=3.2)
    floor = 1 / max(int((~is_member).sum()) for seeds in scored.values() for _, is_member in seeds)
    grid = np.geomspace(floor, 1, 400)
    for attack in options["attacks"]:
        curves = []
        for scores, is_member in scored[attack]:
            fpr, tpr, _ = roc(scores, is_member)
            curves.append(tpr[np.searchsorted(fpr, grid, side="right") - 1])
        mean = np.mean(curves, axis=0)
        shown = np.where(mean > 0, mean, np.nan)
        ax.plot(grid, shown, style.line(attack), color=style.colour(attack), label=style.label(attack))
    ax.plot(grid, grid, color="#999999", linestyle=":", linewidth=1, label="chance")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(floor, 1)
    ax.set_ylim(floor, 1.05)
    ax.set_xlabel("false-positive rate (one false alarm at the left edge)")
    n_seeds = max(map(len, scored.values()))
    ax.set_ylabel("true-positive rate" + (f", mean of {n_seeds} seeds" if n_seeds > 1 else ""))
    ax.grid(which="major")
    ax.legend(loc="lower right")
    return figure
