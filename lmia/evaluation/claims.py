"""Claims of the paper as margins with a verdict, from the scores that they compare and the membership of their points.

Which claims there are is said in the configuration, see config/paper.yaml.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lmia import artifacts
from lmia.evaluation import flags
from lmia.evaluation.intervals import LEVEL, over_seeds
from lmia.evaluation.metrics_table import flags_over_seeds, read_measures
from lmia.membership import load_membership
from lmia.streams import stream

CLAIMS = ["artifact", "claim", "margin", "ci_low", "ci_high", "queries", "against_queries", "seeds", "verdict", "flags"]


@dataclass(frozen=True)
class Decisions:
    """What one attack said of one target's points, or the target itself of its non-members.

    correct, is_member: bools (n,); example_ids: ints (n,); queries: mean per point.
    """

    correct: np.ndarray
    is_member: np.ndarray
    example_ids: np.ndarray
    queries: float

    def accuracy(self, weights: np.ndarray | None = None) -> float:
        """Balanced over members and non-members that there are; weights (n,): how often each counts, default once."""
        weights = np.ones(len(self.correct)) if weights is None else weights
        groups = [group for group in (self.is_member, ~self.is_member) if group.any()]
        return float(np.mean([np.average(self.correct[group], weights=weights[group]) for group in groups]))


def judge_claims(claims: Sequence[Mapping[str, Any]], artifact: str, n_resamples: int) -> pd.DataFrame:
    """One row of CLAIMS per claim.

    Args:
        claims: each has `claim`, its text, `at_least` and `within`, as `judge_claim` takes them, and two `sides`: paths
            as `scores`, `splits`, `measures` and `model_measures`, `setting` of the attack, and `of_model`, whether the
            model's accuracy is meant and not the attack's.
        artifact: name of the table or figure that makes them.
        n_resamples: of the bootstrap.
    """
    rows = []
    for claim in claims:
        left, right = map(load_decisions, claim["sides"])
        row = judge_claim(left, right, n_resamples, claim["at_least"], claim["within"])
        found = flags.join(load_flags(side) for side in claim["sides"])
        rows.append(row | {"artifact": artifact, "claim": claim["claim"], "flags": found})
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


def decisions(
    scored: dict[str, np.ndarray], is_member: np.ndarray, setting: str, of_model: bool = False
) -> Iterator[Decisions]:
    """The `Decisions` of one attack in one setting, for each seed of a block.

    Args:
        scored: arrays of an artifact of scores.
        is_member: bools (s, n), of its points.
        setting: one of the attack's.
        of_model: the scores are the gap attack's, and what counts is how often the model is right on non-members.
    """
    v = scored["settings"].tolist().index(setting)
    columns = (scored["scores"][:, v], scored["thresholds"][:, v], scored["example_ids"], scored["queries"][:, v])
    for scores, threshold, ids, queries, is_in in zip(*columns, is_member, strict=True):
        if of_model:  # scores are 1 where the label is right; the threshold may be that of a constant rule
            yield Decisions(scores[~is_in] == 1, is_in[~is_in], ids[~is_in], 1.0)
        else:
            yield Decisions((scores >= threshold) == is_in, is_in, ids, float(queries))


def margin(left: Sequence[Decisions], right: Sequence[Decisions], n_resamples: int) -> tuple[float, float, float]:
    """Mean difference of the balanced accuracies of two attacks with its 95 % interval, fractions.

    left, right: over seeds, in the same order; right may be empty, which stands for chance. Several
    seeds: interval over the seeds' differences. One seed: bootstrap over members and non-members, the same draws for
    both where both saw the same points.
    """
    baselines = [other.accuracy() for other in right] or [0.5] * len(left)
    differences = [one.accuracy() - base for one, base in zip(left, baselines, strict=True)]
    if len(differences) > 1:
        return over_seeds(differences, n_resamples)
    rng = stream(0, "bootstrap of a margin")
    draws = [_draw(left[0], right[0] if right else None, rng) for _ in range(n_resamples)]
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return differences[0], float(low), float(high)


def _draw(one: Decisions, other: Decisions | None, rng: np.random.Generator) -> float:
    """The difference of one resample."""
    weights = _resample(one, rng)
    if other is None:
        return one.accuracy(weights) - 0.5
    paired = np.array_equal(one.example_ids, other.example_ids)
    return one.accuracy(weights) - other.accuracy(weights if paired else _resample(other, rng))


def _resample(decisions: Decisions, rng: np.random.Generator) -> np.ndarray:
    """How often each point is drawn, members and non-members each among themselves, ints (n,)."""
    weights = np.zeros(len(decisions.correct), int)
    for group in (decisions.is_member, ~decisions.is_member):
        if n := group.sum():
            weights[group] = rng.multinomial(n, np.full(n, 1 / n))
    return weights


def judge_claim(
    left: Sequence[Decisions],
    right: Sequence[Decisions],
    n_resamples: int,
    at_least: float = 0.0,
    within: float | None = None,
) -> dict[str, Any]:
    """The numbers of one row of CLAIMS: a margin, its interval in points, and a verdict.

    The verdict is "holds" or "fails" only where the whole interval says so.

    Args:
        left: See `margin`.
        right: See `margin`.
        n_resamples: See `margin`.
        at_least: The margin must be larger, in points.
        within: It must instead be no larger either way, in points.
    """
    value, low, high = (100 * number for number in margin(left, right, n_resamples))
    if within is None:
        holds, fails = low > at_least, high < at_least
    else:
        holds, fails = -within <= low and high <= within, high < -within or low > within
    queries = {"queries": _mean_queries(left), "against_queries": _mean_queries(right)}
    numbers = {"margin": round(value, 2), "ci_low": round(low, 2), "ci_high": round(high, 2)}
    verdict = "holds" if holds else "fails" if fails else "not resolvable"
    return numbers | queries | {"seeds": len(left), "verdict": verdict}


def _mean_queries(decisions: Sequence[Decisions]) -> float | None:
    return round(float(np.mean([one.queries for one in decisions])), 1) if decisions else None
