"""Log-log ROC: how many members are found at how few false alarms."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from scipy import special

from lmia.evaluation.intervals import LEVEL, proportion
from lmia.evaluation.metrics import roc
from lmia.evaluation.pooled import measure
from lmia.figures import style

RATES, DRAWS = 40, 100  # of a band: some seconds for 8 attacks on 16 models and 5,000 examples
FEW = 20  # distinct scores of an attack, up to which its thresholds are drawn as points
Scored = Sequence[tuple[np.ndarray, np.ndarray]]  # of each seed scores (n,) and is_member (n,)


@style.look()
def plot(scored: Mapping[str, Scored], options: Mapping[str, Any]) -> style.Drawn:
    """scored: attack -> list over seeds of (scores (n,), is_member (n,)); options: title, attacks, and pools, which is
    not empty where the seeds are the models of a pool, in pairs, all asked about the same examples.

    A curve is the mean over seeds of the exact step functions, the largest TPR at FPR <= x. It begins with a dot where
    a threshold of every seed has so few false alarms: left of it, all that share the highest score are called members
    or nobody is. Its band is a 95 % interval. In a pool the curve is that of all pairs of a model and an example
    together, under one threshold.

    An attack with at most FEW distinct scores has no more thresholds, and is drawn as their points: the means over
    seeds (or pairs of a pool) of FPR and TPR at the same threshold (threshold averaging, Fawcett 2006). The line
    between them is their concave hull: who calls members by one of two thresholds, chosen by a coin, reaches all rates
    between the two.

    Raises:
        ValueError: Two models of a pool that stand together are no pair.
    """
    figure, ax = style.axes(options, height=3)
    is_pool, n_seeds = bool(options.get("pools")), max(map(len, scored.values()))
    pairs = {attack: _pairs(seeds) for attack, seeds in scored.items()} if is_pool else scored
    curves = {attack: [_joined(of)] for attack, of in pairs.items()} if is_pool else scored
    floor = 1 / max(int((~is_member).sum()) for seeds in curves.values() for _, is_member in seeds)
    begins_late = False
    for number, attack in enumerate(options["attacks"]):
        thresholds = np.unique(np.concatenate([scores for scores, _ in curves[attack]]))[::-1]
        if len(thresholds) <= FEW:
            _points(ax, pairs[attack], thresholds, attack, number, floor)
            continue
        begins_late |= _curve(ax, curves[attack], attack, floor, has_band=not is_pool)
        if is_pool:
            _band_of_pool(ax, scored[attack], floor, style.colour(attack))
    ax.plot([floor, 1], [floor, 1], color="#999999", linestyle=":", linewidth=1, label="chance")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(floor, 1)
    ax.set_ylim(floor, 1.05)
    ax.set_xlabel("false-positive rate\n(one false alarm at the left edge)")
    ax.set_ylabel("true-positive rate")
    ax.grid(which="major")
    style.finish(figure)
    late = ["A curve that begins with a dot has no threshold with fewer false alarms."] * begins_late
    return style.Drawn(figure, _remarks(curves, options["attacks"], n_seeds, is_pool) + late)


def _remarks(curves: Mapping[str, Scored], attacks: Sequence[str], n_seeds: int, is_pool: bool) -> list[str]:
    """The lines of the caption."""
    few = [len(np.unique(np.concatenate([scores for scores, _ in curves[attack]]))) <= FEW for attack in attacks]
    lines = []
    if not all(few) and is_pool:
        lines.append(f"Curves: {n_seeds} models pooled; bands: 95 % intervals over models and examples.")
    elif not all(few) and n_seeds > 1:
        lines.append(f"Curves: mean of {n_seeds} seeds at each false-positive rate; bands: 95 % intervals over seeds.")
    elif not all(few):
        lines.append("Bands: 95 % intervals over the members of one seed, at the threshold of each rate.")
    if any(few):
        over = f"{n_seeds // 2} pairs of models" if is_pool else f"{n_seeds} seeds"
        over = f"mean and 95 % intervals over {over}" if n_seeds > 1 else "95 % intervals over points of one seed"
        lines.append(f"Points: attacks with at most {FEW} distinct scores, one point a threshold; {over}.")
        lines.append("Lines between points: their concave hull, reached by choosing between two thresholds at random.")
    return lines


def _pairs(models: Scored) -> Scored:
    """(scores (2 N,), is_member (2 N,)) of each pair of a pool's models, once they are known to stand in pairs."""
    scores, is_member = (np.stack(of_models) for of_models in zip(*models, strict=True))
    if len(models) % 2 or not np.array_equal(is_member[::2], ~is_member[1::2]):
        raise ValueError(
            f"expected models 2p and 2p + 1 of a pool to be trained on opposite examples, got {len(models)} models "
            "that are not; give the study's seeds from 0 on, in order"
        )
    half = len(models) // 2
    return list(zip(scores.reshape(half, -1), is_member.reshape(half, -1), strict=True))


def _joined(seeds: Scored) -> tuple[np.ndarray, np.ndarray]:
    """Scores (n,) and is_member (n,) of all together."""
    scores, is_member = (np.concatenate(of) for of in zip(*seeds, strict=True))
    return scores, is_member


def _student(values: np.ndarray) -> np.ndarray:
    """Half the widths (m,) of Student's 95 % intervals of means over seeds, of values (k, m)."""
    n = len(values)
    return special.stdtrit(n - 1, (1 + LEVEL) / 2) * values.std(axis=0, ddof=1) / np.sqrt(n)


def _curve(ax: Axes, seeds: Scored, attack: str, floor: float, has_band: bool) -> bool:
    """The mean of seeds' steps, from the first rate on that a threshold of each of them has.

    Returns whether that is right of the left edge.
    """
    rocs = [roc(scores, is_member)[:2] for scores, is_member in seeds]
    grid = np.geomspace(floor, 1, 400)
    steps = np.array([tpr[np.searchsorted(fpr, grid, side="right") - 1] for fpr, tpr in rocs])
    first = max(fpr[1] for fpr, _ in rocs)  # of the highest score of all, as [0] calls nobody a member
    is_there = grid >= first
    mean, x = steps.mean(axis=0)[is_there], grid[is_there]
    shade, shown = style.colour(attack), np.where(mean > 0, mean, np.nan)
    ax.plot(x, shown, style.line(attack), color=shade, label=style.label(attack))
    if first > floor:  # a beginning that other curves may hide
        ax.plot(x[:1], shown[:1], "o", color=shade, markersize=3.5, clip_on=False, zorder=3)
    if has_band:
        low, high = _interval_of_steps(seeds, steps[:, is_there])
        look = {"where": mean > 0, "color": shade, "alpha": 0.15, "linewidth": 0}
        ax.fill_between(x, low.clip(floor, 1), high.clip(floor, 1), **look)
    return bool(first > floor)


def _interval_of_steps(seeds: Scored, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends (m,) of the TPRs (k, m) of k seeds at m rates: over seeds, or over the members of one."""
    mean = steps.mean(axis=0)
    if len(seeds) > 1:
        return mean - _student(steps), mean + _student(steps)
    n = int(seeds[0][1].sum())
    low, high = np.array([proportion(round(n * rate), n)[1:] for rate in mean]).T
    return low, high


def _points(ax: Axes, seeds: Scored, thresholds: np.ndarray, attack: str, number: int, floor: float) -> None:
    """FPR and TPR at each threshold, from the highest, with whiskers over seeds, on their concave hull."""
    found = np.array([_rates(scores, is_member, thresholds) for scores, is_member in seeds])  # (seeds, 2, thresholds)
    x, y = found.mean(axis=0)
    if len(seeds) > 1:
        reach = np.stack([_student(found)] * 2)
    else:
        sizes = [int((~seeds[0][1]).sum()), int(seeds[0][1].sum())]
        ends = [[proportion(round(n * rate), n) for rate in rates] for n, rates in zip(sizes, (x, y), strict=True)]
        value, low, high = np.moveaxis(np.array(ends), -1, 0)
        reach = np.stack([value - low, high - value])
    shade, style_of = style.colour(attack), style.line(attack, number)
    hull_x, hull_y = concave_hull(x, y)
    fine = np.geomspace(floor, 1, 400)  # a line between two points is bent on logarithmic axes
    is_shown = fine >= (x[x > 0].min() if np.any(x > 0) else 1)
    ax.plot(fine[is_shown], np.interp(fine[is_shown], hull_x, hull_y), style_of[1:], color=shade, linewidth=0.9)
    at = x.clip(floor), y.clip(floor)
    is_inner = (y > 0) & (x < 1)  # not where nobody, or everybody, is called a member
    low_x, low_y = (np.minimum(reach[0][k], at[k] - floor).clip(0) for k in (0, 1))  # to the edge at most
    high_x, high_y = (np.minimum(reach[1][k], 1 - at[k]).clip(0) for k in (0, 1))
    whiskers = {
        "xerr": np.stack([low_x, high_x])[:, is_inner],
        "yerr": np.stack([low_y, high_y])[:, is_inner],
        "elinewidth": 0.8,
    }
    look = {"color": shade, "markersize": 3.5, "clip_on": False, "zorder": 3}
    ax.plot([], [], style_of, color=shade, linewidth=0.9, label=style.label(attack))
    ax.errorbar(at[0][is_inner], at[1][is_inner], fmt=style_of[0], **whiskers, **look)


def _rates(scores: np.ndarray, is_member: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """FPR and TPR (2, k) where members are those with a score >= each of k thresholds."""
    called = scores >= thresholds[:, None]
    return np.stack([called[:, ~is_member].mean(axis=1), called[:, is_member].mean(axis=1)])


def concave_hull(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The vertices of the least concave curve from (0, 0) to (1, 1) above points (n,), x ascending."""
    hull: list[tuple[float, float]] = []
    for point in sorted({(0.0, 0.0), (1.0, 1.0), *zip(map(float, x), map(float, y), strict=True)}):
        while len(hull) > 1 and _turn(hull[-2], hull[-1], point) >= 0:
            hull.pop()
        if hull and hull[-1][0] == point[0]:
            hull.pop()
        hull.append(point)
    xs, ys = np.array(hull).T
    return xs, ys


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    """Above 0 where the way from a by b to c turns left."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _band_of_pool(ax: Axes, models: Scored, floor: float, colour: str) -> None:
    """A pool's 95 % interval at each of RATES rates, where anybody is found."""
    scores, is_member = (np.stack(of_models) for of_models in zip(*models, strict=True))
    rates = np.geomspace(floor, 1, RATES + 1)[:-1]
    _, *measured = measure(scores, is_member, rates.tolist(), DRAWS).values()  # without the AUC
    value, low, high = np.transpose([tpr.interval() for tpr in measured])
    ax.fill_between(rates, low.clip(floor), high.clip(floor, 1), where=value > 0, color=colour, alpha=0.15, linewidth=0)
