"""Turn observations of a target and of its shadows into membership scores. Everything is chosen on the shadows."""

from dataclasses import dataclass

import numpy as np

from lmia.metrics import at_threshold, best_threshold
from lmia.observations import join_moments


@dataclass(frozen=True)
class Scored:
    """One way to run an attack: its scores (n,), shadow-tuned threshold, mean queries per example, and choice.

    setting: "" for the attack as it is meant to be run, else the one thing that is fixed, as "budget=250" or
    "degrees=4"; chosen: magnitude that the shadow picked, NaN where there is none to pick.
    """

    setting: str
    scores: np.ndarray
    threshold: float
    queries: float
    chosen: float


def run_attack(make, target, shadows, is_member, unit="", budget=None, budgets=()):
    """Score the target in every way that one attack asks for; returns a list of Scored, the main one first.

    make: () -> Attack; target: observations; shadows: non-empty list of observations of the same kind; is_member: one
    bool array per shadow; unit: name of the magnitudes; budget: most queries per example, None for all that were asked;
    budgets: smaller ones to report as well.
    """
    shadow = _concatenate(shadows)
    is_member = np.concatenate(is_member)

    def scored(setting, cap, magnitude):
        a, b = (_reduce(observations, cap, magnitude) for observations in (shadow, target))
        attack = make().fit(a, is_member)
        on_shadow = attack.score(a)
        threshold = best_threshold(on_shadow, is_member)
        quality = at_threshold(on_shadow, is_member, threshold)["accuracy"]
        chosen = np.nan if magnitude is None else magnitude
        return quality, Scored(setting, attack.score(b), threshold, float(b.queries().mean()), chosen)

    def best(setting, cap):
        ways = [scored(setting, cap, magnitude) for magnitude in shadow.settings() or [None]]
        return max(ways, key=lambda way: way[0])[1]  # the first, so the smallest magnitude, among equals

    caps = [best(f"budget={cap}", cap) for cap in budgets]
    sweep = [scored(f"{unit}={magnitude:g}", budget, magnitude)[1] for magnitude in shadow.settings()]
    return [best("", budget), *caps, *sweep]


def _reduce(observations, budget, magnitude):
    if magnitude is not None:
        observations = observations.at(magnitude)
    return observations if budget is None else observations.cut(budget)


def _concatenate(shadows):
    first = shadows[0]
    if len(shadows) == 1:
        return first
    fields = {name: getattr(first, name) for name in first.__dataclass_fields__}
    per_example = {
        name
        for name, value in fields.items()
        if name != "magnitudes" and value is not None and len(value) == len(first.classes)
    }
    joined = {name: _stack([getattr(shadow, name) for shadow in shadows]) for name in per_example}
    return type(first)(**{**fields, **joined})


def _stack(arrays):
    return join_moments(arrays) if arrays[0].ndim == 3 else np.concatenate(arrays)
