"""What is said where of no record it is known whether it was in training: decisions, but not how good they are.

A threshold that needs no known record decides all the same. How many of its calls are false, nothing here can tell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lmia.audit.findings import SCHEMA, with_own
from lmia.audit.page import NOT_TESTED, WITHOUT_REFERENCES, as_card, lay_out, table_of
from lmia.evaluation.flag_texts import parted
from lmia.evaluation.flags import attack_flags
from lmia.splits import MIN_KNOWN


@dataclass(frozen=True)
class Decisions:
    """Of an attack on m records in question.

    attack: its name; scores: floats (m,), higher = more member-like; threshold: a record with such a score or a higher
    one is called a member; queries: mean per record; searches: (censored, all) that the scores rest on; n_random: how
    many random inputs the threshold is from.
    """

    attack: str
    scores: np.ndarray
    threshold: float
    queries: float
    searches: tuple[int, int]
    n_random: int

    @property
    def called(self) -> np.ndarray:
        """Bools (m,)."""
        return self.scores >= self.threshold


def report(
    decisions: Sequence[Decisions],
    ids: np.ndarray,
    about: Mapping[str, Any],
    accuracy: Sequence[float],
    flags: Sequence[str],
    columns: pd.DataFrame | None = None,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """The whole as (plain values, one row for each record).

    decisions: of at least one attack; ids: of the records in question, ints (m,); about: see
    `lmia.audit.findings.report`; accuracy: [share of these that the model labels rightly, low, high]; flags: of the
    model; columns: see there.
    """
    of_attacks = [(of.attack, flag) for of in decisions for flag in parted(_flags(of))]
    whole = {
        "schema": SCHEMA,
        "kind": "decisions",
        **about,
        "verdict": None,
        "in_question": {"records": len(ids)},
        "model": {"name": about["model"], "accuracy_in_question": list(accuracy)},
        "attacks": [
            {"attack": of.attack, "queries": of.queries, "called": int(of.called.sum())}
            | {"threshold": of.threshold if np.isfinite(of.threshold) else None, "random_inputs": of.n_random}
            for of in decisions
        ],
        "flags": [*sorted(flags), *(f"{name}: {flag}" for name, flag in of_attacks)],
    }
    found = {"is_member": np.full(len(ids), None)}
    for of in decisions:
        found |= {f"score_of_{of.attack}": of.scores.round(6), f"called_by_{of.attack}": of.called.astype(int)}
    own = pd.DataFrame(index=ids) if columns is None else columns.iloc[ids]
    return whole, with_own(ids, pd.DataFrame(found), own)


def _flags(of: Decisions) -> str:
    return attack_flags(of.scores, of.threshold, *of.searches)


def sentences(report: Mapping[str, Any]) -> dict[str, list[str]]:
    """Heading -> what is said under it, in plain words."""
    total = report["in_question"]["records"]
    share, low, high = (100 * number for number in report["model"]["accuracy_in_question"])
    return {
        "answer": ["Nobody can say whether the model leaks, as of no record it is known whether it was in training."],
        "What was found": [
            *(
                f"By its threshold from {of['random_inputs']:,} random inputs, {of['attack']} calls {of['called']:,} "
                f"of {total:,} records in question members."
                for of in report["attacks"]
            ),
            "records.csv has the call on each record.",
        ],
        "How sure this is": [
            "No number here says how sure a call is: how many records that were not in training are called members as "
            "well, nobody knows, and it may be most of them.",
            "A model labels many records that it never saw as surely as those that it was trained on, and a record "
            "that it labels wrongly is called no member, whether it was one or not.",
            f"It labels {share:.1f} % of the records in question rightly [{low:.1f}, {high:.1f}]; if that is far from "
            "what you know of it, it was asked wrongly, and nothing here is true.",
            f"{MIN_KNOWN} records of the same population that were certainly not in training would tell the share of "
            f"false calls; {MIN_KNOWN} or more of each kind would tell whether the model leaks.",
        ],
        "What was not tested": [WITHOUT_REFERENCES, *NOT_TESTED],
    }


def to_html(report: Mapping[str, Any]) -> str:
    """The page. It loads nothing from elsewhere."""
    rows = [["attack", "labels per record", "called members"]]
    rows += [[of["attack"], f"{of['queries']:.0f}", f"{of['called']:,}"] for of in report["attacks"]]
    note = "A call is no evidence that a record was in training."
    return lay_out(report, sentences(report), "", ["<h2>All attacks</h2>", table_of(rows)], note)


def to_card(report: Mapping[str, Any]) -> str:
    """A paragraph for a model card, in Markdown."""
    return as_card(report, sentences(report))
