"""Claims of the paper as margins with a verdict, from the scores that they compare and the membership of their points.

Which claims there are is said in the configuration, see config/paper.yaml.
"""

from collections.abc import Hashable, Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from lmia import artifacts
from lmia.evaluation import flags
from lmia.evaluation.flags import with_models_flags
from lmia.evaluation.intervals import over_seeds
from lmia.evaluation.metrics_table import MODELS, read_measures
from lmia.evaluation.paired import Decisions, decisions, difference
from lmia.evaluation.tpr_names import fpr_of
from lmia.membership import load_membership

CLAIMS = [
    "artifact",
    "claim",
    "metric",
    "margin",
    "ci_low",
    "ci_high",
    "queries",
    "against_queries",
    "seeds",
    "verdict",
    "flags",
]
MARGINS = ["artifact", "claim", "metric", "seed", "margin", "ci_low", "ci_high", "queries", "against_queries"]
MARGINS += ["finding", "flags"]
HOLDS, FAILS, UNRESOLVED = "holds", "fails", "not resolvable"
ONE_PAIR, BY_CONSTRUCTION = "one model pair", "by construction"
CONSTANT = "constant guess"
UNRANKED = "decides without ranking"
FAILED_SHADOWS = ("shadow at chance", "shadow constant", "shadow diverged")  # whose thresholds say nothing


def claim_margins(claims: Sequence[Mapping[str, Any]], artifact: str, n_resamples: int) -> pd.DataFrame:
    """One row of MARGINS per claim and seed.

    Args:
        claims: Each has `claim`, its text, `metric`, as `seed_margin` takes it, `seeds` and two `sides`: paths as
            `scores`, `splits`, `measures` and `model_measures`, `setting` of the attack, and `of_model`, whether the
            model's accuracy is meant and not the attack's.
        artifact: Name of the table or figure that makes them.
        n_resamples: Of the bootstrap.
    """
    rows = []
    for claim in claims:
        left, right = map(load_decisions, claim["sides"])
        flagged = map(flags.join, zip(*(load_flags(side) or [""] * len(left) for side in claim["sides"]), strict=True))
        same = {"artifact": artifact, "claim": claim["claim"], "metric": claim["metric"]}
        for seed, one, other, said in zip(claim["seeds"], left, right or [None] * len(left), flagged, strict=True):
            rows.append(same | {"seed": seed} | seed_margin(one, other, n_resamples, claim["metric"], said))
    return pd.DataFrame(rows, columns=MARGINS)


def judge_margins(margins: pd.DataFrame, claims: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row of CLAIMS per claim that has margins.

    margins: rows of MARGINS of one artifact; claims: each has `claim` and `metric`, and `bounds` as `judge` takes them.
    Seeds are taken in their order, as sums are rounded.
    """
    in_order = margins.sort_values("seed", kind="stable")
    of = {key: rows for key, rows in in_order.groupby(["claim", "metric"], sort=False)}
    rows = []
    for claim in claims:
        if (found := of.get((claim["claim"], claim["metric"]))) is not None:
            rows.append(found.iloc[0][["artifact", "claim", "metric"]].to_dict() | judge(found, claim["bounds"]))
    return pd.DataFrame(rows, columns=CLAIMS)


def read_margins(path: str | PathLike[str]) -> pd.DataFrame:
    """Rows of MARGINS from a file; texts are texts, "" where a seed has no finding or flag."""
    numbers: dict[Hashable, list[str]] = {name: [""] for name in MARGINS[4:9]}
    return pd.read_csv(path, keep_default_na=False, na_values=numbers)


def load_decisions(side: Mapping[str, Any]) -> list[Decisions]:
    """The decisions of one side of a claim, over the seeds of all blocks; none of chance."""
    found = []
    for path, split in zip(side["scores"], side["splits"], strict=True):
        scored, _ = artifacts.load(path, "scores", {"scores": ("f", 3)})
        is_member = load_membership(split, scored["example_ids"])
        found += decisions(scored, is_member, side["setting"], side["of_model"])
    return found


def load_flags(side: Mapping[str, Any]) -> list[str]:
    """What speaks against the numbers of one side of a claim, of its models and its attack: of each seed.

    Of chance, none.
    """
    if not (files := [*side["measures"], *side["model_measures"]]):
        return []
    table = with_models_flags(read_measures(files), MODELS)
    metric, setting = ("test_accuracy", "") if side["of_model"] else ("accuracy", side["setting"])
    return table.loc[table["metric"].eq(metric) & table["setting"].eq(setting), "flags"].tolist()


def seed_margin(
    one: Decisions, other: Decisions | None, n_resamples: int, metric: str = "accuracy", flagged: str = ""
) -> dict[str, Any]:
    """What the models of one seed say of a claim: the last columns of MARGINS, margin and interval in points.

    `finding` is the first of these that is so, else "":

    - "not resolvable": an attack has no such metric (flag "decides without ranking"), or a rate that says nothing of
      it: of few false alarms, or of tied scores (`flags.rate_flags`).
    - "by construction": the data settle the claim whatever the attacks are worth. Both sides decide (or rank) alike
      point by point, or both are constant guesses, one of which may be chance itself.
    - "constant guess": one side is, and no attack.

    Args:
        one: See `paired.difference`.
        other: See `paired.difference`; None stands for chance.
        n_resamples: See `paired.difference`.
        metric: See `paired.difference`.
        flagged: Flags of both sides.
    """
    sides = [side for side in (one, other) if side is not None]
    value, low, high = (round(100 * number, 4) for number in difference(one, other, n_resamples, metric))
    unranked = [] if metric == "accuracy" or all(side.can_rank for side in sides) else [UNRANKED]
    unsure = [_rate_flags(side, metric) for side in sides]
    are_constant = [metric == "accuracy" and side.is_constant for side in sides]
    if np.isnan(value) or any(unsure):
        finding = UNRESOLVED
    elif all(are_constant) or other is not None and one.is_same(other, metric):
        finding = BY_CONSTRUCTION
    else:
        finding = CONSTANT if any(are_constant) else ""
    queries = {"queries": one.queries, "against_queries": other.queries if other else None}
    numbers = {"margin": value, "ci_low": low, "ci_high": high} | queries
    return numbers | {"finding": finding, "flags": flags.join([flagged, *unranked, *unsure])}


def judge(margins: pd.DataFrame, bounds: tuple[float, float | None]) -> dict[str, Any]:
    """The numbers of one row of CLAIMS: a margin, its interval in points, a verdict, and what speaks against them.

    The verdict is the first of these that is so:

    - "not resolvable": some seed cannot resolve the metric.
    - "by construction": the data settle the claim in every seed.
    - "not resolvable": in every seed a constant guess stands on one side and no attack, or some shadow has failed.
    - "one model pair": a single seed, whose interval is of that pair of models alone.
    - "holds" or "fails" where the whole interval says so, else "not resolvable".

    Args:
        margins: Rows of `seed_margin`, one per seed.
        bounds: Within which the margin must lie, in points, with both ends; without an upper one it must be larger.
    """
    value, low, high = over_seeds(margins[["margin", "ci_low", "ci_high"]].to_numpy(float))
    low, high = np.clip([low, high], -100, 100)  # Student's interval knows no bounds
    findings, flagged = margins["finding"].tolist(), flags.over_seeds(margins["flags"].tolist())
    if UNRESOLVED in findings:
        verdict = UNRESOLVED
    elif set(findings) == {BY_CONSTRUCTION}:
        verdict = BY_CONSTRUCTION if says(bounds, low, high) == HOLDS else UNRESOLVED
    elif set(findings) <= {BY_CONSTRUCTION, CONSTANT} or any(flag in flagged for flag in FAILED_SHADOWS):
        verdict = UNRESOLVED
    else:
        verdict = ONE_PAIR if len(margins) == 1 else says(bounds, low, high)
    queries = margins[["queries", "against_queries"]].astype(float).mean().round(1).to_dict()
    numbers = {"margin": round(value, 2), "ci_low": round(low, 2), "ci_high": round(high, 2)} | queries
    return numbers | {"seeds": len(margins), "verdict": verdict, "flags": flagged}


def says(bounds: tuple[float, float | None], low: float, high: float) -> str:
    """What an interval says of a margin that must lie within bounds: HOLDS, FAILS or UNRESOLVED."""
    least, most = bounds
    if most is None:  # an attack that is no more accurate than another is not above it
        return HOLDS if low > least else FAILS if high < least else UNRESOLVED
    if least <= low and high <= most:
        return HOLDS
    return FAILS if high < least or low > most else UNRESOLVED


def _rate_flags(side: Decisions, metric: str) -> str:
    """What speaks against a true-positive rate of one side."""
    if (fpr := fpr_of(metric)) is None or not side.can_rank:
        return ""
    tied = flags.rate_flags(side.scores, side.is_member, fpr)
    return flags.join([tied, flags.few_false_alarms(fpr, int(np.sum(~side.is_member)))])
