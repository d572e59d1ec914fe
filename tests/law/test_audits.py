"""The law for audits: written out as the studies that they are short for, they plan nothing again."""

import contextlib

from tests.law.conftest import write
from tests.law.study import EVERY_KIND
from workflow.config.audits import written_out
from workflow.config.load import check
from workflow.config.yaml_writer import as_yaml


def test_what_is_printed_plans_the_same_jobs_and_runs_none(planner, everything):
    checkout, before = everything
    with contextlib.chdir(checkout.path):
        whole = written_out(EVERY_KIND, check(EVERY_KIND))
    assert EVERY_KIND["audits"].keys() <= whole["studies"].keys() and "audits" not in whole
    (checkout.path / "config.yaml").write_text(as_yaml(whole))
    try:
        after = planner.plan(checkout)
    finally:
        write(checkout, EVERY_KIND)
    assert after.made() == before.made() and not after.planned()
