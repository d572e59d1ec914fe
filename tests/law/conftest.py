"""A checkout with results of everything, made up in seconds, and plans and runs of what an edit makes again."""

import io
import json
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.law.given_files import place
from tests.law.study import EVERY_KIND
from tests.workflow.conftest import make_checkout
from workflow.harness.result_records import RECORD

TARGETS = ["all", *EVERY_KIND["exhibits"]]
FOLDER = Path(__file__).parent
RESULTS = ("scores/**/*.npz", "measures/**/*", "model_measures/**/*", "tables/*", "metrics.csv", "exhibits/**/*.csv")


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


class Server:
    """A program that answers requests in files, one line of JSON for each, by a process with what it needs imported.

    program: file in this folder; folder: where answers lie.
    """

    def __init__(self, program, folder):
        self._answer, command = folder / "answer.json", [sys.executable, str(FOLDER / program)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, checkout, **request):
        """The answer, None where there is none."""
        self._answer.unlink(missing_ok=True)
        request |= {"folder": str(checkout.path), "answer": str(self._answer)}
        print(json.dumps(request), file=self._process.stdin, flush=True)
        assert self._process.stdout.readline() == "done\n"
        return json.loads(self._answer.read_text()) if self._answer.exists() else None

    def end(self):
        self._process.stdin.close()
        self._process.wait()


class Planner(Server):
    """Plans in any number of folders."""

    def __init__(self, folder):
        super().__init__("planner.py", folder)

    def plan(self, checkout, targets=TARGETS, **request):
        plan = Plan(self.ask(checkout, arguments=targets, **request))
        assert plan.code == 0, plan.printed
        return plan


class Runner(Server):
    """Snakemake, in any number of folders."""

    def __init__(self, folder):
        super().__init__("runner.py", folder)

    def run(self, checkout, targets):
        answer = self.ask(checkout, arguments=targets)
        assert answer["code"] == 0, answer["printed"][-3000:]
        return answer["printed"]


@pytest.fixture(scope="session")
def planner(tmp_path_factory):
    planner = Planner(tmp_path_factory.mktemp("planner"))
    yield planner
    planner.end()


@pytest.fixture(scope="session")
def runner(tmp_path_factory):
    runner = Runner(tmp_path_factory.mktemp("runner"))
    yield runner
    runner.end()


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


def told(checkout):
    """Name of each result -> all that it says but its record: a result that stays or is taken names older places."""
    return {name: _without_record(name, content) for name, content in checkout.results(*RESULTS).items()}


def _without_record(name, content):
    if not name.endswith(".npz"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return {member: file.read(member) for member in file.namelist() if member != RECORD}
