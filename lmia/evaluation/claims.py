"""Claims of the paper as margins with a verdict, from the scores that they compare and the membership of their points.

Which claims there are is said in the configuration, see config/paper.yaml.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lmia import artifacts
from lmia.evaluation import flags
from lmia.evaluation.metrics_table import flags_over_seeds, read_measures
from lmia.evaluation.paired import Decisions, decisions, margin
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
HOLDS, FAILS, UNRESOLVED = "holds", "fails", "not resolvable"
ONE_PAIR, BY_CONSTRUCTION = "one model pair", "by construction"
UNRANKED = "decides without ranking"
FAILED_SHADOWS = ("shadow at chance", "shadow constant", "shadow diverged")  # whose thresholds say nothing


def judge_claims(claims: Sequence[Mapping[str, Any]], artifact: str, n_resamples: int) -> pd.DataFrame:
    """One row of CLAIMS per claim.

    Args:
        claims: Each has `claim`, its text, `metric` and `bounds`, as `judge_claim` takes them, and two `sides`: paths
            as `scores`, `splits`, `measures` and `model_measures`, `setting` of the attack, and `of_model`, whether the
            model's accuracy is meant and not the attack's.
        artifact: Name of the table or figure that makes them.
        n_resamples: Of the bootstrap.
    """
    rows = []
    for claim in claims:
        left, right = map(load_decisions, claim["sides"])
        found = flags.join(load_flags(side) for side in claim["sides"])
        row = judge_claim(left, right, n_resamples, claim["bounds"], claim["metric"], found)
        rows.append(row | {"artifact": artifact, "claim": claim["claim"]})
    return pd.DataFrame(rows, columns=CLAIMS)


def load_decisions(side: Mapping[str, Any]) -> list[Decisions]:
    """The decisions of one side of a claim, over the seeds of all blocks; none of chance."""
    found = []
    for path, split in zip(side["scores"], side["splits"], strict=True):
        scored, _ = artifacts.load(path, "scores", {"scores": ("f", 3)})
        is_member = load_membership(split, scored["example_ids"])
        found += decisions(scored, is_member, side["setting"], side["of_model"])
    return found


def load_flags(side: Mapping[str, Any]) -> str:
    """What speaks against the numbers of one side of a claim: of its models and its attack, over its seeds."""
    if side["of_model"]:
        table = read_measures(side["model_measures"])
        return flags.over_seeds(table[table["metric"].eq("test_accuracy")]["flags"].tolist())
    if not side["measures"]:  # chance
        return ""
    [(_, text)] = flags_over_seeds(read_measures([*side["measures"], *side["model_measures"]]), side["setting"]).values
    return text


def judge_claim(
    left: Sequence[Decisions],
    right: Sequence[Decisions],
    n_resamples: int,
    bounds: tuple[float, float | None],
    metric: str = "accuracy",
    flagged: str = "",
) -> dict[str, Any]:
    """The numbers of one row of CLAIMS: a margin, its interval in points, a verdict, and what speaks against them.

    The verdict is the first of these that is so:

    - "not resolvable": an attack has no such metric (flag "decides without ranking"), or a rate that says nothing of
      it: of few false alarms, or of tied scores (`flags.rate_flags`).
    - "by construction": the data settle the claim whatever the attacks are worth. Both sides decide (or rank) alike
      point by point, or both are constant guesses, one of which may be chance itself.
    - "not resolvable": a constant guess or a failed shadow stands on one side, and no attack.
    - "one model pair": a single seed, whose interval is of that pair of models alone.
    - "holds" or "fails" where the whole interval says so, else "not resolvable".

    Args:
        left: See `paired.margin`.
        right: See `paired.margin`.
        n_resamples: See `paired.margin`.
        bounds: Within which the margin must lie, in points, with both ends; without an upper one it must be larger.
        metric: See `paired.margin`.
        flagged: Flags of both sides.
    """
    sides = [*left, *right]
    value, low, high = (100 * number for number in margin(left, right, n_resamples, metric))
    unranked = [] if metric == "accuracy" or all(one.can_rank for one in sides) else [UNRANKED]
    unsure = [_rate_flags(side, metric) for side in (left, right)]
    if np.isnan(value) or any(unsure):
        verdict = UNRESOLVED
    elif _is_settled(left, right, metric):
        verdict = BY_CONSTRUCTION if says(bounds, low, high) == HOLDS else UNRESOLVED
    elif (
        metric == "accuracy"
        and any(map(_is_constant, (left, right)))
        or any(flag in flagged for flag in FAILED_SHADOWS)
    ):
        verdict = UNRESOLVED
    else:
        verdict = ONE_PAIR if len(left) == 1 else says(bounds, low, high)
    numbers = {"margin": round(value, 2), "ci_low": round(low, 2), "ci_high": round(high, 2)}
    queries = {"queries": _mean_queries(left), "against_queries": _mean_queries(right)}
    about = {"metric": metric, "seeds": len(left), "verdict": verdict}
    return about | numbers | queries | {"flags": flags.join([flagged, *unranked, *unsure])}


def says(bounds: tuple[float, float | None], low: float, high: float) -> str:
    """What an interval says of a margin that must lie within bounds: HOLDS, FAILS or UNRESOLVED."""
    least, most = bounds
    if most is None:  # an attack that is no more accurate than another is not above it
        return HOLDS if low > least else FAILS if high < least else UNRESOLVED
    if least <= low and high <= most:
        return HOLDS
    return FAILS if high < least or low > most else UNRESOLVED


def _is_settled(left: Sequence[Decisions], right: Sequence[Decisions], metric: str) -> bool:
    """Whether no answer of a model enters the margin: see `judge_claim`."""
    if metric == "accuracy" and all(one.is_constant for one in (*left, *right)):
        return True
    return bool(right) and all(one.is_same(other, metric) for one, other in zip(left, right, strict=True))


def _is_constant(side: Sequence[Decisions]) -> bool:
    """Whether an attack guesses the same of all points of every seed."""
    return bool(side) and all(one.is_constant for one in side)


def _rate_flags(side: Sequence[Decisions], metric: str) -> str:
    """What speaks against a true-positive rate of one side: of the first seed of which something does."""
    if (fpr := fpr_of(metric)) is None:
        return ""
    texts = [
        flags.join([flags.rate_flags(one.scores, one.is_member, fpr), flags.few_false_alarms(fpr, sum(~one.is_member))])
        for one in side
        if one.can_rank
    ]
    return next(filter(None, texts), "")


def _mean_queries(decisions: Sequence[Decisions]) -> float | None:
    return round(float(np.mean([one.queries for one in decisions])), 1) if decisions else None
