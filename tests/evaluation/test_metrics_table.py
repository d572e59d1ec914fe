"""A table of two seeds, its rows over seeds by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmia.evaluation.metrics_table import (
    COLUMNS,
    flags_over_seeds,
    magnitudes,
    read_metrics,
    select,
    select_cell,
    with_rows_over_seeds,
)

RUN = {"study": "s", "dataset": "d", "n_train": 10, "model": "m", "defense": "none"}


def row(seed, attack, value, setting="", queries=1.0, metric="accuracy"):
    own = {"seed": str(seed), "attack": attack, "access": "label", "queries": queries, "setting": setting}
    own |= {"queries_elsewhere": 800.0 if attack == "boundary" else 0.0, "relabelled": float(attack == "boundary")}
    own |= {"gradients": 50.0 if attack == "boundary" else 0.0}
    own |= {"metric": metric, "value": value, "ci_low": value - 0.1, "ci_high": value + 0.1}
    return RUN | own | {"flags": ""}


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
]


def test_rows_over_seeds_by_hand():
    table = with_rows_over_seeds(TABLE)
    pd.testing.assert_frame_equal(table[: len(TABLE)], TABLE)
    rows = table[len(TABLE) :]
    assert len(rows) == len(OVER_SEEDS) and (rows["seed"] == "all").all()
    for attack, setting, metric, queries, value in OVER_SEEDS:
        found = rows[(rows["attack"] == attack) & (rows["setting"] == setting) & (rows["metric"] == metric)]
        assert found["value"].item() == pytest.approx(value) and found["queries"].item() == queries
        elsewhere = [800, 1, 50] if attack == "boundary" else [0, 0, 0]
        assert found[["queries_elsewhere", "relabelled", "gradients"]].iloc[0].tolist() == elsewhere
        # Two seeds: Student's interval with one degree of freedom, no further than the metric goes.
        ends = TABLE[(TABLE["attack"] == attack) & (TABLE["setting"] == setting)]["value"].to_numpy()
        reach = 12.7062 * abs(ends[0] - ends[1]) / 2
        expected = np.clip([value - reach, value + reach], 0, 1)
        assert [found["ci_low"].item(), found["ci_high"].item()] == pytest.approx(expected, abs=1e-4)


def test_seeds_that_agree_keep_the_interval_of_all_their_points():
    same = TABLE.assign(value=0.6, ci_low=0.5, ci_high=0.8)
    rows = select(with_rows_over_seeds(same), "s", "accuracy")
    assert rows["ci_low"].tolist() == pytest.approx([0.6 - 0.1 / 2**0.5] * 3)
    assert rows["ci_high"].tolist() == pytest.approx([0.6 + 0.2 / 2**0.5] * 3)


@settings(deadline=None, max_examples=30)
@given(data=st.data(), values=st.lists(st.floats(0, 1), min_size=2, max_size=12))
def test_blocks_of_seeds_in_any_order_change_no_number(data, values):
    """To the last bit, and no flag: of seeds 0, 1, ... in blocks that follow one another as they may."""
    flags = data.draw(st.lists(st.sampled_from(["", "a", "a; b", "b"]), min_size=len(values), max_size=len(values)))
    cuts = data.draw(st.sets(st.integers(1, len(values) - 1)))
    blocks = data.draw(st.permutations(np.split(np.arange(len(values)), sorted(cuts))))
    rows = [row(seed, "boundary", value, queries=3 + value) for seed, value in enumerate(values)]
    table = pd.DataFrame(rows)[COLUMNS].assign(flags=flags)
    whole, apart = table, table.iloc[np.concatenate(blocks)]
    over = [with_rows_over_seeds(of).query("seed == 'all'").reset_index(drop=True) for of in (whole, apart)]
    pd.testing.assert_frame_equal(*over, check_exact=True)
    pd.testing.assert_frame_equal(flags_over_seeds(whole), flags_over_seeds(apart))


def test_differences_may_be_below_zero():
    below = TABLE.assign(metric="accuracy_over_gap", value=-0.2, ci_low=-0.5, ci_high=0)
    rows = select(with_rows_over_seeds(below), "s", "accuracy_over_gap")
    assert rows["ci_low"].tolist() == pytest.approx([-0.2 - 0.3 / 2**0.5] * 3)


def test_one_seed_has_the_interval_over_its_points():
    rows = with_rows_over_seeds(TABLE[:3]).query("seed == 'all'").set_index(["attack", "setting", "metric"])
    assert rows.loc[("boundary", "", "accuracy"), ["ci_low", "ci_high"]].tolist() == pytest.approx([0.6, 0.8])


def test_a_table_is_read_back_and_selected(tmp_path):
    with_rows_over_seeds(TABLE).to_csv(tmp_path / "metrics.csv", index=False)
    table = read_metrics(tmp_path / "metrics.csv")
    assert table["seed"].tolist()[:2] == ["0", "0"] and (table["setting"][:2] == "").all()
    settings = {"study": "s", "n_train": 10, "defense": None}
    assert sorted(select_cell(table, "accuracy", settings)["value"]) == pytest.approx([0.55, 0.62, 0.67])
    assert select_cell(table, "accuracy", settings | {"n_train": 20}).empty
    values, unit = magnitudes(table[table["setting"] == "budget=50"])
    assert unit == "budget" and set(values) == {50}


def flagged_table():
    """The target of seed 1 has diverged, and the boundary attack of seed 0 guesses the same of all points."""
    models = pd.DataFrame([row(0, "", 1.0, metric="train_accuracy"), row(1, "", 0.1, metric="train_accuracy")])
    models["flags"] = ["", "target diverged"]
    is_constant = TABLE["attack"].eq("boundary") & TABLE["seed"].eq("0")
    return pd.concat([TABLE.assign(flags=np.where(is_constant, "constant guess", "")), models], ignore_index=True)


def test_flags_reach_all_attacks_on_the_model_and_the_rows_over_seeds():
    groups = with_rows_over_seeds(flagged_table()).groupby(["seed", "attack"])["flags"]
    assert {key: set(flags) for key, flags in groups} == {
        ("0", ""): {""},
        ("0", "gap"): {""},
        ("0", "boundary"): {"constant guess"},
        ("1", ""): {"target diverged"},
        ("1", "gap"): {"target diverged"},
        ("1", "boundary"): {"target diverged"},
        ("all", ""): {"target diverged (1 of 2)"},
        ("all", "gap"): {"target diverged (1 of 2)"},
        ("all", "boundary"): {"constant guess (1 of 2); target diverged (1 of 2)"},
    }
    short = flags_over_seeds(flagged_table()).set_index("attack")["flags"].to_dict()
    assert short == {
        "gap": "target diverged (1 of 2)",
        "boundary": "constant guess (1 of 2); target diverged (1 of 2)",
    }


def test_tables_of_before_the_column_are_read(tmp_path):
    TABLE.drop(columns=["flags", "relabelled"]).to_csv(tmp_path / "old.csv", index=False)
    found = read_metrics(tmp_path / "old.csv")
    assert found["flags"].tolist() == [""] * len(TABLE) and found["relabelled"].isna().all()


def test_what_a_target_has_too_few_of_is_not_said_of_all_models_together():
    """Flags of rates are of the scores of one target: together the targets allow more false alarms, and others tie."""
    rate = "tpr_at_0.01_fpr"
    targets = [row(seed, "boundary", 0.4, metric=rate) for seed in (0, 1)]
    targets[0]["flags"] = "2 of 9 searches censored; 12 tied at the threshold; 2 false alarms allowed"
    targets[1]["flags"] = "7 tied at the top"
    together = row("all", "boundary", 0.3, metric=rate) | {"flags": "40 tied at the threshold"}
    found = with_rows_over_seeds(pd.DataFrame([*targets, together])).query("seed == 'all'")["flags"].item()
    assert found == "2 of 9 searches censored (1 of 2); 40 tied at the threshold"
    found = with_rows_over_seeds(pd.DataFrame(targets)).query("seed == 'all'")["flags"].item()
    assert "2 false alarms allowed (1 of 2)" in found and "7 tied at the top (1 of 2)" in found  # a mean of both


def test_rows_over_all_models_of_a_pool_are_kept_with_the_flags_of_its_models():
    """Of two models, of which one diverged: no mean is taken, and a study that is no pool has its rows as before."""
    pooled = [row("all", "boundary", 0.3, queries=80.0), row("all", "boundary", 0.1, metric="ppv")]
    pooled[0]["flags"] = "12 tied at the top"
    models = [
        row(0, "", 0.5, metric="test_accuracy") | {"flags": "target diverged"},
        row(1, "", 0.5, metric="test_accuracy"),
    ]
    pool = pd.DataFrame([*TABLE.to_dict("records"), *models, *pooled]).assign(study="pool")
    table = with_rows_over_seeds(pd.concat([TABLE, pool], ignore_index=True))
    alone = with_rows_over_seeds(TABLE).query("seed == 'all'").reset_index(drop=True)
    others = table.query("seed == 'all' and study == 's'").reset_index(drop=True)
    pd.testing.assert_frame_equal(others, alone)
    rows = table.query("seed == 'all' and study == 'pool'").set_index(["attack", "setting", "metric"])
    assert len(table.query("seed != 'all'")) == 2 * len(TABLE) + 2
    found = rows.loc[("boundary", "", "accuracy")]
    assert (found["value"], found["ci_low"], found["ci_high"], found["queries"]) == (0.3, 0.3 - 0.1, 0.3 + 0.1, 80)
    assert found["flags"] == "target diverged (1 of 2); 12 tied at the top"
    assert rows.loc[("boundary", "", "ppv"), "value"] == 0.1
    assert rows.loc[("gap", "", "accuracy"), "value"] == pytest.approx(0.55)  # of which there is no pooled row
    assert rows.loc[("", "", "test_accuracy"), "value"] == 0.5
