"""Jobs are described where somebody reads it, and nowhere else."""

import re
from types import SimpleNamespace

import pytest
from snakemake.jobs import Job
from snakemake.settings.enums import Quietness

from workflow.harness import unread_messages


@pytest.fixture
def described(monkeypatch):
    """describe(quiet, handlers): how a job is described where it is quiet about these, and plug-ins log."""
    calls = []
    monkeypatch.setattr(Job, "log_info", lambda job, *arguments, **options: calls.append((arguments, options)))
    unread_messages.install()
    unread_messages.install()  # as a second workflow in one process does

    def describe(quiet, *handlers):
        calls.clear()
        manager = SimpleNamespace(get_log_handlers=lambda: list(handlers))
        workflow = SimpleNamespace(output_settings=SimpleNamespace(quiet=quiet), logger_manager=manager)
        Job.log_info(SimpleNamespace(dag=SimpleNamespace(workflow=workflow)), True, printshellcmd=False)
        return list(calls)

    return describe


ONCE = [((True,), {"printshellcmd": False})]


@pytest.mark.parametrize("quiet", [None, set(), {Quietness.PROGRESS, Quietness.REASON}])
def test_a_job_is_described(described, quiet):
    assert described(quiet) == ONCE


def test_a_job_is_not_described_where_it_is_quiet_about_rules(described):
    assert described({Quietness.RULES, Quietness.PROGRESS}) == []


def test_a_plug_in_that_logs_hears_of_all_jobs(described):
    assert described({Quietness.RULES}, object()) == ONCE


def test_a_dry_run_tells_the_number_of_its_jobs_and_each_job_where_it_may(fresh):
    loud, quiet = (fresh.snakemake("-n", "all", *options) for options in ([], ["--quiet", "rules"]))
    counts = [re.search(r"^total +(\d+)$", printed, re.M).group(1) for printed in (loud, quiet)]
    assert "Train the target model" in loud and "Train the target model" not in quiet
    assert int(counts[0]) > 10 and counts[0] == counts[1]
