"""A checkout with results of everything, made up in seconds, and plans of what an edit makes again."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from ..workflow.conftest import make_checkout
from .study import EVERY_KIND, place

TARGETS = ["all", *EVERY_KIND["exhibits"]]
PLANNER = Path(__file__).parent / "planner.py"


class Plan:
    """What Snakemake would do in a folder."""

    def __init__(self, answer):
        self.code, self.printed, self.jobs = answer["code"], answer["printed"], answer.get("jobs", [])

    def made(self):
        """First output of each job that has any -> the job."""
        return {job["outputs"][0]: job for job in self.jobs if job["outputs"]}

    def planned(self):
        return {output for output, job in self.made().items() if job["planned"]}

    def rules(self):
        return Counter(job["rule"] for job in self.made().values() if job["planned"])


class Planner:
    """Plans in any number of folders, by a process that has imported Snakemake once."""

    def __init__(self, folder):
        self._answer, command = folder / "answer.json", [sys.executable, str(PLANNER)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def plan(self, checkout, **request):
        self._answer.unlink(missing_ok=True)
        request |= {"arguments": TARGETS, "folder": str(checkout.path), "answer": str(self._answer)}
        print(json.dumps(request), file=self._process.stdin, flush=True)
        assert self._process.stdout.readline() == "done\n"
        plan = Plan(json.loads(self._answer.read_text()))
        assert plan.code == 0, plan.printed
        return plan

    def end(self):
        self._process.stdin.close()
        self._process.wait()


@pytest.fixture(scope="session")
def planner(tmp_path_factory):
    planner = Planner(tmp_path_factory.mktemp("planner"))
    yield planner
    planner.end()


@pytest.fixture(scope="session")
def everything(planner, tmp_path_factory):
    """(checkout, plan of its configuration): all results are there, made up."""
    checkout = make_checkout(tmp_path_factory.mktemp("everything") / "checkout")
    place(checkout.path)
    write(checkout, EVERY_KIND)
    planner.plan(checkout, forge=True)
    plan = planner.plan(checkout)
    assert not plan.planned()
    return checkout, plan


def write(checkout, config):
    (checkout.path / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
