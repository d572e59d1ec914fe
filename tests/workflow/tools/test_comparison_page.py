"""The page of comparisons is what its tool makes of the numbers that are kept."""

import re

import pandas as pd
import pytest

from workflow.tools import comparison_page


def test_the_committed_page_is_that_of_the_committed_numbers():
    text = comparison_page.PAGE.read_text()
    assert comparison_page.filled(text) == text
    emptied = re.sub(r"(<!-- (\S+) -->).*?(<!-- end of \2 -->)", r"\1\3", text, flags=re.S)
    assert len(emptied) < len(text) / 2 and comparison_page.filled(emptied) == text


def test_numbers_without_a_place_in_the_page_are_told():
    with pytest.raises(ValueError, match="expected <!-- .* --> and <!-- end of .* --> once each; write both"):
        comparison_page.filled("# A page without places\n")


def test_rates_say_what_they_are():
    rate = {"value": 0.1234, "ci_low": 0.1, "ci_high": 0.2}
    assert comparison_page.shown(rate) == "12.3 [10.0, 20.0]"
    assert comparison_page.shown(rate, "6 false alarms allowed") == "12.3 [10.0, 20.0] (few)"
    assert comparison_page.shown(rate, "constant guess (1 of 2); 40 tied at the top") == "tied"
    assert comparison_page.shown(rate, "9 tied at the threshold") == "12.3 [10.0, 20.0] (ties)"
    assert comparison_page.shown(rate | {"value": float("nan")}) == "not resolvable"


def test_calibrated_attacks_are_set_against_plain_ones_on_the_same_answers():
    rows = comparison_page.kept_rows("digits-pool-0")
    table = comparison_page.difference_rows(rows.loc[rows["attack"].ne("")], "digits-pool-0")
    pairs = set(zip(table["attack"], table["against"], strict=True))
    assert {("boundary-lira", "boundary"), ("noise-lira", "noise"), ("boundary-lira", "confidence-lira")} <= pairs
    assert not {attack for attack, _ in pairs} & {"gap", "noise", "boundary", "true-confidence"}


def test_a_difference_is_turned_where_the_table_has_it_the_other_way_round():
    row = {"attack": "a", "against": "b", "metric": "auc", "value": 0.2, "ci_low": 0.1, "ci_high": 0.4}
    table = pd.DataFrame([row])
    columns = ["value", "ci_low", "ci_high"]
    assert comparison_page.between(table, "a", "b").loc["auc", columns].tolist() == [0.2, 0.1, 0.4]
    assert comparison_page.between(table, "b", "a").loc["auc", columns].tolist() == [-0.2, -0.4, -0.1]
