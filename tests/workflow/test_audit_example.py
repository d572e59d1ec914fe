"""The example of a given model runs by README's command, and finds what the pages say it does."""

import re
import shlex
import shutil

import pytest

from lmia.evaluation.metrics_table import read_metrics
from tests.workflow.conftest import ROOT, make_checkout
from workflow.config.load import load

PAGE = (ROOT / "docs/how-to/audit.md").read_text()
(COMMAND,) = re.findall(r"^snakemake .*audit-example.*$", (ROOT / "README.md").read_text(), re.M)
TOLD = re.findall(r"^\| `([\w-]+)` \| (\d+) \| ([\d.]+) % \| ([\d.]+) to ([\d.]+) \|$", PAGE, re.M)


def test_the_page_has_the_same_command_and_all_attacks():
    config = load(ROOT / "config/audit-example.yaml")
    assert COMMAND in PAGE.splitlines() and [row[0] for row in TOLD] == list(config.attacks)
    assert config.studies["audit"].is_given


@pytest.mark.slow
def test_the_example_finds_what_the_page_says(tmp_path):
    """Other processors round otherwise, so a few records may fall on the other side."""
    checkout = make_checkout(tmp_path / "it")
    shutil.copytree(ROOT / "config", checkout.path / "config")
    checkout.snakemake(*shlex.split(COMMAND)[1:])
    table = read_metrics(checkout.path / "results/tables/audit.csv")
    rows = table[table["seed"].eq("all") & table["setting"].eq("")].set_index(["attack", "metric"])
    for attack, queries, *numbers in TOLD:
        row = rows.loc[(attack, "accuracy")]
        assert row["queries"] == pytest.approx(int(queries), abs=2)
        assert [100 * row[name] for name in ("value", "ci_low", "ci_high")] == pytest.approx(
            [float(number) for number in numbers], abs=1
        )
    assert rows.loc[("", "train_accuracy"), "value"] == 1 and not rows["flags"].str.len().any()
