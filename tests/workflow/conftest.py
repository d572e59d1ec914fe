"""A small finished run of the whole workflow, and copies of it to change."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml
from filelock import FileLock

from lmia import artifacts

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "lmia", "workflow", "profiles")
CONFIG = {
    "datasets": {"digits": {"kind": "digits", "pixel_noise": 0.3}},
    "models": {"mlp": {"kind": "mlp", "hidden": [32]}},
    "studies": {
        "small": {
            "dataset": "digits",
            "n_train": [60],
            "model": "mlp",
            "seeds": ["0-1"],
            "training": {"max_epochs": 60, "batch_size": 20},
        }
    },
    "queries": {
        "original": {"kind": "original"},
        "rotations": {"kind": "rotation", "degrees": [5, 10]},
        "noise": {"kind": "gaussian", "sigmas": [0.1, 0.2], "samples": 10},
        "boundary": {"kind": "hopskipjump", "budget": 150},
        "settled": {"kind": "hopskipjump", "budget": 150, "stop_error": 0.05},
        "confidences": {"kind": "confidences"},
        "gradients": {"kind": "white_box", "steps": 30},
    },
    "attacks": {
        "gap": {"kind": "gap", "reads": "original"},
        "rotation": {"kind": "classifier", "reads": "rotations"},
        "noise": {"kind": "vote", "reads": "noise"},
        "boundary": {"kind": "distance", "reads": "boundary", "budgets": [60]},
        "settled": {"kind": "distance", "reads": "settled"},
        "true-confidence": {"kind": "true_confidence", "reads": "confidences"},
        "white-box": {"kind": "distance", "reads": "gradients"},
    },
    "metrics": {"resamples": 100},
    "figures": {
        "accuracy": {"kind": "bars", "study": "small"},
        "roc": {"kind": "roc", "study": "small", "attacks": ["gap", "boundary"]},
        "gallery": {"kind": "gallery", "study": "small", "queries": ["rotations"]},
    },
}


class DryRunner:
    """Dry runs, by a process that has imported Snakemake once."""

    def __init__(self):
        self._printed = Path(tempfile.mkdtemp()) / "printed"
        command = [sys.executable, str(Path(__file__).parent / "dry_runner.py")]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # it is one test's
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def run(self, folder, arguments):
        """(what it printed, exit code)."""
        request = {"folder": str(folder), "arguments": arguments, "printed": str(self._printed)}
        print(json.dumps(request | {"environment": dict(os.environ)}), file=self._process.stdin, flush=True)
        code = int(self._process.stdout.readline())
        return self._printed.read_text(), code


@cache
def dry_runner():
    """That of this process; it ends with it."""
    return DryRunner()


class Checkout:
    """A folder with the workflow, a configuration and perhaps results."""

    def __init__(self, path):
        self.path = path

    def snakemake(self, *arguments, check=True, timeout=900):
        """Run Snakemake here; returns what it printed, and leaves its exit code in `exit_code`."""
        arguments = ["--cores", "2", *arguments]
        if "-n" in arguments:
            text, self.exit_code = dry_runner().run(self.path, arguments)
        else:
            command = [sys.executable, "-m", "snakemake", *arguments]
            done = subprocess.run(command, cwd=self.path, capture_output=True, text=True, timeout=timeout)
            text, self.exit_code = done.stdout + done.stderr, done.returncode
        assert self.exit_code == 0 or not check, text
        return text

    def pending(self, *targets):
        """Rule -> number of jobs that a run would execute, without the targets themselves, `all` by default."""
        table = self.snakemake("-n", *targets).partition("Job stats:")[2].partition("Reasons:")[0]
        rows = re.findall(r"^(\w+) +(\d+)$", table, re.M)
        return Counter({name: int(n) for name, n in rows if name not in ("all", "total", *targets)})

    def edit(self, file, old, new):
        """Replace a text that must be there once."""
        path = self.path / file
        text = path.read_text()
        assert text.count(old) == 1, f"{file}: {text.count(old)} times {old!r}"
        path.write_text(text.replace(old, new))

    def configure(self, change):
        """Apply a function to the parsed configuration."""
        path = self.path / "config.yaml"
        config = yaml.safe_load(path.read_text())
        change(config)
        path.write_text(yaml.safe_dump(config, sort_keys=False))

    def load(self, path, kind=None):
        """Arrays of an artifact, which must be of this kind where one is given."""
        return artifacts.load(self.path / path, kind)[0]

    def results(self, *folders):
        """Name -> bytes of the result files under the given folders of results/."""
        files = [f for folder in folders for f in sorted((self.path / "results").glob(folder)) if f.is_file()]
        return {str(file.relative_to(self.path)): file.read_bytes() for file in files}


def make_checkout(path):
    path.mkdir()
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, path / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, path / part)
    (path / "config.yaml").write_text(yaml.safe_dump(CONFIG, sort_keys=False))
    return Checkout(path)


def put_zeros(folder):
    """A new folder with files of the names and shapes that docs/results/configs/*.yaml read, all of it 0."""
    folder.mkdir()
    for name in ("adult.data", "adult.test", "dataset_location.tgz"):
        (folder / name).touch()
    images = ("cifar10", "cifar10-40000", "cifar100", "cifar100-full")
    for name, shape in dict.fromkeys(images, (32, 32, 3)).items() | {("mnist", (28, 28))}:
        n = 30000 if name == "cifar100-full" else 20000
        x, y = np.zeros((n, *shape), np.uint8), np.zeros(n, np.uint8)
        np.savez_compressed(folder / f"{name}.npz", x_train=x, x_test=x, y_train=y, y_test=y)


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id):
    """A finished run, of all worker processes together; not to be changed."""
    base = tmp_path_factory.getbasetemp()
    path = (base if worker_id == "master" else base.parent) / "finished"
    with FileLock(f"{path}.lock"):
        done = path.with_suffix(".done")
        if not done.exists():
            shutil.rmtree(path, ignore_errors=True)  # of a worker that failed
            make_checkout(path).snakemake()
            done.touch()
    return Checkout(path)


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of the finished run, with its times, and with hard links among its files."""
    subprocess.run(["cp", "-a", finished.path, tmp_path / "copy"], check=True)
    return Checkout(tmp_path / "copy")


@pytest.fixture
def fresh(tmp_path):
    """The workflow with its configuration, nothing run yet."""
    return make_checkout(tmp_path / "fresh")
