"""The conda environments hold what their scripts import, in the versions of requirements.lock."""

import re
import sys
from pathlib import Path

import pytest
import yaml

from workflow.fingerprint import ROOT, _parse, closure

LOCK = dict(re.findall(r"^([A-Za-z0-9_.-]+)(?:\[\w+\])?==(\S+)", (ROOT / "requirements.lock").read_text(), re.M))
PIP_NAMES = {"sklearn": "scikit-learn"}


def pins(env):
    """Package -> version, as pinned in one environment."""
    entries = yaml.safe_load((ROOT / f"workflow/envs/{env}.yaml").read_text())["dependencies"][-1]["pip"]
    return dict(entry.split(" ==") for entry in entries)


def jobs():
    """(script, environment) of every rule."""
    rules = "".join(file.read_text() for file in sorted((ROOT / "workflow/rules").glob("*.smk")))
    return re.findall(r'"\.\./envs/(\w+)\.yaml".*?"\.\./scripts/(\w+)\.py"', rules, re.S)


def imported(script):
    """Packages that a script may import: by itself, through our modules, or through those that it loads by name."""
    file = ROOT / f"workflow/scripts/{script}.py"
    text = file.read_text()
    packages = re.findall(r'module_name\("(\w+)"', text) + (["figures"] if "lmia.figures.{" in text else [])
    chosen = [f"lmia.{name}.{f.stem}" for name in packages for f in sorted((ROOT / "lmia" / name).glob("[a-z]*.py"))]
    names = {name.split(".")[0] for source in closure(file, *chosen) for name in _parse(Path(source))[1]}
    return {PIP_NAMES.get(name, name) for name in names - set(sys.stdlib_module_names) - {"lmia", "workflow"}}


@pytest.mark.parametrize("env, script", jobs())
def test_a_script_imports_only_what_its_environment_holds(env, script):
    assert imported(script) <= pins(env).keys()


@pytest.mark.parametrize("env", ["numpy", "torch"])
def test_environments_pin_the_locked_versions(env):
    found = pins(env)
    assert found == {name: LOCK[name] for name in found}


def test_every_script_has_an_environment():
    assert {script for _, script in jobs()} == {file.stem for file in (ROOT / "workflow/scripts").glob("*.py")}


@pytest.mark.parametrize("recipe", ["Dockerfile", "lmia.def"])
def test_containers_install_the_lock_and_nothing_else(recipe):
    text = (ROOT / "container" / recipe).read_text()
    assert re.findall(r"pip install.*", text) == ["pip install --no-cache-dir -r /opt/requirements.lock"]
    assert re.search(r"^(COPY|   ) requirements.lock /opt/requirements.lock$", text, re.M)
    assert re.findall(r"python:([\d.]+)", text) == ["3.11"]
