"""Claims of the paper, judged on the scores of the attacks that they compare and on the membership of their points."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lmia import artifacts
from lmia.evaluation import flags
from lmia.evaluation.metrics_table import flags_over_seeds, read_measures
from lmia.evaluation.paper_comparison import CLAIMS, Decisions, judge_claim
from lmia.membership import load_membership


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
