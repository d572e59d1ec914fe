"""What is read of configuration files and of --config, from wherever they are: numbers, layers and folders."""

import pytest
import yaml
from snakemake.common.configfile import load_configfile

from tests.workflow.conftest import ROOT
from workflow.config.load import ConfigError, base_files, load, read_layers
from workflow.config.yaml_reader import read, read_argument

NUMBERS = {
    "1e-3": 0.001,
    "1E5": 1e5,
    "-1.5e+2": -150.0,
    ".5": 0.5,
    "1.": 1.0,
    "+12": 12,
    "-0": 0,
    "0o17": 15,
    "0x1F": 31,
    "-.inf": float("-inf"),
    "1e400": float("inf"),
}
TEXTS = [
    "2024-01-01",
    "0o8",
    "1e",
    "_1",
    "=",
    "0-5",
    "cuda:1",
    "y",
    "nan",
    "'1e-3'",
    "'010'",
    "'yes'",
    '"1:5"',
]


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers_are_those_of_yaml_1_2(text, tmp_path):
    (tmp_path / "a.yaml").write_text(f"a: {text}\n")
    value = read(tmp_path / "a.yaml")["a"]
    assert value == NUMBERS[text] and type(value) is type(NUMBERS[text])
    assert read_argument(f"a={text}") == {"a": value}


@pytest.mark.parametrize("text", TEXTS)
def test_texts_are_those_of_yaml_1_2(text, tmp_path):
    (tmp_path / "a.yaml").write_text(f"a: {text}\n")
    assert read(tmp_path / "a.yaml") == {"a": text.strip("'\"")}


def test_truths_and_nulls_are_those_of_yaml_1_2(tmp_path):
    (tmp_path / "a.yaml").write_text("a: [true, FALSE, null, ~, Null]\nb:\n2024-01-01: true\n")
    assert read(tmp_path / "a.yaml") == {"a": [True, False, None, None, None], "b": None, "2024-01-01": True}


def test_the_configurations_here_are_the_same_to_yaml_1_1():
    """Snakemake reads them so first, and others may."""
    for file in [ROOT / "config.yaml", *ROOT.glob("config/*.yaml"), *ROOT.glob("docs/results/configs/*.yaml")]:
        assert read(file) == load_configfile(str(file)) == yaml.safe_load(file.read_text())


@pytest.mark.parametrize(
    "argument, content",
    [
        ("cache=", {"cache": None}),
        ("metrics={resamples: 200, fprs: [1e-2]}", {"metrics": {"resamples": 200, "fprs": [0.01]}}),
        ("figures={'a': None}", {"figures": {"a": "None"}}),
        ("cache=@home", {"cache": "@home"}),
        ("cache=a=b", {"cache": "a=b"}),
        ("cache=[a", {"cache": "[a"}),
    ],
)
def test_arguments_are_read_as_files_are(argument, content):
    assert read_argument(argument) == content


@pytest.mark.parametrize(
    "argument, message",
    [
        ("save_every=1_000", "--config save_every: 1_000 is read in two ways"),
        ("save_every=!!python/name:os.system", "--config save_every: tag:.*python/name:os.system is a tag"),
        ("metrics=&a [*a]", "--config metrics.0.*: nested deeper than 20"),
        ("metrics={a: 1, a: 2}", "--config metrics: the key a is there twice"),
    ],
)
def test_arguments_that_are_no_plain_values(argument, message):
    with pytest.raises(ConfigError, match=f"^{message}"):
        read_layers([], [argument])


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Two folders, here/ and there/, of which the first is the working folder."""
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def test_files_lie_over_each_other_and_arguments_over_all(folders):
    (folders / "there/below.yaml").write_text("base: none\nx: {a: 1, b: 1, c: 1, d: 1}\n")
    (folders / "there/one.yaml").write_text("base: below.yaml\nx: {b: 2, c: 2, d: 2}\n")
    (folders / "here/two.yaml").write_text("x: {c: 3, d: 3}\n")
    whole, files = read_layers(["../there/one.yaml", "two.yaml"], ["x={d: 4}", "x={e: 5e0}"])
    assert whole["x"] == {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5.0} and files == ["../there/below.yaml"]


def test_a_base_is_looked_for_beside_its_file_then_here_then_beside_the_snakefile(folders):
    (folders / "there/top.yaml").write_text("base: base.yaml\n")
    top = str(folders / "there/top.yaml")
    with pytest.raises(ConfigError) as error:
        load(top)
    assert str(error.value) == (
        f"base: base.yaml: no such file in {folders}/there or {folders}/here or {ROOT}; put it there, or name another, "
        "or none, as base"
    )
    for place in ("here", "there"):
        (folders / place / "base.yaml").write_text("base: none\n")
        found = {"here": "base.yaml", "there": f"{folders}/there/base.yaml"}[place]
        assert read_layers([top])[1] == [found]
    assert base_files({"base": "base.yaml"}) == ["base.yaml"]  # of --config
    assert base_files({"base": "config/paper.yaml"}, top) == [f"{ROOT}/config/paper.yaml"]


def test_data_lie_in_the_working_folder_or_else_beside_the_file_that_names_them(folders):
    kinds = {"mine": "npz", "old": "texas", "made": "plugins.people"}
    entries = {name: {"kind": kind, "path": "data.npz"} for name, kind in kinds.items()}
    (folders / "there/top.yaml").write_text(yaml.safe_dump({"base": "none", "datasets": entries}))

    def paths():
        entries = read_layers(["../there/top.yaml"])[0]["datasets"]
        return [entries[name]["path"] for name in kinds]

    assert paths() == ["data.npz"] * 3
    (folders / "there/data.npz").touch()
    assert paths() == ["../there/data.npz", "../there/data.npz", "data.npz"]
    (folders / "here/data.npz").touch()
    assert paths() == ["data.npz"] * 3


def test_without_a_base_it_is_config_yaml_here_or_beside_the_snakefile(folders):
    (folders / "there/top.yaml").write_text("{}\n")
    (folders / "there/config.yaml").write_text("base: none\n")
    assert read_layers([folders / "there/top.yaml"])[1] == [f"{ROOT}/config.yaml"]
    (folders / "here/config.yaml").write_text("base: ../there/below.yaml\n")
    (folders / "there/below.yaml").write_text("base: none\n")
    assert read_layers([folders / "there/top.yaml"])[1] == ["../there/below.yaml", "config.yaml"]


def test_chains_of_one_name_end_where_files_are_the_same(folders):
    (folders / "here/a.yaml").write_text("base: ../there/a.yaml\n")
    (folders / "there/a.yaml").write_text("base: none\n")
    assert base_files({"base": "a.yaml"}) == ["../there/a.yaml", "a.yaml"]
    (folders / "there/a.yaml").write_text("base: ../here/a.yaml\n")
    with pytest.raises(ConfigError, match="base: ../here/a.yaml: is laid over itself"):
        base_files({"base": "a.yaml"})


PLUG_IN = """import numpy as np


def load(number, more):
    assert [type(number), *map(type, more)] == [float, float, int], (number, more)
    return number * np.arange(18.0).reshape(9, 2), np.arange(9) % 3
"""


@pytest.mark.parametrize("kind", ["local", "cluster"])
def test_jobs_get_what_is_read_here_and_run_in_another_folder(kind, fresh, tmp_path):
    """In a cluster, each job is a Snakemake of its own, which gets the same files and arguments."""
    (fresh.path / "exact").mkdir()
    (fresh.path / "exact/numbers.py").write_text(PLUG_IN)
    (tmp_path / "elsewhere/run").mkdir(parents=True)
    (tmp_path / "elsewhere/mine.yaml").write_text("datasets: {d: {kind: exact.numbers, number: 1e-3}}\n")
    (tmp_path / "submit").write_text("#!/bin/sh\nbash $1 > /dev/null 2>&1 &\necho $!\n")
    (tmp_path / "submit").chmod(0o755)
    arguments = ("--configfile", "../elsewhere/mine.yaml", "--directory", "../elsewhere/run")
    more = ["--config", "datasets={d: {more: [2e-3, 0o7]}}", "save_every=1e-3"]
    if kind == "cluster":
        more += [
            "--executor",
            "cluster-generic",
            "--jobs",
            "1",
            "--cluster-generic-submit-cmd",
            str(tmp_path / "submit"),
        ]
    fresh.snakemake("results/data/d.npz", *arguments, *more)
    assert (tmp_path / "elsewhere/run/results/data/d.npz").exists() and not (fresh.path / "results").exists()


def test_an_argument_with_two_readings_is_refused_in_the_terminal(fresh):
    text = fresh.snakemake("-n", "--config", "save_every=010", check=False)
    assert fresh.exit_code == 1 and "--config save_every: 010 is read in two ways" in text and "Traceback" not in text
