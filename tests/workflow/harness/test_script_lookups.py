"""The script of a rule is looked up for the first of its jobs that are planned, and missed where it is none."""

import io
from types import SimpleNamespace

import pytest
from snakemake.exceptions import WorkflowError

from workflow.harness import script_lookups
from workflow.harness.script_lookups import ScriptProcessor


class Scripts:
    """Stands for Snakemake's cache of sources, and counts who opens what."""

    def __init__(self, *there):
        self.there, self.opened = there, []

    def open(self, source):
        self.opened.append(source.get_filename())
        return io.StringIO("")

    def get_path(self, source):
        return source.get_filename()

    def exists(self, source):
        return source.get_filename() in self.there


class Rule:
    basedir = "/rules"

    def __init__(self, script):
        self.script = script


def jobs(script, *seeds):
    rule = Rule(script)
    return [SimpleNamespace(rule=rule, is_script=True, wildcards={"seed": seed}, params={}) for seed in seeds]


def process(scripts, *planned):
    script_lookups.install()
    script_lookups.install()  # as a second workflow in one process does
    workflow = SimpleNamespace(sourcecache=scripts)
    processor = ScriptProcessor(SimpleNamespace(workflow=workflow))
    for job in planned:
        processor.process_job(job)
    return scripts.opened


def test_a_script_is_opened_once_for_its_rule():
    planned = [*jobs("train.py", 0, 1, 2), *jobs("query.py", 0, 1)]
    assert process(Scripts("train.py", "query.py"), *planned) == ["train.py", "query.py"]


def test_scripts_of_two_rules_are_both_opened():
    assert process(Scripts("train.py"), *jobs("train.py", 0), *jobs("train.py", 0)) == ["train.py", "train.py"]


def test_a_script_named_by_wildcards_is_opened_for_each_job():
    opened = process(Scripts("train-0.py", "train-1.py"), *jobs("train-{wildcards[seed]}.py", 0, 1))
    assert opened == ["train-0.py", "train-1.py"]


def test_a_script_that_is_not_there_is_missed():
    with pytest.raises(WorkflowError, match="not accessible"):
        process(Scripts("train.py"), *jobs("query.py", 0, 1))
