"""A table of two seeds, its rows over seeds by hand."""

import numpy as np
import pandas as pd
import pytest

from lmia.tables import COLUMNS, magnitudes, read_metrics, select, select_cell, with_rows_over_seeds

RUN = {"study": "s", "dataset": "d", "n_train": 10, "model": "m", "defense": "none"}


def row(seed, attack, value, setting="", queries=1.0, metric="accuracy"):
    own = {"seed": str(seed), "attack": attack, "access": "label", "queries": queries, "setting": setting}
    return RUN | own | {"metric": metric, "value": value, "ci_low": value - 0.1, "ci_high": value + 0.1}


TABLE = pd.DataFrame(
    [
        row(0, "gap", 0.60),
        row(0, "boundary", 0.70, queries=90.0),
        row(0, "boundary", 0.64, "budget=50", 40.0),
        row(1, "gap", 0.50),
        row(1, "boundary", 0.64, queries=70.0),
        row(1, "boundary", 0.60, "budget=50", 50.0),
    ]
)[COLUMNS]
OVER_SEEDS = [  # attack, setting, metric, queries, value
    ("gap", "", "accuracy", 1, 0.55),
    ("boundary", "", "accuracy", 80, 0.67),
    ("boundary", "budget=50", "accuracy", 45, 0.62),
    ("boundary", "", "accuracy_over_gap", 80, (0.10 + 0.14) / 2),
    ("boundary", "budget=50", "accuracy_over_gap", 45, (0.04 + 0.10) / 2),
]


def test_rows_over_seeds_by_hand():
    table = with_rows_over_seeds(TABLE, 1000)
    pd.testing.assert_frame_equal(table[: len(TABLE)], TABLE)
    rows = table[len(TABLE) :]
    assert len(rows) == len(OVER_SEEDS) and (rows["seed"] == "all").all()
    for attack, setting, metric, queries, value in OVER_SEEDS:
        found = rows[(rows["attack"] == attack) & (rows["setting"] == setting) & (rows["metric"] == metric)]
        assert found["value"].item() == pytest.approx(value) and found["queries"].item() == queries
        # Two seeds, and an expanded bootstrap: the interval is the two values.
        ends = TABLE[(TABLE["attack"] == attack) & (TABLE["setting"] == setting)]["value"].to_numpy()
        if metric == "accuracy_over_gap":
            ends = ends - np.array([0.60, 0.50])
        assert [found["ci_low"].item(), found["ci_high"].item()] == pytest.approx(sorted(ends))


def test_attacks_are_paired_with_the_gap_of_their_own_run():
    other = TABLE.assign(study="t", value=TABLE["value"] + np.where(TABLE["attack"] == "gap", 0.1, 0))
    table = with_rows_over_seeds(pd.concat([TABLE, other], ignore_index=True), 100)
    assert select(table, "s", "accuracy_over_gap", setting="")["value"].item() == pytest.approx(0.12)
    assert select(table, "t", "accuracy_over_gap", setting="")["value"].item() == pytest.approx(0.02)


def test_a_table_is_read_back_and_selected(tmp_path):
    with_rows_over_seeds(TABLE, 100).to_csv(tmp_path / "metrics.csv", index=False)
    table = read_metrics(tmp_path / "metrics.csv")
    assert table["seed"].tolist()[:2] == ["0", "0"] and (table["setting"][:2] == "").all()
    settings = {"study": "s", "n_train": 10, "defense": None}
    assert sorted(select_cell(table, "accuracy", settings)["value"]) == pytest.approx([0.55, 0.62, 0.67])
    assert select_cell(table, "accuracy", settings | {"n_train": 20}).empty
    values, unit = magnitudes(table[table["setting"] == "budget=50"])
    assert unit == "budget" and set(values) == {50}
