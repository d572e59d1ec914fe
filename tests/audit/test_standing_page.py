"""What is said where hardly a member is known: no verdict, and records in question beside known others."""

import json

import numpy as np
import pandas as pd
import pytest

from lmia.audit.standing_page import blind_flags, report, to_card, to_html
from tests.audit.pages import ABOUT, Checked

N, M = 2000, 40


def told(shift, flags=(), thresholds=None):
    """(report, records) of 2,000 known others and 40 records in question, of which half score higher by `shift`."""
    draw, ids = np.random.default_rng(0), np.arange(N, N + M)
    known = {"gap": (draw.random(N) < 0.9).astype(float), "boundary": draw.standard_normal(N)}
    asked = {"gap": np.ones(M), "boundary": draw.standard_normal(M) + shift * (np.arange(M) < M // 2)}
    columns = pd.DataFrame({"person": [f"p{row}" for row in range(N + M)]})
    queries = {"gap": 1.0, "boundary": 213.4}
    return report(
        known, asked, queries, thresholds or dict.fromkeys(known), ids, ABOUT, (0.8, 0.75, 0.85), flags, columns
    )


@pytest.mark.parametrize(("shift", "found"), [(8.0, 20), (0.0, 0)])
def test_the_page_has_no_verdict_and_says_how_many_stand_out(shift, found):
    whole, records = told(shift)
    page = Checked(to_html(whole))
    assert not page.open and not page.loads
    says = "These records cannot tell whether the model leaks in general."
    count = f"Of 40 records in question, {found} stand out from records that were not in training."
    for text in (page.text, to_card(whole)):
        assert says in text and count in text and "2,000 records were asked that the model was not trained on" in text
    assert ("Among those that stand out, 5 % at most" in page.text) == (found > 0)
    assert (
        whole["verdict"] == "cannot tell"
        and whole["schema"] == 1
        and whole["kind"] == "comparison"
        and json.loads(json.dumps(whole)) == whole
    )
    assert whole["in_question"] == {"records": 40, "stand_out": found, "false_share": 0.05}
    assert records["stands_out"].tolist() == [int(row < found) for row in range(M)]
    names = ["record", "person", "is_member", "attack", "score", "p_value", "stands_out"]
    assert records.columns.tolist() == names and records["person"].tolist() == [f"p{N + row}" for row in range(M)]
    assert records.to_csv(index=False).splitlines()[1].startswith("2000,p2000,,")


def test_an_attack_that_decides_by_random_inputs_does_so_beside_its_false_alarms():
    whole, records = told(8.0, thresholds={"gap": None, "boundary": 2.0})
    gap, boundary = (of["by_random_inputs"] for of in whole["attacks"])
    assert gap is None and "called_by_gap" not in records
    known = np.random.default_rng(0)
    known.random(N)
    share, low, high = boundary["false_alarms"]
    assert share == (known.standard_normal(N) >= 2.0).mean() and low < share < high
    assert records["called_by_boundary"].sum() == boundary["in_question"] == 20
    says = (
        f"By its threshold from random inputs, boundary calls 20 of them members, and {100 * share:.1f} % of the known"
    )
    assert says in to_card(whole)
    assert "random inputs" not in to_html(told(8.0)[0])


def test_the_page_says_by_how_many_records_stand_out_at_the_least():
    assert "One can alone." in to_card(told(8.0)[0])  # 40 * 2 / (0.05 * 2,001) is below 1
    few = {"known_others": 50, "in_question": {"records": 40, "stand_out": 0, "false_share": 0.05}}
    says = "no p-value is below 0.02. records.csv has that of each record. 32 or more stand out together, by the same"
    assert says in to_card(told(0.0)[0] | few)
    assert "None can stand out with so few." in to_card(told(0.0)[0] | few | {"known_others": 30})


def test_flags_come_before_the_numbers():
    page = to_html(told(0.0, ["target at chance"])[0])
    assert page.index("Before you believe a number") < page.index("target at chance") < page.index("What was found")


def test_records_in_question_that_differ_by_themselves_are_flagged():
    draw = np.random.default_rng(1)
    inputs, classes, ids = draw.random((300, 5)).astype(np.float32), np.arange(300) % 3, np.arange(300)
    assert blind_flags(inputs, classes, ids[:200], ids[200:], 0) == []
    inputs[200:] += 0.3
    (flag,) = blind_flags(inputs, classes, ids[:200], ids[200:], 0)
    assert flag.startswith("records in question and known others differ by themselves (AUC 0.")
    assert blind_flags(inputs, classes, ids[:200], ids[200:209], 0) == []  # too few to tell
