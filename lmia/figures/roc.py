"""Log-log ROC: how many members are found at how few false alarms."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lmia.evaluation.metrics import roc
from lmia.evaluation.pooled import measure
from lmia.figures import style

RATES, DRAWS = 40, 100  # of a band: some seconds for 8 attacks on 16 models and 5,000 examples


@style.look()
def plot(scored: Mapping[str, Sequence[tuple[np.ndarray, np.ndarray]]], options: Mapping[str, Any]) -> Figure:
    """scored: attack -> list over seeds of (scores (n,), is_member (n,)); options: title, attacks, and pool where the
    seeds are the models of a pool, in pairs, all asked about the same examples.

    Each curve is the mean over seeds of the exact step functions: the largest TPR at FPR <= x. In a pool it is that of
    all pairs of a model and an example together, under one threshold, with a 95 % band over models and examples.

    Raises:
        ValueError: Two models of a pool that stand together are no pair.
    """
    figure, ax = style.axes(options, height=3.2)
    is_pool, n_seeds = options.get("pool", False), max(map(len, scored.values()))
    curves = {attack: [_joined(seeds)] if is_pool else seeds for attack, seeds in scored.items()}
    floor = 1 / max(int((~is_member).sum()) for seeds in curves.values() for _, is_member in seeds)
    grid = np.geomspace(floor, 1, 400)
    for attack in options["attacks"]:
        steps = []
        for scores, is_member in curves[attack]:
            fpr, tpr, _ = roc(scores, is_member)
            steps.append(tpr[np.searchsorted(fpr, grid, side="right") - 1])
        mean = np.mean(steps, axis=0)
        shown = np.where(mean > 0, mean, np.nan)
        ax.plot(grid, shown, style.line(attack), color=style.colour(attack), label=style.label(attack))
        if is_pool:
            _band(ax, scored[attack], floor, style.colour(attack))
    ax.plot(grid, grid, color="#999999", linestyle=":", linewidth=1, label="chance")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(floor, 1)
    ax.set_ylim(floor, 1.05)
    ax.set_xlabel("false-positive rate (one false alarm at the left edge)")
    joined = f", {n_seeds} models pooled" if is_pool else f", mean of {n_seeds} seeds" if n_seeds > 1 else ""
    ax.set_ylabel("true-positive rate" + joined)
    ax.grid(which="major")
    ax.legend(loc="lower right")
    return figure


def _joined(models: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """(scores (K * N,), is_member (K * N,)) of a pool's K models, once they are known to stand in pairs."""
    scores, is_member = (np.stack(of_models) for of_models in zip(*models, strict=True))
    if len(models) % 2 or not np.array_equal(is_member[::2], ~is_member[1::2]):
        raise ValueError(
            f"expected models 2p and 2p + 1 of a pool to be trained on opposite examples, got {len(models)} models "
            "that are not; give the study's seeds from 0 on, in order"
        )
    return scores.ravel(), is_member.ravel()


def _band(ax: Axes, models: Sequence[tuple[np.ndarray, np.ndarray]], floor: float, colour: str) -> None:
    """A pool's 95 % interval at each of RATES rates, where anybody is found."""
    scores, is_member = (np.stack(of_models) for of_models in zip(*models, strict=True))
    rates = np.geomspace(floor, 1, RATES + 1)[:-1]
    _, *measured = measure(scores, is_member, rates.tolist(), DRAWS).values()  # without the AUC
    value, low, high = np.transpose([tpr.interval() for tpr in measured])
    ax.fill_between(rates, low.clip(floor), high.clip(floor, 1), where=value > 0, color=colour, alpha=0.15, linewidth=0)
