"""What is said where nothing is known: the calls, and plainly that nobody knows how many of them are false."""

import re

import numpy as np
import pandas as pd
import pytest

from lmia.audit.deciding_page import Decisions, report, sentences, to_card, to_html

ABOUT = {"study": "audit", "dataset": "records", "model": "mine <1>", "n_train": 500, "prior": None, "shadows": 0}
ABOUT |= {"references": False}
IDS = np.array([3, 8, 20, 21])


def told(scores=(0.0, 0.4, 0.5, np.inf), censored=0, flags=()):
    decisions = [Decisions("boundary", np.array(scores), 0.4, 90.0, (censored, 3), 9)]
    columns = pd.DataFrame({"patient": [f"p{n}" for n in range(30)]})
    return report(decisions, IDS, ABOUT, (0.75, 0.3, 0.98), flags, columns)


def test_a_record_is_called_a_member_from_the_threshold_on():
    whole, records = told()
    assert records["called_by_boundary"].tolist() == [0, 1, 1, 1] and records["record"].tolist() == IDS.tolist()
    assert records["patient"].tolist() == ["p3", "p8", "p20", "p21"]
    assert whole["attacks"] == [
        {"attack": "boundary", "queries": 90.0, "called": 3, "threshold": 0.4, "random_inputs": 9}
    ]


def test_the_page_has_no_verdict_no_accuracy_of_calls_and_no_probability():
    whole, records = told()
    assert whole["verdict"] is None and whole["kind"] == "decisions"
    names = {*whole, *whole["attacks"][0], *whole["model"], *records}
    assert not {"bound", "accuracy", "exposed", "probability", "p_value", "low", "high", "at_prior"} & names
    page, card = to_html(whole), to_card(whole)
    text = re.sub(r"<[^>]*>", " ", page)
    assert "mine &lt;1&gt;" in page and "mine <1>" not in page
    for said in (page, card):
        assert "Nobody can say whether the model leaks" in said
        assert "boundary calls 3 of 4 records in question members" in said
        assert "No number here says how sure a call is" in said and "50 or more of each kind" in said
        assert "labels 75.0 % of the records in question rightly [30.0, 98.0]" in said
    assert "A call is no evidence that a record was in training." in text


@pytest.mark.parametrize(
    ("scores", "censored", "flag"),
    [
        ((0.0, 0.1, 0.2, 0.3), 0, "boundary: constant guess"),
        ((0.0, 0.4, 0.5, np.inf), 1, "boundary: 1 of 3 searches censored"),
    ],
)
def test_flags_come_before_the_numbers(scores, censored, flag):
    whole, _ = told(scores, censored, flags=["target constant"])
    assert whole["flags"] == ["target constant", flag]
    page = to_html(whole)
    assert page.index(flag) < page.index("What was found")


def test_equal_numbers_are_equal_bytes():
    assert [to_html(told()[0]) for _ in range(2)] == [to_html(told()[0])] * 2
    assert sentences(told()[0])["What was found"][-1] == "records.csv has the call on each record."
