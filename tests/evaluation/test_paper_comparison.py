"""Cells by hand."""

import numpy as np
import pandas as pd
import pytest

from lmia.evaluation import paper_comparison
from lmia.evaluation.claims import CLAIMS
from lmia.evaluation.metrics_table import COLUMNS, with_rows_over_seeds
from lmia.evaluation.paper_comparison import (
    COMPARISON,
    compare_number,
    compare_numbers,
    to_markdown,
    to_page,
    transfer_cost,
)

CELL = {"artifact": "table_1", "dataset": "d", "n_train": 9, "attack": "gap", "defense": "none", "remark": "10 points"}
CELL |= {"status": None, "table": "not shown"}


def table(values, metric="accuracy", attack="gap", n_train=9, defense="none", reach=0.03, flags=()):
    """Measures of one attack with an interval of 3 points each way, and their row over seeds."""
    run = {"study": "s", "dataset": "d", "n_train": n_train, "model": "m", "defense": defense, "access": "label"}
    same = run | {"attack": attack, "setting": "", "metric": metric, "queries": 5.0, "flags": ""}
    same |= {"queries_elsewhere": 0.0, "relabelled": 0.0, "gradients": 0.0}
    rows = [
        same | {"seed": str(seed), "value": value, "ci_low": value - reach, "ci_high": value + reach}
        for seed, value in enumerate(values)
    ]
    rows = [row | {"flags": flag} for row, flag in zip(rows, flags or [""] * len(rows), strict=True)]
    return with_rows_over_seeds(pd.DataFrame(rows)[COLUMNS])


@pytest.mark.parametrize(
    "paper, reach, status",
    [
        (60.9, 0.03, "reproduced"),
        (59.1, 0.03, "reproduced"),
        (60.9, 0.05, "not resolvable"),  # close, but so wide an interval holds much else
        (62.5, 0.03, "not resolvable"),
        (65, 0.03, "differs"),
        (55, 0.03, "differs"),
    ],
)
def test_a_number_is_compared_by_its_interval_and_one_seed_by_none(paper, reach, status):
    """Four seeds that agree, whose points together are so unsure."""
    row = compare_number(table([0.6] * 4, reach=2 * reach), CELL | {"paper": paper})
    assert list(row) == COMPARISON and row["remark"] == "10 points"
    assert (row["ours"], row["ci_low"], row["queries"], row["seeds"]) == (60, 60 - 100 * reach, 5, 4)
    assert row["difference"] == pytest.approx(60 - paper) and row["status"] == status
    one = compare_number(table([0.6], reach=reach), CELL | {"paper": paper})
    assert one == row | {"seeds": 1, "status": "one model pair"}


def test_what_a_constant_guess_reproduces_is_by_construction():
    def status(paper, flags):
        return compare_number(table([0.5] * len(flags), flags=flags), CELL | {"paper": paper})["status"]

    always = ["constant guess", "9 of 10 searches censored; constant guess", "constant guess"]
    assert status(50, always) == status(50, always[:1]) == "by construction"
    assert status(55, always) == "differs"  # a failure is no construction
    assert status(50, [*always[:2], ""]) == "reproduced" and status(50, ["shadow constant guess"] * 3) == "reproduced"


def test_flags_are_among_the_remarks():
    flagged = table([0.6]).assign(flags="target diverged")
    assert compare_number(flagged, CELL | {"paper": 60})["remark"] == "10 points; target diverged"


def test_what_is_no_number_of_the_paper_is_not_counted_as_one():
    for status in ("variant", "other n"):
        row = compare_number(table([0.6]), CELL | {"paper": 60, "status": status})
        assert row["status"] == status and row["difference"] == 0


def test_the_cells_own_size_and_defense_are_compared():
    others = [table([0.9], n_train=99), table([0.8], defense="guard"), table([0.7], attack="boundary")]
    row = compare_number(pd.concat([*others, table([0.6])]), CELL | {"paper": 60})
    assert row["ours"] == 60 and row["seeds"] == 1


def test_several_seeds_are_compared_with_the_interval_over_them():
    row = compare_number(table([0.6, 0.62, 0.61]), CELL | {"paper": 70})
    reach = 4.302653 * 1 / 3**0.5  # Student's t with 2 degrees of freedom, standard deviation 1 point
    assert row["ours"] == 61 and row["seeds"] == 3 and row["status"] == "differs"
    assert row["ci_low"] == pytest.approx(61 - reach, abs=0.01) and row["ci_high"] == pytest.approx(
        61 + reach, abs=0.01
    )


def test_a_cell_may_be_of_the_model_or_not_run():
    row = compare_number(table([0.5] * 3, "test_accuracy", ""), CELL | {"attack": "", "paper": 49.7})
    assert row["ours"] == 50 and row["status"] == "reproduced"
    row = compare_number(None, CELL | {"paper": 80.3})
    assert row["status"] == "not run" and row["ours"] is None and row["paper"] == 80.3


def test_a_threshold_from_elsewhere_costs_what_it_misses():
    scores = np.concatenate([np.linspace(1, 2, 500), np.linspace(0, 1, 500)])
    is_member = scores > 1.0005
    assert transfer_cost(scores, is_member, 1.0005) == pytest.approx(0, abs=0.01)
    assert transfer_cost(scores, is_member, 1.5) == pytest.approx(0.25, abs=0.01)


def test_the_targets_own_threshold_does_not_profit_from_what_it_saw():
    rng, is_member = np.random.default_rng(0), np.arange(40) % 2 == 0
    costs = [transfer_cost(rng.random(40), is_member, -np.inf, seed) for seed in range(100)]
    assert abs(np.mean(costs)) < 0.03  # chosen on the same points, it would seem to gain about 0.1


def test_each_half_is_judged_by_the_other(monkeypatch):
    chosen, judged = [], []

    def best_threshold(scores, is_member):
        chosen.append({*scores})
        return 0.0

    def at_threshold(scores, is_member, threshold):
        judged.append({*scores})
        return {"accuracy": 0.5}

    monkeypatch.setattr(paper_comparison, "best_threshold", best_threshold)
    monkeypatch.setattr(paper_comparison, "at_threshold", at_threshold)
    transfer_cost(np.arange(10.0), np.arange(10) % 2 == 0, 0.0)
    assert judged[:2] == chosen[::-1] and [len(half) for half in chosen] == [5, 5]
    assert judged[0] | judged[1] == judged[2] == {*range(10)}


def test_markdown_has_a_cell_for_each_value():
    rows = pd.DataFrame({"name": ["a", "b", "c"], "ours": [1234.56, np.nan, -0.01], "seeds": [1, 2, 3]})
    expected = "| name | ours |\n| --- | ---: |\n| a | 1,234.6 |\n| b |  |\n| c | 0.0 |\n"
    assert to_markdown(rows, ["name", "ours"]) == expected


def test_each_number_is_compared_in_the_table_of_its_own_study(tmp_path):
    for name, value in (("one", 0.6), ("other", 0.8)):
        table([value] * 3).to_csv(tmp_path / f"{name}.csv", index=False)
    tables = [str(tmp_path / "one.csv"), None, str(tmp_path / "other.csv")]
    rows = compare_numbers([CELL | {"paper": 60.0, "table": path} for path in tables])
    assert list(rows) == COMPARISON and rows["status"].tolist() == ["reproduced", "not run", "differs"]
    assert rows["ours"].tolist()[::2] == [60, 80]


def test_a_page_has_a_table_of_what_there_is():
    numbers = pd.DataFrame([compare_number(table([0.6]), CELL | {"paper": 60.0})], columns=COMPARISON)
    claims = pd.DataFrame([dict.fromkeys(CLAIMS, "x") | {"artifact": "a", "claim": "says"}])
    none = pd.DataFrame(columns=COMPARISON), pd.DataFrame(columns=CLAIMS)
    assert to_page("T", *none) == "# T\n"
    page = to_page("T", numbers, none[1])
    assert page.startswith("# T\n\nAccuracy in %") and page.endswith(to_markdown(numbers, COMPARISON[1:]))
    assert "Margins" not in page
    assert to_page("T", none[0], claims) == (
        "# T\n\nMargins in points, with 95 % intervals.\n\n" + to_markdown(claims, CLAIMS[1:])
    )
