"""From the job to the terminal: one clear message, and no traceback."""

import errno
import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from snakemake.iocontainers import InputFiles, OutputFiles, Params, Wildcards

import workflow.harness.job
from lmia import artifacts
from tests.workflow.conftest import make_checkout
from workflow.harness.fingerprint import ROOT
from workflow.harness.job import job

PLUG_INS = {
    "holes": "import numpy as np\n\n\ndef load():\n    return np.full((9, 2), np.nan), np.arange(9) % 3\n",
    "alone": "def load():\n    return None\n",
    "faulty": "def load():\n    return {}['x']\n",
    "wide": "from torch import nn\n\n\ndef build(shape, n):\n    return nn.Linear(shape[0], n + 1)\n",
    "broken": "from torch import nn\n\n\ndef build(shape, n):\n    return nn.Linar(shape[0], n)\n",
    "normal": (
        "from torch import nn\n\n\ndef build(shape, n):\n"
        "    return nn.Sequential(nn.Linear(shape[0], 4), nn.BatchNorm1d(4), nn.Linear(4, n))\n"
    ),
    "picky": "def build(shape, n, width):\n    return width\n",
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A function that runs a script here as Snakemake would, and gives its log once it has ended with code 1."""
    for name, text in PLUG_INS.items():
        (tmp_path / f"spoilt_{name}.py").write_text(text)
    (tmp_path / "spoilt").mkdir()
    for name, text in PLUG_INS.items():
        (tmp_path / f"spoilt/{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(workflow.harness.job, "_check_code", lambda *_: None)  # no rule has listed these plug-ins

    def run(script, inputs=None, params=None, wildcards=None, config=None):
        fake = SimpleNamespace(
            log=["log"],
            output=OutputFiles(["output.npz"]),
            threads=1,
            input=InputFiles(fromdict=inputs or {}),
            params=Params(fromdict=(params or {}) | {"code": []}),
            wildcards=Wildcards(fromdict=wildcards or {}),
            config={"is_nested": False} | (config or {}),
            resources={},
        )
        fake.input._set_name("source", len(fake.input), end=len(fake.input))  # a name of no file, of train_model
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(ROOT / f"workflow/scripts/{script}.py"), {"snakemake": fake}, "__main__")
        assert ended.value.code == 1 and not (tmp_path / "output.npz").exists()
        assert not list((tmp_path / "results/.partial").iterdir())
        return (tmp_path / "log").read_text()

    return run


@pytest.mark.parametrize(
    "name, message",
    [
        ("holes", "inputs: expected finite numbers, got nan, first in example 0; fill or drop it"),
        ("alone", "expected (inputs, classes) from load() of spoilt.alone, got NoneType"),
        ("faulty", "KeyError: 'x' ({folder}/spoilt/faulty.py, line 2)"),
    ],
)
def test_a_bad_data_set_ends_its_job_with_one_line(run, tmp_path, name, message):
    log = run(
        "prepare_dataset",
        params={"spec": {"kind": f"spoilt.{name}"}, "places": []},
        wildcards={"dataset": "mine"},
        config={"datasets": {"mine": {}}},
    )
    assert log == f"datasets.mine: {message.format(folder=tmp_path)}\n"


def placed(folder, n_examples=12):
    """Paths of a data set and of a split of it."""
    points = np.linspace(0, 1, 2 * n_examples, dtype=np.float32).reshape(n_examples, 2)
    artifacts.save(folder / "data.npz", "dataset", {"inputs": points, "classes": np.arange(n_examples) % 3}, {})
    ids = np.arange(n_examples // 2)[None]
    artifacts.save(folder / "split.npz", "split", {"members": ids, "nonmembers": ids + n_examples // 2}, {})
    return {"dataset": str(folder / "data.npz"), "split": str(folder / "split.npz")}


@pytest.mark.parametrize(
    "name, message",
    [
        ("wide", "expected logits of shape (8, 3) for 8 inputs of 3 classes, got (8, 4); mend its last layer"),
        ("broken", "AttributeError: module 'torch.nn' has no attribute 'Linar' ({folder}/spoilt/broken.py, line 5)"),
        ("picky", "TypeError: build() missing 1 required positional argument: 'width'"),
    ],
)
def test_a_bad_model_ends_its_check_with_one_line(run, tmp_path, name, message):
    log = run(
        "check_study",
        inputs=placed(tmp_path),
        params={"model": {"kind": f"spoilt.{name}"}},
        wildcards={"study": "s"},
        config={"studies": {"s": {"model": "net"}}},
    )
    assert log == f"models.net, on inputs of shape [2]: {message.format(folder=tmp_path)}\n"


def test_a_data_set_that_is_too_small_ends_its_split_with_one_line(run, tmp_path):
    log = run(
        "draw_split",
        inputs=placed(tmp_path),
        params={
            "seeds": "0",
            "role": "target",
            "n_train": 4,
            "n_nonmembers": 4,
            "scheme": "disjoint",
            "pool": None,
            "canaries": 0,
            "canary_kind": "mislabelled",
        }
        | {"membership": None},
        wildcards={"study": "s"},
    )
    assert log == (
        "studies.s: n_train: disjoint splits of 4, 4, 4, 4 need 16 examples, the data set has 12; "
        "lower n_train or n_nonmembers\n"
    )


def test_a_gpu_that_is_not_there_ends_its_job_with_one_line(run, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    spec = {"kind": "mlp"}
    log = run("train_model", params={"model": spec, "defense": {"kind": "none"}}, config={"device": "cuda"})
    assert re.fullmatch(r"device: cuda: torch \S+ sees 0 GPUs on .*; set auto or cpu, .*\n", log)


def test_a_batch_of_one_ends_its_job_with_one_line(run, tmp_path):
    training = {"learning_rate": 0.1, "batch_size": 5, "min_delta": 0.0, "patience": 1, "max_epochs": 1}
    log = run(
        "train_model",
        inputs=placed(tmp_path),
        params={
            "seeds": "0",
            "role": "target",
            "model": {"kind": "spoilt.normal"},
            "training": training,
            "defense": {"kind": "none"},
        },
        wildcards={"study": "s"},
        config={"device": "cpu", "cache": None, "save_every": 60, "studies": {"s": {"model": "normal"}}},
    )
    *_, line = log.splitlines()
    assert line.startswith(
        "studies.s.training.batch_size: 5: of 6 views of 6 members, one is left for a batch of its own"
    )
    assert line.endswith("; set batch_size to 6 or n_train to 5") and "Traceback" not in log


@pytest.mark.parametrize("log_is_full", [False, True])
@pytest.mark.parametrize("then", [OSError, KeyError])
def test_a_full_disk_ends_its_job_with_one_line(tmp_path, monkeypatch, capsys, log_is_full, then):
    """then: what the failure leads to, as in libraries that close a file on their way out."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(workflow.harness.job, "_check_code", lambda *_: None)  # there is no script
    fake = SimpleNamespace(
        log=["log"],
        output=OutputFiles(["results/a.npz"]),
        threads=1,
        input=InputFiles([]),
        params=Params(),
        config={"is_nested": False},
    )
    if log_is_full:
        monkeypatch.setattr(
            workflow.harness.job, "open", lambda *arguments, **options: open("/dev/full", "w"), raising=False
        )
    with pytest.raises(SystemExit) as ended, job(fake):
        try:
            with open("/dev/full", "w") as file:
                file.write("more")
        except OSError as error:
            print("it failed")
            raise then(*error.args)  # noqa: B904
    assert ended.value.code.startswith(f"{tmp_path}/results: no space left on device (")
    assert ended.value.code.endswith("and repeat the command: what is finished stays")
    assert "Traceback" not in capsys.readouterr().err
    assert log_is_full or (tmp_path / "log").read_text() == "it failed\n"


@pytest.mark.parametrize("named", [False, True])
def test_the_disk_that_is_full_is_named_where_results_lie_on_several(tmp_path, monkeypatch, named):
    """named: by the error, which has the names of what is copied and of the copy."""
    monkeypatch.chdir(tmp_path)
    for folder in ("results/deep", "results/.partial", "disk/models"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "results/deep/models").symlink_to("../../disk/models")
    (tmp_path / "results/nowhere").symlink_to("gone")
    usage = workflow.harness.job.shutil.disk_usage

    def free(path):
        on_disk = Path(path).resolve().is_relative_to(tmp_path / "disk")
        return usage(path)._replace(free=2_000_000 if on_disk else 9_000_000)

    monkeypatch.setattr(workflow.harness.job.shutil, "disk_usage", free)
    error = OSError(errno.ENOSPC, "No space left on device")
    if named:
        error.filename, error.filename2 = "results/.partial/a.npz", "results/deep/models/a.npz.1.part"
    told = workflow.harness.job._no_space(error)
    assert told.startswith(f"{tmp_path}/disk/models: no space left on device (2.0 MB free); ")
    if named:
        error.filename, error.filename2 = "results/.partial/a.npz", None
        assert workflow.harness.job._no_space(error).startswith(f"{tmp_path}/results/.partial: no space")


def test_the_terminal_shows_the_message_alone(tmp_path):
    checkout = make_checkout(tmp_path / "fresh")
    (checkout.path / "spoilt").mkdir()
    (checkout.path / "spoilt/holes.py").write_text(PLUG_INS["holes"])
    checkout.configure(lambda config: config["datasets"].update(holes={"kind": "spoilt.holes"}))
    text = checkout.snakemake("results/data/holes.npz", check=False)
    assert checkout.exit_code == 1 and "Traceback" not in text
    assert text.count("datasets.holes: inputs: expected finite numbers, got nan, first in example 0") == 1


def test_a_hostile_base_is_refused_in_the_terminal(tmp_path):
    checkout = make_checkout(tmp_path / "fresh")
    (checkout.path / "config.yaml").write_text("datasets: !!python/object/apply:os.mkdir [canary]\n")
    text = checkout.snakemake("-n", check=False)
    assert checkout.exit_code == 1 and "Traceback" not in text and not (checkout.path / "canary").exists()
    assert "config.yaml: line 1: no plain YAML (tag:yaml.org,2002:python/object/apply:os.mkdir is a tag" in text


def test_a_key_that_is_there_twice_is_refused_in_the_terminal(tmp_path):
    checkout = make_checkout(tmp_path / "fresh")
    (checkout.path / "mine.yaml").write_text("studies: {small: {shadows: 2}}\nstudies: {small: {n_train: [50]}}\n")
    text = checkout.snakemake("-n", "--configfile", "mine.yaml", check=False)
    assert checkout.exit_code == 1 and "Traceback" not in text
    assert "mine.yaml: line 2: no plain YAML (the key studies is there twice)" in text
