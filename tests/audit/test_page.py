"""The page says what the numbers say, for each verdict, loads nothing from elsewhere, and is valid HTML."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmia.audit.findings import report
from lmia.audit.page import to_card, to_html
from lmia.audit.verdict import CANNOT_TELL
from lmia.evaluation.intervals import evaluate
from tests.audit.nulls import verdicts
from tests.audit.pages import ABOUT, Checked

N = 400
IS_MEMBER = np.arange(2 * N) % 2 == 0


def audited(shift, flags="", n=N, asked=None, alternatives=(), **about):
    """(report, records) of a gap attack, and of one whose scores of members are shifted.

    asked: scores by the latter of records in question, which come after all known ones.
    """
    draw, is_member = np.random.default_rng(0), IS_MEMBER[: 2 * n]
    found = {"gap": draw.random(2 * n) < 0.9, "boundary": draw.standard_normal(2 * n) + shift * is_member}
    scored, rows = {}, []
    for name, scores in found.items():
        scores, threshold = scores.astype(float), 0.5 if name == "gap" else shift / 2
        arrays = {"scores": scores[None, None], "thresholds": np.full((1, 1, 2 * n), threshold)}
        scored[name] = arrays | {
            "queries": np.array([[1.0 if name == "gap" else 213.4]]),
            "example_ids": np.arange(2 * n)[None],
            "settings": np.array([""]),
            "chosen": np.full((1, 1), np.nan),
        }
        for metric, (value, low, high) in evaluate(scores, is_member, threshold, [0.01, 0.001], 100).items():
            rows.append([name, "label", 1, metric, value, low, high])
    rows += [["", "", np.nan, f"{part}_accuracy", 0.9, 0.8, 0.95] for part in ("train", "test")]
    rows.append(["true-confidence", "confidence", 1, "accuracy", 0.8, 0.7, 0.9])
    names = ["attack", "access", "queries", "metric", "value", "ci_low", "ci_high"]
    table = pd.DataFrame(rows, columns=names).assign(seed="all", setting="", flags=flags)
    rows = np.arange(2 * n + (0 if asked is None else len(asked)))
    people = {"person": [f"p{row}" for row in rows], "town": np.where(rows % 2, "Bath", "Ayr"), "score": "x"}
    in_question = asked is not None and {
        name: {"scores": scores[None, None], "example_ids": rows[None, 2 * n :]}
        for name, scores in (("gap", np.ones(len(asked))), ("boundary", asked))
    }
    return report(
        scored, is_member, table, ABOUT | about, 3, pd.DataFrame(people), "person", alternatives, in_question or None
    )


@pytest.mark.parametrize(
    ("shift", "n", "says"),
    [
        (1.0, N, "Yes. Predicted labels alone tell who was in its training set."),
        (0.0, N, "No leak was found from predicted labels."),
        (0.0, 60, "These records cannot tell."),
    ],
)
def test_the_page_says_what_was_found(shift, n, says):
    whole, records = audited(shift, n=n)
    page = to_html(whole)
    checked = Checked(page)
    text = re.sub(r"\s+", " ", checked.text)
    assert not checked.open and not checked.loads and says in text
    assert "<b>mine</b>" not in page and "Does the model “<b>mine</b>” leak who was in its training set?" in text
    assert says in to_card(whole) and f"{n} records that it was trained on and {n} that it was not" in text
    value, low, high = whole["attacks"][1]["accuracy_of_all"]
    if shift:
        assert (
            "From 213 predicted labels per record, an attacker who knows its true class tells records in training from "
            "others in"
        ) in text
        assert f"{100 * value:.1f} % of cases [{100 * low:.1f}, {100 * high:.1f}]" in text
        assert f"for {whole['exposed']['members']} of the {n} records in training" in text
        share, low, _ = whole["surest"]["probability"]
        surest = f"at least {100 * low:.1f} % are in training (95 %). Of those known it is {100 * share:.1f} %"
        assert surest in text and surest in to_card(whole)
        assert whole["exposed"]["members"] > 3 * whole["exposed"]["others"] > 0
    else:
        bound = f"{100 * whole['bound']:.1f} % of cases on records like these (95 %)"
        for told in (text, re.sub(r"\s+", " ", to_card(whole))):
            assert f"None of these 2 attacks is right in more than {bound}" in told
            assert "Other attacks may find more. Only private training gives a guarantee." in told
        assert "Of no record can an attacker be sure" in text
    assert ("With 1,900 known records of each kind" in text) == (n == 60)
    assert "true-confidence (confidence)" in text and ("at 1 % false alarms" in text) == (n == N)
    assert "at 0.1 % false alarms" not in text  # of fewer than a thousand others, a thousandth is none
    assert len(records) == 2 * n and json.loads(json.dumps(whole)) == whole


def test_an_attack_that_is_wrong_more_often_than_by_chance_bounds_nothing():
    whole, _ = audited(-1.0)
    text = to_card(whole)
    assert "These records cannot tell." in text and "None of these" not in text and whole["bound"] is None
    assert "boundary is right in fewer cases than by chance. So members and others differ by themselves" in text


def test_an_attack_that_is_wrong_leaves_no_leak_to_tell():
    """Another one lies above chance, and what it finds may be the difference that the wrong one shows."""
    whole, _ = audited(1.0)
    whole["attacks"][0]["accuracy_of_all"] = [0.4, 0.3, 0.49]
    whole["verdict"] = CANNOT_TELL
    for told in (to_card(whole), Checked(to_html(whole)).text):
        assert "These records cannot tell." in told and "Yes." not in told
        assert "gap is right in fewer cases than by chance." in told
        assert "no bound holds, and what another attack finds may be that difference" in told
        assert "The interval holds" not in told and "All odds here may be the difference between" in told


def test_flags_come_before_the_numbers():
    flag = "target members and non-members differ by themselves (AUC 0.855)"
    whole, _ = audited(1.0, flags=f"{flag}; constant guess")
    page = to_html(whole)
    assert whole["flags"] == ["constant guess", flag]
    assert page.index("Before you believe a number") < page.index(flag) < page.index("What was found")
    assert "Before you believe" not in to_html(audited(1.0)[0]) and flag in to_card(whole)


def test_records_have_their_numbers_and_who_is_exposed():
    whole, records = audited(1.0)
    assert (
        records["record"].tolist() == list(range(2 * N))
        and records["is_member"].tolist() == IS_MEMBER.astype(int).tolist()
    )
    assert ((records["low"] > 0.5) == (records["exposed"] == 1)).all()
    exposed = records[records["exposed"] == 1].groupby("is_member")["record"].count()
    assert [exposed[1], exposed[0]] == [whole["exposed"]["members"], whole["exposed"]["others"]]
    surest = records[np.isclose(records["low"], records["low"].max(), atol=1e-4)]
    assert whole["surest"]["records"] == len(surest)
    assert whole["surest"]["probability"] == pytest.approx(surest[["probability", "low", "high"]].iloc[0], abs=1e-4)


def test_equal_numbers_are_equal_bytes():
    assert to_html(audited(1.0)[0]) == to_html(audited(1.0)[0])


@pytest.mark.slow
def test_a_model_without_a_leak_is_said_to_leak_in_few_of_many_audits():
    """Thresholds and magnitudes are of the halves; three attacks, whose intervals hold together: 2.5 % lie above."""
    assert np.mean([verdict == "leaks" for verdict in verdicts(400)]) <= 0.04


def test_the_page_names_groups_and_whether_models_like_it_were_trained():
    whole, records = audited(1.0)
    assert [(row["column"], row["value"]) for row in whole["groups"]] == [("town", "Ayr"), ("score", "x")]
    assert whole["groups"][0]["exposed"] == whole["exposed"]["members"]  # all members are from there
    page = to_html(whole)
    assert "town: Ayr" in page and "Attackers who train models of their own: compared" in page
    assert "Attackers who train more models like it" in to_html(audited(1.0, references=True)[0])
    assert records.columns[:4].tolist() == ["record", "person", "town", "score (data)"] and "score" in records
    assert records["person"].tolist() == [f"p{row}" for row in records["record"]]


def test_what_is_believed_is_told_apart_from_what_was_measured():
    whole, records = audited(2.0, prior=0.1)
    share, low, high = whole["surest"]["probability"]
    odds = [p / (1 - p) / 9 for p in (share, low, high) if p < 1]
    assert whole["at_prior"][-len(odds) :] == pytest.approx([o / (1 + o) for o in odds]) or share == 1
    assert "You state that 10.0 % of records like these are in training, which nothing here tests" in to_html(whole)
    assert f"like the surest, at least {100 * whole['at_prior'][1]:.1f} % would be then." in to_html(whole)
    even = records["probability"] == 0.5
    assert (records.loc[even, "at_prior"] == 0.1).all() and (records["at_prior"] <= records["probability"]).all()
    plain, without = audited(2.0)
    assert plain["at_prior"] is None and "You state" not in to_html(plain) and "at_prior" not in without
    assert plain["verdict"] == whole["verdict"] and plain["surest"] == whole["surest"]


def test_the_page_compares_with_other_trainings():
    (plain, _), (weak, _) = audited(1.0), audited(0.2, model="weak")
    whole, _ = audited(1.0, alternatives=[weak])
    assert plain["alternatives"] == [] and {**whole, "alternatives": []} == plain
    own, other = whole["alternatives"]
    assert own["accuracy_of_all"][0] > other["accuracy_of_all"][0] and (own["model"], other["model"]) == (
        plain["model"]["name"],
        "weak",
    )
    text = Checked(to_html(whole)).text
    for row in (own, other):
        assert f"{row['exposed']:,} of {N:,}" in text
    assert "What another training costs" in text and "What another training costs" not in to_html(plain)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6), st.integers(1, 30), st.sampled_from([None, 0.1]))
def test_records_in_question_change_nothing_of_what_is_said_of_known_ones(seed, n_asked, prior):
    asked = np.random.default_rng(seed).standard_normal(n_asked)
    whole, records = audited(1.0, n=100, asked=asked, prior=prior)
    without, known = audited(1.0, n=100, prior=prior)
    told = whole.pop("in_question")
    assert without.pop("in_question") is None and whole == without
    of_known, of_asked = records[records["is_member"].notna()], records[records["is_member"].isna()]
    assert known.to_csv(index=False) == of_known.to_csv(index=False)
    assert told == {"records": n_asked, "exposed": int(of_asked["exposed"].sum())}
    assert of_asked["person"].tolist() == [f"p{row}" for row in range(200, 200 + n_asked)]


def test_records_in_question_get_the_odds_of_known_ones_that_score_alike():
    asked = np.r_[np.full(20, 3.0), np.full(30, -2.0)]
    whole, records = audited(1.0, asked=asked)
    of_asked = records[records["record"] >= 2 * N]
    assert of_asked["exposed"].tolist() == [1] * 20 + [0] * 30 and of_asked["probability"].iloc[-1] < 0.3
    shares = [f"{100 * whole['exposed'][kind] / N:.1f} %" for kind in ("members", "others")]
    says = "Of 50 records in question, of which nobody knows, the odds are above even for 20, as they are for "
    says += f"{shares[0]} of the records in training and {shares[1]} of the others."
    assert says in to_html(whole) and says in to_card(whole) and "in question" not in to_html(audited(1.0)[0])
    assert ",,boundary," in records.to_csv(index=False).splitlines()[-1]  # nobody knows
