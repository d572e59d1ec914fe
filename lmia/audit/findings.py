"""What all attacks on a given model found, put together, for the page, for a program, and record by record."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lmia.attacks.known_records import halves, halves_in_question, in_both_measures
from lmia.audit.exposure import Exposure, at_prior, expose, expose_in_question
from lmia.audit.groups import exposed_by_group
from lmia.audit.verdict import TELLING, Finding, accuracy_of, errors_of, judge
from lmia.evaluation.flag_texts import parted
from lmia.evaluation.flags import FEW
from lmia.evaluation.metrics_table import ALL_SEEDS

SCHEMA = 1  # of the report for programs; a new number where a key has another meaning
SHOWN = ("accuracy", "auc", "train_accuracy", "test_accuracy", "tpr_at_")  # how names of metrics begin that are told
NOT_SHOWN = "accuracy_over"


def report(
    scored: Mapping[str, Mapping[str, np.ndarray]],
    is_member: np.ndarray,
    table: pd.DataFrame,
    about: Mapping[str, Any],
    seed: int,
    columns: pd.DataFrame | None = None,
    naming: str | None = None,
    alternatives: Sequence[Mapping[str, Any]] = (),
    in_question: Mapping[str, Mapping[str, np.ndarray]] | None = None,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """The whole audit as (plain values, one row for each record).

    scored: of each attack that reads labels alone, arrays of its artifact of scores; is_member: bools (n,), of the
    records in the order of theirs; table: all rows of the study, as `lmia.evaluation.metrics_table` has them; about:
    "study", "dataset", "model", "n_train"; "prior", the share of records that is believed to be in training, or None;
    "references", whether models like it were trained to compare; "shadows", how many its thresholds come from; seed: of
    the study, by which halves were drawn; columns: texts of the data set's own, a row for each of its records; naming:
    that of them which names records, and is no group; alternatives: reports of other models, to compare with;
    in_question: of each attack, the like of `scored` of records of which nobody knows, None for none: they are in no
    number but those of their own.
    """
    findings, reach = [], errors_of(len(scored))
    for name, of in scored.items():
        called = of["scores"][0, 0] >= of["thresholds"][0, 0]
        findings.append(Finding(name, float(of["queries"][0, 0]), accuracy_of(called, is_member, reach)))
    verdict = judge(findings)
    half = halves(is_member, seed)
    known = {name: in_both_measures(of, half) for name, of in scored.items()}, is_member, half
    exposure = expose(*known)
    rows = table.loc[table["seed"].eq(ALL_SEEDS) & table["setting"].eq("")]
    (ids,) = next(iter(scored.values()))["example_ids"]
    own = pd.DataFrame(index=ids) if columns is None else columns.iloc[ids]
    groups = own.drop(columns=[naming] if naming else []).reset_index(drop=True)
    exposed = [int((exposure.is_exposed & (is_member == kind)).sum()) for kind in (True, False)]
    whole = {
        "schema": SCHEMA,
        "kind": "audit",  # or "comparison", of lmia.audit.standing_page
        **about,
        "records_of_each_kind": int(is_member.sum()),
        "verdict": verdict.kind,
        "strongest": verdict.strongest.attack,
        "bound": verdict.bound,
        "telling_bound": TELLING,
        "records_needed": verdict.records_needed,
        "model": {"name": about["model"], **_metrics(rows, "")},
        "attacks": [_attack(finding, rows) for finding in findings],
        "for_comparison": [_other(name, rows) for name in _others(rows, scored)],
        "exposed": dict(zip(("members", "others"), exposed, strict=True)),
        "surest": (surest := _surest(exposure)),
        "at_prior": about["prior"] and [at_prior(number, about["prior"]) for number in surest["probability"]],
        "in_question": None,
        "groups": exposed_by_group(groups, is_member, exposure.is_exposed),
        "alternatives": [],
        "flags": _flags(rows),
    }
    if alternatives:
        whole["alternatives"] = [_beside(one) for one in (whole, *alternatives)]
    records = _records(ids, is_member.astype(int), exposure, own, about["prior"])
    if in_question:
        (others,) = next(iter(in_question.values()))["example_ids"]
        exposure = expose_in_question(*known, _scores_of(in_question), halves_in_question(others, seed))
        whole["in_question"] = {"records": len(others), "exposed": int(exposure.is_exposed.sum())}
        own = pd.DataFrame(index=others) if columns is None else columns.iloc[others]
        nobody_knows = np.full(len(others), None)
        parts = [records, _records(others, nobody_knows, exposure, own, about["prior"])]
        records = pd.concat(parts).sort_values("record", ignore_index=True).astype({"is_member": "Int64"})
    return whole, records


def _flags(rows: pd.DataFrame) -> list[str]:
    """Flags of the model, and those of single attacks, with their names; the page's table has those of rates."""
    of_model = {flag for text in rows.loc[rows["attack"].eq(""), "flags"] for flag in parted(text)}
    pairs = zip(rows["attack"], rows["flags"], strict=True)
    of_attacks = {(name, flag) for name, text in pairs for flag in parted(text) if name and not FEW.fullmatch(flag)}
    return [*sorted(of_model), *(f"{name}: {flag}" for name, flag in sorted(of_attacks) if flag not in of_model)]


def _scores_of(scored: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """attack -> scores (n,), as it is meant to be run."""
    return {name: of["scores"][0, 0] for name, of in scored.items()}


def _surest(exposure: Exposure) -> dict[str, Any]:
    """The records that an attacker is surest of to be members: how many, and their probability with its interval.

    The lower end holds, and the probability is too high: it is that of the best of all bins.
    """
    place = int(np.argmax(exposure.low))
    alike = np.isclose(exposure.low, exposure.low[place]) & np.isclose(exposure.high, exposure.high[place])
    numbers = (exposure.probability[place], exposure.low[place], exposure.high[place])
    return {"records": int(alike.sum()), "probability": [float(number) for number in numbers]}


def _beside(report: Mapping[str, Any]) -> dict[str, Any]:
    """What one model is compared by: how good it is, and what the strongest attack on it finds."""
    (strongest,) = (attack for attack in report["attacks"] if attack["attack"] == report["strongest"])
    return {
        "model": report["model"]["name"],
        "test_accuracy": report["model"].get("test_accuracy"),
        "verdict": report["verdict"],
        "strongest": report["strongest"],
        "accuracy_of_all": strongest["accuracy_of_all"],
        "exposed": report["exposed"]["members"],
        "records": report["records_of_each_kind"],
    }


def _attack(finding: Finding, rows: pd.DataFrame) -> dict[str, Any]:
    same = {"attack": finding.attack, "queries": finding.queries, "accuracy_of_all": list(finding.accuracy)}
    return same | _metrics(rows, finding.attack)


def _other(name: str, rows: pd.DataFrame) -> dict[str, Any]:
    row = rows.loc[rows["attack"].eq(name)].iloc[0]
    return {"attack": name, "access": row["access"], "queries": float(row["queries"])} | _metrics(rows, name)


def _others(rows: pd.DataFrame, scored: Mapping[str, Any]) -> Sequence[str]:
    """Attacks that need more than labels."""
    return [name for name in rows["attack"].unique() if name and name not in scored]


def _metrics(rows: pd.DataFrame, attack: str) -> dict[str, list[float] | None]:
    """Metric -> [value, low, high] of an attack, or of the model itself; None where it cannot be told."""
    found = {}
    for row in rows.loc[rows["attack"].eq(attack)].to_dict("records"):
        if row["metric"].startswith(SHOWN) and not row["metric"].startswith(NOT_SHOWN):
            numbers = [float(row[name]) for name in ("value", "ci_low", "ci_high")]
            found[row["metric"]] = None if np.isnan(numbers).any() else numbers
    return found


def _records(
    ids: np.ndarray, membership: np.ndarray, exposure: Exposure, own: pd.DataFrame, prior: float | None
) -> pd.DataFrame:
    """One row for each record, in the order of their numbers in the data set, with the data set's own columns."""
    found = pd.DataFrame(
        {
            "is_member": membership,
            "attack": exposure.attack,
            "score": exposure.score.round(6),
            "probability": exposure.probability.round(4),
            "low": exposure.low.round(4),
            "high": exposure.high.round(4),
            "exposed": exposure.is_exposed.astype(int),
        }
    )
    if prior:
        found["at_prior"] = at_prior(exposure.probability, prior).round(4)
    return with_own(ids, found, own)


def with_own(ids: np.ndarray, found: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """What was found of records, after their numbers (n,) and the data set's own columns, a row for each as well."""
    taken = {"record", *found.columns}
    own = own.rename(columns={name: f"{name} (data)" for name in own.columns if name in taken})
    return pd.concat([pd.DataFrame({"record": ids}), own.reset_index(drop=True), found], axis=1)
