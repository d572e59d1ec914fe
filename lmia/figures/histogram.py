"""Distributions of an attack's score, members against non-members."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lmia.figures import style

DISTANCE = "distance to the boundary (L2, pixel units of [0, 1])\n0: misclassified"


@style.look()
def plot(scored: Mapping[str, Sequence[tuple[np.ndarray, np.ndarray]]], options: Mapping[str, Any]) -> style.Drawn:
    """scored: attack -> list over seeds of (scores (n,), is_member (n,)); options: title, attacks, and observation,
    what the attack reads, by which its scores are distances or not.

    The first attack is shown, all seeds together; censored (infinite) scores are counted in the caption, not drawn.
    """
    figure, ax = style.axes(options)
    lines = []
    attack = options["attacks"][0]
    scores = np.concatenate([scores for scores, _ in scored[attack]])
    is_member = np.concatenate([is_member for _, is_member in scored[attack]])
    bins = np.linspace(0, max(scores[np.isfinite(scores)], default=1), 41)
    for kind, colour, name in ((True, style.MEMBER, "members"), (False, style.NONMEMBER, "non-members")):
        group = scores[is_member == kind]
        values = group[np.isfinite(group)]
        weights = np.full(len(values), 1 / len(group))
        ax.hist(values, bins, weights=weights, color=colour, alpha=0.35, linewidth=0)
        ax.hist(values, bins, weights=weights, color=colour, histtype="step", linewidth=1.2, label=name)
        lines.append(f"Of {len(group):,} {name}, {_special(group)}.")
    style.percent(ax.yaxis)
    lines += [f"Points of {n} seeds together."] if (n := len(scored[attack])) > 1 else []
    is_distance = options["observation"] in ("distances", "white_box")
    ax.set_xlabel(DISTANCE if is_distance else style.wrapped(f"{style.label(attack)} score"))
    ax.set_ylabel("share of examples (%)")
    style.finish(figure)
    return style.Drawn(figure, lines)


def _special(scores: np.ndarray) -> str:
    """What the bars do not show: how much of the first lies at 0 itself, and how many searches found nothing."""
    censored = int(np.isinf(scores).sum())
    return f"{100 * (scores == 0).mean():.0f} % are at 0" + (f", and {censored} are censored" if censored else "")
