"""Turn observations of a target and of its shadows into membership scores. Everything is chosen on the shadows."""

from dataclasses import dataclass, replace

import numpy as np

from lmia.evaluation.metrics import at_threshold, best_threshold


@dataclass(frozen=True)
class Scored:
    """One way to run an attack: its scores (n,), shadow-tuned threshold, mean queries per example, and choice.

    setting: "" for the attack as it is meant to be run, else the one thing that is fixed, as "budget=250" or
    "degrees=4"; chosen: magnitude that the shadow picked, NaN where there is none to pick; searches: (censored, all)
    that the scores rest on, of the target's points.
    """

    setting: str
    scores: np.ndarray
    threshold: float
    queries: float
    chosen: float
    searches: tuple[int, int]


def run_attack(make, target, shadows, is_member, unit="", budget=None, budgets=()):
    """Score the target in every way that one attack asks for; returns a list of Scored, the main one first.

    make: () -> Attack; target: observations; shadows: non-empty list of observations of the same kind; is_member: one
    bool array per shadow; unit: name of the magnitudes; budget: most queries per example, None for all that were asked;
    budgets: smaller ones to report as well.
    """
    shadow = type(shadows[0]).concatenate(shadows)
    is_member = np.concatenate(is_member)

    def run(cap):
        """(quality on the shadow, Scored) of each magnitude, or of the one way there is."""
        return [_run(make, target, shadow, is_member, cap, magnitude) for magnitude in shadow.settings() or [None]]

    def best(ways, setting):
        # max takes the first, so the smallest magnitude, among equals
        return replace(max(ways, key=lambda way: way[0])[1], setting=setting)

    ways = run(budget)
    caps = [best(run(cap), f"budget={cap}") for cap in budgets]
    sweep = [replace(way, setting=f"{unit}={way.chosen:g}") for _, way in ways if shadow.settings()]
    return [best(ways, ""), *caps, *sweep]


def _run(make, target, shadow, is_member, budget, magnitude):
    """(balanced accuracy on the shadow, Scored) of an attack at one budget and magnitude."""
    shadow, target = (_reduce(observations, budget, magnitude) for observations in (shadow, target))
    attack = make().fit(shadow, is_member)
    # A rule that learns fits its own rows too well: where it has scores of rows held out from it, they decide.
    on_shadow = attack.shadow_scores() if hasattr(attack, "shadow_scores") else attack.score(shadow)
    scores, queries = attack.score(target), float(target.queries().mean())
    chosen = np.nan if magnitude is None else magnitude
    fixed = getattr(attack, "threshold", None)
    threshold = best_threshold(on_shadow, is_member) if fixed is None else fixed
    way = Scored("", scores, threshold, queries, chosen, target.searches())
    return at_threshold(on_shadow, is_member, threshold)["accuracy"], way


def _reduce(observations, budget, magnitude):
    if magnitude is not None:
        observations = observations.at(magnitude)
    return observations if budget is None else observations.cut(budget)
