"""What is said where hardly a member is known: which records in question stand out from others, and no verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lmia.audit.findings import SCHEMA, with_own
from lmia.audit.page import NOT_TESTED, WITH_REFERENCES, WITHOUT_REFERENCES, as_card, lay_out, table_of
from lmia.audit.standing_out import FALSE_SHARE, compare, discoveries, p_values, together
from lmia.audit.verdict import CANNOT_TELL
from lmia.evaluation.blind import blind_scores, permutation_test
from lmia.evaluation.intervals import LEVEL, proportion

FEWEST_BLIND = 10  # records in question from which on it is tested whether they differ by themselves


def blind_flags(
    inputs: np.ndarray, classes: np.ndarray, known_ids: np.ndarray, ids: np.ndarray, seed: int
) -> list[str]:
    """A flag where records in question differ from known ones without the model: a p-value may be that difference.

    inputs (N, *shape), classes (N,): of the data set; known_ids, ids: ints (n,), (m,); seed: see `blind_auc`. By chance
    2.5 % of audits have it, however few records are in question.
    """
    if len(ids) < FEWEST_BLIND:
        return []
    both = np.sort(np.concatenate([known_ids, ids]))
    auc, p_value = permutation_test(*blind_scores(inputs[both], classes[both], np.isin(both, ids), seed), seed)
    differ = f"records in question and known others differ by themselves (AUC {auc:.3f})"
    return [differ] if p_value <= (1 - LEVEL) / 2 else []


def report(
    known: Mapping[str, np.ndarray],
    in_question: Mapping[str, np.ndarray],
    queries: Mapping[str, float],
    thresholds: Mapping[str, float | None],
    ids: np.ndarray,
    about: Mapping[str, Any],
    test_accuracy: Sequence[float],
    flags: Sequence[str],
    columns: pd.DataFrame | None = None,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """The whole as (plain values, one row for each record in question).

    known: scores of known non-members by each attack, floats (n,); in_question: the like, floats (m,); queries: of each
    attack, mean per record; thresholds: of each attack its own, that of random inputs, None where it has none; ids: of
    the records in question, ints (m,); about: see `lmia.audit.findings.report`; test_accuracy: [value, low, high], on
    the known ones; flags: what is to be told of the model and of attacks, in words; columns: see there.
    """
    standing, n = compare(known, in_question), len(next(iter(known.values())))
    rate = FALSE_SHARE / len(known)
    own = {name: threshold for name, threshold in thresholds.items() if threshold is not None}
    alone = {name: int(discoveries(p_values(known[name], in_question[name]), rate).sum()) for name in known}
    whole = {
        "schema": SCHEMA,
        "kind": "comparison",
        **about,
        "verdict": CANNOT_TELL,
        "known_others": n,
        "in_question": {"records": len(ids), "stand_out": int(standing.stands_out.sum()), "false_share": FALSE_SHARE},
        "model": {"name": about["model"], "test_accuracy": list(test_accuracy)},
        "attacks": [
            {"attack": name, "queries": queries[name], "stand_out": alone[name]}
            | {"by_random_inputs": _called(known[name], in_question[name], own[name]) if name in own else None}
            for name in known
        ],
        "flags": sorted(flags),
    }
    found = pd.DataFrame(
        {
            "is_member": np.full(len(ids), None),
            "attack": standing.attack,
            "score": standing.score.round(6),
            "p_value": standing.p_value.round(6),
            "stands_out": standing.stands_out.astype(int),
            **{f"called_by_{name}": (in_question[name] >= own[name]).astype(int) for name in own},
        }
    )
    return whole, with_own(ids, found, pd.DataFrame(index=ids) if columns is None else columns.iloc[ids])


def _called(known: np.ndarray, in_question: np.ndarray, threshold: float) -> dict[str, Any]:
    """What a threshold calls members: how many in question, and which share of known ones that were none."""
    false = proportion(int((known >= threshold).sum()), len(known))
    return {"in_question": int((in_question >= threshold).sum()), "false_alarms": [float(number) for number in false]}


def sentences(report: Mapping[str, Any]) -> dict[str, list[str]]:
    """Heading -> what is said under it, in plain words."""
    asked, n, attacks = report["in_question"], report["known_others"], report["attacks"]
    found, total = asked["stand_out"], asked["records"]
    for_all = f", for {len(attacks)} attacks together" if len(attacks) > 1 else ""
    share, low, high = report["model"]["test_accuracy"]
    return {
        "answer": [
            "These records cannot tell whether the model leaks in general.",
            f"Of {total:,} records in question, {found:,} stand out from records that were not in training.",
        ],
        "What was found": [
            f"Among those that stand out, {100 * asked['false_share']:g} % at most are expected to do so by chance"
            f"{for_all}."
            if found
            else "That none stands out does not say that none was in training.",
            f"With {n:,} known records, no p-value is below {1 / (n + 1):.2g}. records.csv has that of each record. "
            + _least(together(n, total, len(attacks)), total),
            *map(_by_random_inputs, filter(lambda of: of["by_random_inputs"], attacks)),
        ],
        "How sure this is": [
            f"{n:,} records were asked that the model was not trained on, and too few that it was: so nobody knows how "
            "many records in training an attack misses.",
            "It holds if records in question that were not in training come from the same population as those known.",
            f"The model labels {100 * share:.1f} % of the known ones rightly [{100 * low:.1f}, {100 * high:.1f}]; if "
            "you know another number, it was asked wrongly, and nothing here is true.",
        ],
        "What was not tested": [WITH_REFERENCES if report["references"] else WITHOUT_REFERENCES, *NOT_TESTED],
    }


def _least(least: int, total: int) -> str:
    if least > total:
        return "None can stand out with so few."
    return f"{least:,} or more stand out together, by the same attack, or none does." if least > 1 else "One can alone."


def _by_random_inputs(attack: Mapping[str, Any]) -> str:
    called = attack["by_random_inputs"]
    share, low, high = (100 * number for number in called["false_alarms"])
    return (
        f"By its threshold from random inputs, {attack['attack']} calls {called['in_question']:,} of them members, and "
        f"{share:.1f} % of the known records, which are none [{low:.1f}, {high:.1f}]."
    )


def to_html(report: Mapping[str, Any]) -> str:
    """The page. It loads nothing from elsewhere."""
    rows = [["attack", "labels per record", "stand out"]]
    rows += [[of["attack"], f"{of['queries']:.0f}", f"{of['stand_out']:,}"] for of in report["attacks"]]
    note = "Only records that were in training and are known tell whether a model leaks."
    return lay_out(report, sentences(report), "", ["<h2>All attacks</h2>", table_of(rows)], note)


def to_card(report: Mapping[str, Any]) -> str:
    """A paragraph for a model card, in Markdown."""
    return as_card(report, sentences(report))
