"""A user's code opens no file that nothing names, whatever it is opened by."""

import json
import os
import subprocess
import sys
import time

import pytest

from lmia.data.archives import CACHE_VARIABLE
from tests.workflow.conftest import ROOT

MINE = """
import gzip, importlib.util, io, itertools, json, multiprocessing, os, pathlib, runpy
from concurrent.futures import ThreadPoolExecutor
import numpy as np
import pandas as pd
import torch
import helper

HERE = pathlib.Path(__file__).parent
NUMBERS = itertools.count()


def swallowed(path):
    try:
        return open(path).read()
    except OSError:
        return "a default"


def once():
    made = HERE / f"made{next(NUMBERS)}.csv"
    made.write_text("1")
    return made.read_text()


def executed(path):
    spec = importlib.util.spec_from_file_location("anything", path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


RUNNERS = {
    "run_path": lambda path: runpy.run_path(path),
    "exec": lambda path: exec(open(path).read()),
    "a loader": executed,
}
OPENERS = {
    "open": lambda path: open(path).read(),
    "open for more": lambda path: open(path, "r+").read(),
    "bytes": lambda path: open(os.fsencode(path)).read(),
    "io": lambda path: io.open(path).read(),
    "os": lambda path: os.close(os.open(path, os.O_RDONLY)),
    "pathlib": lambda path: pathlib.Path(path).read_text(),
    "relative": lambda path: open(os.path.relpath(path)).read(),
    "json": lambda path: json.load(open(path)),
    "gzip": lambda path: gzip.open(path),
    "loadtxt": lambda path: np.loadtxt(path),
    "fromfile": lambda path: np.fromfile(open(path, "rb")),
    "load": lambda path: np.load(path),
    "pandas": lambda path: pd.read_csv(path),
    "torch": lambda path: torch.load(path),
    "helper": helper.read,
    "a path": lambda path: io.FileIO(pathlib.Path(path)).read(),
    "a thread": lambda path: list(ThreadPoolExecutor().map(pathlib.Path.read_text, [pathlib.Path(path)])),
    "a fork": lambda path: multiprocessing.get_context("fork").Pool(1).map(helper.read, [path]),
    "lazily": lambda path: list(map(open, [path])),
    "swallowed": swallowed,
}
"""
# Each place is tried by a process of its own, as a watch ends with that.
RUN = """
import json, os, sys
from pathlib import Path

sys.path[:0] = [os.path.join(os.getcwd(), CODE), ROOT]
from workflow.harness.opened_files import OpenedFiles
import mine

from workflow.harness.opened_files import folders_in

assert not [*folders_in({"reads": "folder", "model": {"kind": "mlp", "path": "./folder"}, "n": ["./folder"]}, [])]
assert [*folders_in({"a": {"kind": "code.mine", "root": ["./folder", "folder", "./none"]}}, [])] == ["./folder"]
own = [Path(CODE, name).resolve() for name in ("mine.py", "helper.py")]


def tried(path, named=(), folders=()):
    if path.endswith(".py"):
        mine.OPENERS |= mine.RUNNERS
    watch, found, raised = OpenedFiles(own, named, folders), {}, {}
    for name, opener in mine.OPENERS.items():
        watch.forget()
        try:
            opener(path)
        except Exception as error:
            raised[name] = type(error).__name__
        found[name] = watch.refused
    watch.forget()
    assert all(mine.once() == "1" for _ in range(200)) and not watch.refused  # files of its own
    assert not os.path.exists(path) or open(path).read() and not watch.refused  # this is no user's code
    return found, raised


for place in json.loads(sys.argv[1]):
    if os.fork() == 0:
        print(json.dumps(tried(**place)), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0
"""


@pytest.fixture
def work(tmp_path):
    """A working folder with the code, and files in it, beside it and far from it."""
    (tmp_path / "work/code").mkdir(parents=True)
    (tmp_path / "work/code/mine.py").write_text(MINE)
    (tmp_path / "work/code/helper.py").write_text(
        "def read(path):\n    with open(path) as file:\n        return file.read()\n"
    )
    for name in (
        "weights.csv",
        "code/weights.csv",
        "folder/weights.csv",
        "../far/weights.csv",
        "results/notes/weights.csv",
    ):
        (tmp_path / "work" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "work" / name).write_text("1")
    (tmp_path / "work/.venv/lib/python3.11/site-packages/fonts").mkdir(parents=True)
    (tmp_path / "work/.venv/lib/python3.11/site-packages/fonts/list.json").write_text("1")
    (tmp_path / "work/code/__pycache__").mkdir()
    (tmp_path / "work/code/__pycache__/compiled.nbi").write_text("1")
    (tmp_path / "work/code/settings-a.py").write_text("1")
    (tmp_path / "work/code/other.py").write_text("1")
    (tmp_path / "work/linked.csv").symlink_to("folder/weights.csv")
    (tmp_path / "work/out.csv").symlink_to("../far/weights.csv")
    (tmp_path / "far/in.csv").symlink_to("../work/weights.csv")
    time.sleep(0.02)  # status times are those of the kernel's clock
    return tmp_path / "work"


def opened(work, *places, code="code", **variables):
    """(opener -> why it was refused, "" where it was not, opener -> what it raised), of each place."""
    places = [place | {"path": str(work / place["path"])} for place in places]
    text = f"ROOT, CODE = {str(ROOT)!r}, {code!r}\n{RUN}"
    command = [sys.executable, "-c", text, json.dumps(places)]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, env=os.environ | variables)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_file_that_nothing_names_is_refused_whatever_opens_it_and_wherever_it_lies(work):
    """Links lead nobody past it, in or out."""
    paths = ("weights.csv", "code/weights.csv", "folder/weights.csv", "linked.csv", "out.csv", "../far/in.csv")
    paths += ("results/notes/weights.csv", "code/settings-a.py")
    for path, (found, raised) in zip(paths, opened(work, *({"path": path} for path in paths)), strict=True):
        assert len(found) > 15 and all(found.values()), path
        where = os.path.abspath(work / path)
        assert found["helper"].startswith(f"{work}/code/helper.py, line 2: opens {where}, which nothing names")
        assert raised == dict.fromkeys(found.keys() - {"swallowed"}, "PermissionError")


@pytest.mark.parametrize(
    "place",
    [
        {"path": "folder/weights.csv", "named": ["folder/weights.csv"]},
        {"path": "folder/weights.csv", "named": ["folder/../linked.csv"]},
        {"path": "linked.csv", "named": ["folder/weights.csv"]},
        {"path": "folder/weights.csv", "folders": ["folder"]},
        {"path": "../far/weights.csv"},
        {"path": "nowhere.csv"},
        {"path": "code/__pycache__/compiled.nbi"},
        {"path": ".venv/lib/python3.11/site-packages/fonts/list.json"},  # of a library that the code imports late
    ],
)
def test_what_is_named_is_opened_and_what_lies_elsewhere(work, place):
    ((found, _), (others, _)) = opened(work, place, place | {"path": "weights.csv"})
    assert not any(found.values()) and all(others.values())


def test_code_that_is_imported_is_watched_apart(work):
    """Its module is seen by `fingerprint.unlisted`."""
    (work / "code/mine.py").write_text(MINE + '\n\nOPENERS = {"import": lambda path: __import__("other")}\n')
    ((found, raised),) = opened(work, {"path": "code/other.py"})
    assert found.pop("import") == "" and "import" not in raised
    assert len(found) == 3 and all(found.values())


@pytest.mark.parametrize("folder", ["folder", "~/folder"])
def test_the_cache_of_original_files_may_lie_among_the_users_code(work, folder):
    """What lies there is checked by its SHA-256."""
    variables = {CACHE_VARIABLE: folder, "HOME": str(work)}
    ((found, _), (others, _)) = opened(work, {"path": "folder/weights.csv"}, {"path": "weights.csv"}, **variables)
    assert not any(found.values()) and all(others.values())


@pytest.mark.parametrize("code", ["code", ".code"])
def test_hidden_folders_of_a_home_are_of_programs_but_where_the_users_code_lies(work, code):
    os.rename(work / "code", work / code)
    os.makedirs(work / ".cache/fonts")
    for folder in (".cache/fonts", code):
        (work / folder / "weights.csv").write_text("1")
    paths = (".cache/fonts/weights.csv", f"{code}/weights.csv", "weights.csv")
    (work.parent / "linked").symlink_to(work)
    for home in (work, work.parent / "linked"):
        (cache, _), (own, _), (beside, _) = opened(work, *({"path": path} for path in paths), code=code, HOME=str(home))
        assert not any(cache.values()) and all(own.values()) and all(beside.values())
    assert all(opened(work, {"path": paths[0]}, code=code, HOME=str(work / "none"))[0][0].values())
    assert all(opened(work, {"path": paths[0]}, code=code)[0][0].values())  # no home of anyone
