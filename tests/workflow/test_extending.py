"""The plug-ins of docs/how-to/extend.md, from outside the package, through the whole workflow."""

import inspect
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from lmia.attacks.observations import OBSERVATIONS, Answers, Confidences, Distances
from lmia.attacks.scoring import run_attack
from lmia.defenses import base
from lmia.evaluation.metrics_table import COLUMNS

PAGE = Path(__file__).parents[2] / "docs/how-to/extend.md"


def blocks():
    """File name -> content of the page's code blocks: python ones open with `# plugins/<file>`."""
    text = PAGE.read_text()
    python = re.findall(r"```python\n# (plugins/\S+)\n(.*?)```", text, re.S)
    return dict(python), [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.S)]


def merge(config, entry):
    for key, value in entry.items():
        if isinstance(value, dict) and isinstance(config.get(key), dict):
            merge(config[key], value)
        else:
            config[key] = value


def install(checkout):
    files, entries = blocks()
    assert len(files) == 6 and len(entries) >= 6
    for name, content in files.items():
        (checkout.path / name).parent.mkdir(exist_ok=True)
        (checkout.path / name).write_text(content)
    for entry in entries:
        checkout.configure(lambda config, entry=entry: merge(config, entry))


def namespace(name):
    """What a file of the page defines, once it has run."""
    found = {}
    exec(blocks()[0][f"plugins/{name}.py"], found)
    return found


def table_rows(section):
    """Cells of each row of the tables in a section of the page, with their code alone, and whole."""
    text = PAGE.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return [(re.findall(r"`([^`]+)`", row[0]), row) for row in rows]


def test_the_page_has_each_method_and_attribute_of_a_defense_as_the_base_has_it():
    rows = {code[0]: row for code, row in table_rows("A new defense")}
    public = {name: part for name, part in vars(base.Defense).items() if not name.startswith("_")}
    methods = {name: part for name, part in public.items() if callable(part)}
    signatures = {f"{name}({', '.join(inspect.signature(part).parameters)})" for name, part in methods.items()}
    assert rows.keys() == signatures | (public.keys() - methods.keys())
    assert all(rows[name][2] == str(public[name]) for name in public.keys() - methods.keys())


N, Q, COPIES, MOMENTS, CLASSES = 5, 4, 3, 2, 7
OBSERVED = {
    "Answers": Answers(np.zeros((N, Q), int), np.zeros(N, int), np.array([0.0, 1, 1, 1])),
    "Distances": Distances(np.ones((N, COPIES, MOMENTS)), np.ones((N, COPIES, MOMENTS), int), np.zeros(N, int)),
    "Confidences": Confidences(np.full((N, CLASSES), 1 / CLASSES), np.zeros(N, int)),
}
SIZES = {"n": N, "q": Q, "c": COPIES, "t": MOMENTS, "n_classes": CLASSES}


def shape_of(text):
    return tuple(SIZES[name] for name in re.findall(r"\w+", text))


def test_the_page_has_the_shapes_of_what_attacks_are_given():
    rows = [(reads, row) for reads, row in table_rows("A new attack") if row[1].strip("`") in OBSERVED]
    assert {kind for reads, _ in rows for kind in reads} == {"labels", "distances", "confidences", "white_box"}
    for reads, row in rows:
        observed = OBSERVED[row[1].strip("`")]
        assert all(OBSERVATIONS[kind].type is type(observed) for kind in reads)
        assert observed.features().shape == shape_of(row[2].partition(")")[0]), row
        for names, shape in re.findall(r"((?:`[\w()]+`(?:,? and |, )?)+) (\([^)]*\))", row[3]):
            for name in re.findall(r"`(\w+)", names):
                part = getattr(observed, name)
                assert np.shape(part() if callable(part) else part) == shape_of(shape), name
        assert observed.classes.shape == observed.queries().shape == (N,)


@pytest.mark.parametrize("shape", [(2,), (1, 8, 8), (3, 4, 5)])
def test_the_model_of_the_page_takes_inputs_of_any_shape(shape):
    model = namespace("linear")["build"](shape, 10)
    assert model(torch.zeros(6, *shape)).shape == (6, 10)


def test_the_attack_of_the_page_scores_what_it_is_given():
    Attack = namespace("strict_vote")["Attack"]
    result = run_attack(lambda: Attack(0.9), OBSERVED["Answers"], [OBSERVED["Answers"]], [np.arange(N) < 2])[0]
    assert result.scores.tolist() == [1.0] * N


def test_the_figure_of_the_page_is_drawn_of_a_table_with_the_columns_that_it_names(tmp_path, monkeypatch):
    text = PAGE.read_text().partition("\n## A figure of your own\n")[2].partition("\n## ")[0]
    (line,) = (line for line in text.splitlines() if line.startswith("Its [columns]"))
    assert re.findall(r"`(\w+)`", line) == COLUMNS
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    row = {"study": "moons-study", "seed": "all", "metric": "accuracy", "queries": 1, "value": 0.5, "setting": ""}
    pd.DataFrame([row, row | {"seed": 0}]).reindex(columns=COLUMNS).to_csv("results/metrics.csv", index=False)
    (code,) = re.findall(r"```python\n# my_figure.py\n(.*?)```", text, re.S)
    found = {}
    exec(code, found)
    assert len(found["shown"]) == 1 and (tmp_path / "my_figure.png").stat().st_size > 1000


@pytest.mark.slow
def test_every_example_of_the_page_runs_and_disturbs_nothing(copy):
    before = copy.results("models/small/**/*", "answers/small/**/*", "distances/small/**/*", "scores/small/**/*")
    times = {name: (copy.path / name).stat().st_mtime_ns for name in before}
    install(copy)
    copy.snakemake()
    assert {name: (copy.path / name).stat().st_mtime_ns for name in before} == times
    metrics = (copy.path / "results/metrics.csv").read_text()
    for part in (
        "small,digits,60,mlp,none,all,strict",
        "moons-study,moons,100,linear,smooth,all,gap",
        "digits-pool,digits,100,mlp,none,all,above-median",
    ):
        assert part in metrics, part
    assert not copy.pending()
    (code,) = re.findall(r"```python\n# my_figure.py\n(.*?)```", PAGE.read_text(), re.S)
    subprocess.run([sys.executable, "-c", code], cwd=copy.path, check=True)
    assert (copy.path / "my_figure.png").exists()
    copy.edit("plugins/strict_vote.py", ">= self.at_least", "> self.at_least")
    pending = copy.pending()
    assert pending["score_attack"] == 5 and not pending["query_labels"] and not pending["train_model"]
    copy.edit("plugins/above_median.py", "quantile=0.5", "quantile=0.4")
    of_pool = ("score_pool", "measure_attack", "measure_pool", "compare_pool", "tabulate_study")
    assert copy.pending() == pending + Counter(of_pool)


@pytest.mark.parametrize(
    "attack, option, meant", [("strict", "atleast", "at_least"), ("above-median", "quantil", "quantile")]
)
def test_a_mistyped_option_of_a_plug_in_is_found_before_any_job(copy, attack, option, meant):
    install(copy)
    copy.configure(lambda config: config["attacks"][attack].update({option: 1}))
    text = copy.snakemake("-n", check=False)
    assert f"attacks.{attack}.{option}: unknown key; did you mean {meant}?" in text.splitlines()
