"""The plug-ins of docs/how-to/extend.md, from outside the package, through the whole workflow."""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

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
