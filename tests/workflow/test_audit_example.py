"""The example of a given model runs by README's command, and finds what the pages say it does."""

import re
import shlex
import shutil

import pandas as pd
import pytest

from lmia.evaluation.metrics_table import read_metrics
from tests.workflow.conftest import ROOT, make_checkout
from workflow.config.load import load

PAGE = (ROOT / "docs/how-to/audit.md").read_text()
(COMMAND,) = re.findall(r"^snakemake .*audit-example.*$", (ROOT / "README.md").read_text(), re.M)
ROWS = re.findall(r"^\| `([\w-]+)` \| (\d+) \| ([\d.]+) % \| ([\d.]+) to ([\d.]+) \|$", PAGE, re.M)


def told():
    """(study, attack) -> what the page says: queries, accuracy and the ends of its interval."""
    first = [name for name, *_ in ROWS].index("gap", 1)  # each study begins with it
    parts = {"audit": ROWS[:first], "audit-table": ROWS[first:]}
    return {(study, name): numbers for study, rows in parts.items() for name, *numbers in rows}


def test_the_page_has_the_same_command_and_all_attacks():
    config = load(ROOT / "config/audit-example.yaml")
    run = [(name, attack) for name, study in config.studies.items() for attack in config.attacks_of(study)]
    assert COMMAND in PAGE.splitlines() and list(told()) == run
    assert all(study.is_given for study in config.studies.values())


@pytest.mark.slow
def test_the_example_finds_what_the_page_says(tmp_path):
    """Other processors round otherwise, so a few records may fall on the other side."""
    checkout = make_checkout(tmp_path / "it")
    shutil.copytree(ROOT / "config", checkout.path / "config")
    checkout.snakemake(*shlex.split(COMMAND)[1:])
    for (study, attack), (queries, *numbers) in told().items():
        table = read_metrics(checkout.path / f"results/tables/{study}.csv")
        rows = table[table["seed"].eq("all") & table["setting"].eq("")].set_index(["attack", "metric"])
        row = rows.loc[(attack, "accuracy")]
        assert row["queries"] == pytest.approx(int(queries), abs=2)
        assert [100 * row[name] for name in ("value", "ci_low", "ci_high")] == pytest.approx(
            [float(number) for number in numbers], abs=1
        )
        is_rate = rows.index.get_level_values("metric").str.startswith("tpr_at")  # of few false alarms, and flagged so
        assert rows.loc[("", "train_accuracy"), "value"] > 0.99 and not rows["flags"][~is_rate].any()
    records = pd.read_csv(checkout.path / "results/audits/audit-table/records.csv")
    assert records["patient"].is_unique and records["patient"].str.match(r"P\d{3}$").all()
