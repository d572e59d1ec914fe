"""The page of comparisons is what its tool makes of the numbers that are kept."""

import re

import numpy as np
import pandas as pd
import pytest

from workflow.config.load import load as load_layers
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


def test_rates_of_transferred_thresholds_that_are_rough_are_told_so():
    rows = attack_rows("digits-pool-0")
    assert comparison_page.transferred_rows(rows, "0.001").columns[0] == "attack, at 0.1 % (few)"
    assert comparison_page.transferred_rows(rows, "0.01").columns[0] == "attack, at 1 %"


def attack_rows(name):
    rows = comparison_page.kept_rows(name)
    return rows.loc[rows["attack"].ne("")]


@pytest.mark.parametrize("most", comparison_page.QUERY_LIMITS)
def test_attacks_are_ranked_at_the_most_queries_that_a_table_allows(most):
    rows = attack_rows("digits-pool-0")
    table = comparison_page.rows_within(rows, most)
    assert table["attack"].is_unique
    assert ("boundary-lira" in set(table["attack"])) == (most > 25)  # with budget: 25 a point may take 25
    by_labels = rows.loc[rows["access"].eq("label") & ~rows["setting"].str.startswith("shadows=")]
    for attack, of in by_labels.groupby("attack"):
        fits = of.loc[of["most"].le(most)]
        shown = table.loc[table["attack"].eq(attack)]
        assert len(shown) == min(1, len(fits)), attack
        if len(fits):
            widest = fits.loc[fits["most"].eq(fits["most"].max())].iloc[0]
            assert shown[["setting", "queries"]].iloc[0].tolist() == widest[["setting", "queries"]].tolist()
    found = [float(text.split()[0]) if text != "tied" else -1 for text in table["TPR at 1 %"]]
    assert found == sorted(found, reverse=True) and len(set(found)) > 5
    assert not set(table["attack"]) & {"rmia", "true-confidence", "confidence-lira"}


def test_fewer_shadows_stand_beside_all():
    def row(attack, setting, value, metric="tpr_at_0.01_fpr", flags=""):
        own = {"value": value, "ci_low": value, "ci_high": value, "flags": flags}
        return {"attack": attack, "setting": setting, "metric": metric} | own

    rows = [
        row("lira", "shadows=16", 0.3),
        row("lira", "shadows=4", 0.1, flags="9 tied at the top"),
        row("lira", "", 0.4),
    ]
    rows += [row("rmia", "shadows=2", 0.2), row("rmia", "", 0.5), row("gap", "", 0.0), row("lira", "budget=9", 0.35)]
    table = comparison_page.shadow_rows(pd.DataFrame([*rows, row("lira", "shadows=4", 0.7, "auc")]))
    assert table.to_dict("records") == [
        {"attack": "lira", "2": "", "4": "tied", "16": "30.0 [30.0, 30.0]", "all": "40.0 [40.0, 40.0]"},
        {"attack": "rmia", "2": "20.0 [20.0, 20.0]", "4": "", "16": "", "all": "50.0 [50.0, 50.0]"},
    ]


def test_an_attack_spends_what_its_jobs_took(tmp_path, monkeypatch):
    """In a pool of two models, each a target."""
    monkeypatch.setattr(comparison_page, "ROOT", tmp_path)
    config = load_layers("config/comparison-small.yaml")
    config.studies["digits-pool-0"].seeds[:] = ["0-1"]
    cell = "digits-pool-0/n200-none"
    for place, seconds in {
        f"crafted/{cell}/oslo": 3,
        f"answers/{cell}/0-1/target/oslo": 5,
        f"answers/{cell}/0-1/target/noise": 100,
        f"scores/{cell}/0-1/oslo-lira": 0.5,
        f"scores/{cell}/0-1/oslo": 100,
        f"distances/{cell}/0-1/target/largest": 1,
        f"relabelled/{cell}/0-1/target/largest": 2,
        f"models/{cell}/0-1/relabelled0": 4,
        f"models/{cell}/0-1/target": 100,
        f"splits/{cell}/0-1/relabelled": 6,
        f"splits/{cell}/0-1/target": 100,
        f"scores/{cell}/0-1/dhattack": 1,
        f"scores/{cell}/0-1/largest-lira-offline": 1,
    }.items():
        file = tmp_path / "results/benchmarks" / f"{place}.tsv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"s\tcpu_time\n9\t{seconds}\n")
    found = {name: comparison_page.cpu_of_attack(config, "digits-pool-0", name) for name in config.attacks}
    assert found["oslo-lira"] == (3 + 5 + 0.5) / 2  # of two targets
    assert found["dhattack"] == (1 + 2 + 4 + 6 + 1) / 2
    assert found["largest-lira-offline"] == (1 + 1) / 2  # which reads the target's distances alone
    assert np.isnan(found["boundary-50-lira"])


def test_what_the_configuration_says_of_each_row():
    config = load_layers("config/comparison-small.yaml")
    settings = [("oslo-lira", ""), ("oslo-kept", "budget=3"), ("boundary-50-lira", ""), ("noise-lira", "shadows=4")]
    settings += [("yoqo-offline", ""), ("white", ""), ("", "")]
    rows = comparison_page.with_config(config, pd.DataFrame(settings, columns=["attack", "setting"]))
    assert rows["most"].tolist() == [9, 3, 50, 101, 2, 6, ""]
    assert rows["surrogates"].tolist() == [6, 6, 0, 0, 0, 0, ""]
    assert rows["calibrates"].tolist() == [True, False, True, True, False, False, ""]
