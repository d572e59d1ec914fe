"""The conda environments hold what their scripts import, and what that needs, in the versions of requirements.lock."""

import importlib.metadata
import re
import sys

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from workflow.harness.fingerprint import ROOT, _imported, closure

LOCK = dict(re.findall(r"^([A-Za-z0-9_.-]+)(?:\[\w+\])?==(\S+)", (ROOT / "requirements.lock").read_text(), re.M))
LOCKED = {canonicalize_name(name): name for name in LOCK}  # as the lock writes it
PIP_NAMES = {"sklearn": "scikit-learn"}
OF_CUDA = ("nvidia-", "cuda-", "triton")  # which the pinned torch brings in its own versions, where the index offers it


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
    named = re.findall(r"plugins\.modules\(([^)]*)\)", text)
    packages = re.findall(r'module_name\("(\w+)"', text) + re.findall(r"(\w+)=", " ".join(named))
    chosen = [f"lmia.{name}.{f.stem}" for name in packages for f in sorted((ROOT / "lmia" / name).glob("[a-z]*.py"))]
    sources = closure(file, *chosen, around=True)
    names = {
        name.split(".")[0] for source, own in sources.items() for name in _imported(source.read_bytes(), source, own)
    }
    names |= {name for source in sources for name in re.findall(r'import_module\("(\w+)"\)', source.read_text())}
    return {PIP_NAMES.get(name, name) for name in names - set(sys.stdlib_module_names) - {"lmia", "workflow"}}


def needed(packages):
    """The packages and all that they need here, directly or not."""
    found, pending = set(), {canonicalize_name(name) for name in packages}
    while pending:
        found.add(name := pending.pop())
        requirements = map(Requirement, importlib.metadata.requires(name) or [])
        here = [r for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
        pending |= {canonicalize_name(r.name) for r in here if not r.name.startswith(OF_CUDA)} - found
    return {LOCKED[name] for name in found}


@pytest.mark.parametrize("env", ["numpy", "torch"])
def test_an_environment_pins_what_its_scripts_import_and_all_that_this_needs(env):
    assert pins(env).keys() == needed(set().union(*(imported(script) for of, script in jobs() if of == env)))


@pytest.mark.parametrize("env", ["numpy", "torch"])
def test_environments_pin_the_locked_versions(env):
    found = pins(env)
    assert found == {name: LOCK[name] for name in found}
    conda = yaml.safe_load((ROOT / f"workflow/envs/{env}.yaml").read_text())["dependencies"]
    assert conda[0] == "python =3.11"  # that the lock is for


def test_the_lock_pins_all_that_it_needs():
    assert needed(LOCK) == LOCK.keys()


def test_the_page_has_the_locked_versions_of_what_given_models_need():
    page, lock = (ROOT / name for name in ("docs/how-to/cluster.md", "requirements-audit.lock"))
    told = dict(re.findall(r"^ +- ([\w-]+) ==(\S+)$", page.read_text(), re.M))
    locked = dict(re.findall(r"^([\w-]+)==(\S+)$", lock.read_text(), re.M))
    assert len(told) == 5 and told.items() <= locked.items()


def test_every_script_has_an_environment():
    assert {script for _, script in jobs()} == {file.stem for file in (ROOT / "workflow/scripts").glob("*.py")}


@pytest.mark.parametrize("recipe", ["Dockerfile", "lmia.def"])
def test_containers_install_the_lock_and_nothing_else(recipe):
    text = (ROOT / "container" / recipe).read_text()
    assert re.findall(r"pip install.*", text) == ["pip install --no-cache-dir -r /opt/requirements.lock"]
    assert re.search(r"^(COPY|   ) requirements.lock /opt/requirements.lock$", text, re.M)
    assert re.findall(r"python:([\d.]+)", text) == ["3.11"]


def test_packages_of_a_users_home_stay_out_of_the_container_that_mounts_it():
    text = (ROOT / "container/lmia.def").read_text()
    assert re.search(r"^%environment\n +export PYTHONNOUSERSITE=1\b", text, re.M)
