"""Every command of the pages that needs nothing of a reader's own can be planned as it stands there."""

import importlib.util
import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.slurm.checks import readme_command
from tests.workflow.conftest import ROOT, make_checkout, put_zeros

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "config/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
FENCED = re.compile(r"^ *```.*?\n(.*?)^ *```", re.M | re.S)


def told(program):
    """Command -> the first page that has it, of the lines in fences that begin with a program."""
    found = {}
    for page in PAGES:
        for block in FENCED.findall(page.read_text()):
            for line in re.findall(rf"^ *(?:\.venv/bin/)?({program} .*)$", block, re.M):
                found.setdefault(line, page.relative_to(ROOT))
    return found


def of_repository(command):
    """Whether all the configurations that it names are in the repository."""
    return all((ROOT / name).exists() for name in re.findall(r"\S+\.yaml", command))


COMMANDS = {command: page for command, page in told("snakemake").items() if of_repository(command)}
MODULES = {command.split()[2]: page for command, page in told("python -m").items() if "workflow" in command}
# Few, and what readers try first; the pages' others are planned with the slow tests.
NOT_SLOW = [command for command, page in COMMANDS.items() if page == Path("README.md")]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """All that commands read, with data of zeros."""
    checkout = make_checkout(tmp_path_factory.mktemp("commands") / "it")
    shutil.copy2(ROOT / "config.yaml", checkout.path)
    shutil.copytree(ROOT / "config", checkout.path / "config")
    shutil.copytree(ROOT / "docs/results/configs", checkout.path / "docs/results/configs")
    put_zeros(checkout.path / "data")
    return checkout


def planned(command, checkout):
    checkout.snakemake(*shlex.split(command)[1:], "-n")


def test_the_pages_have_commands():
    assert len(NOT_SLOW) >= 5 and len(COMMANDS) > 20 and len(MODULES) > 5


def test_the_readme_has_the_command_that_the_check_on_slurm_runs():
    assert readme_command() in NOT_SLOW


@pytest.mark.parametrize("command", NOT_SLOW)
def test_commands_of_the_readme_are_planned(command, checkout):
    planned(command, checkout)


@pytest.mark.slow
@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in NOT_SLOW])
def test_commands_of_the_pages_are_planned(command, checkout):
    planned(command, checkout)


@pytest.mark.parametrize("module", MODULES)
def test_programs_of_the_pages_exist(module):
    assert importlib.util.find_spec(module), MODULES[module]
