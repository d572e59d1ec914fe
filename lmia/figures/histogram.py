"""Distributions of an attack's score, members against non-members."""

import numpy as np

from lmia.figures import style


def plot(scored, settings):
    """scored: attack -> list over seeds of (scores (n,), is_member (n,)); settings: title, attacks.

    The first attack is shown, all seeds together; censored (infinite) scores are named in the legend, not drawn.
    """
    figure, ax = style.axes(settings)
    attack = settings["attacks"][0]
    scores = np.concatenate([scores for scores, _ in scored[attack]])
    is_member = np.concatenate([is_member for _, is_member in scored[attack]])
    finite = np.isfinite(scores)
    bins = np.linspace(0, scores[finite].max(), 41)
    for kind, colour, name in ((True, style.MEMBER, "members"), (False, style.NONMEMBER, "non-members")):
        values = scores[finite & (is_member == kind)]
        censored = int((~finite & (is_member == kind)).sum())
        text = name + (f" ({censored} censored)" if censored else "")
        weights = np.full(len(values), 1 / max(1, (is_member == kind).sum()))
        ax.hist(values, bins, weights=weights, color=colour, alpha=0.35, linewidth=0)
        ax.hist(values, bins, weights=weights, color=colour, histtype="step", linewidth=1.2, label=text)
    wrong = {kind: float((scores[is_member == kind] == 0).mean()) for kind in (True, False)}
    ax.set_title(
        f"misclassified, at 0: {wrong[True]:.0%} of members, {wrong[False]:.0%} of non-members",
        loc="left",
        fontsize=7.5,
    )
    style.percent(ax.yaxis)
    ax.set_xlabel("distance to the boundary (L2, pixel units of [0, 1])" if attack == "boundary" else f"{attack} score")
    ax.set_ylabel("share of examples (%)")
    ax.legend(loc="upper right")
    return figure
