"""Kept results: what runs of different seeds found is joined, and numbers of other settings never are."""

import itertools

import numpy as np
import pandas as pd
import pytest
import yaml

from lmia import artifacts
from lmia.evaluation.metrics_table import COLUMNS
from workflow.config.job_params import plain
from workflow.config.load import load
from workflow.tools import kept_results
from workflow.tools.kept_results import Recipes, keep, kept, measures_over_seeds

STUDY = {"dataset": "digits", "n_train": [50, 100], "model": "mlp", "attacks": ["gap", "boundary"]}
METRICS = ("accuracy", "auc", "accuracy_over_gap")


def configured(folder, seeds, **changes):
    """A configuration of one study, laid over the default one without its studies and figures."""
    with open("config.yaml") as file:
        default = yaml.safe_load(file)
    emptied = {key: dict.fromkeys(default[key]) for key in ("studies", "figures")}
    emptied["studies"] |= {"mine": STUDY | {"seeds": seeds}}
    files = [folder / "study.yaml", folder / "changes.yaml"]
    for file, content in zip(files, (emptied, changes), strict=True):
        file.write_text(yaml.safe_dump(content))
    return load(*files)


def finish(config, results):
    """Write the table that a finished study would have."""
    study, rows = config.studies["mine"], []
    for n, seed, attack, metric in itertools.product(study.n_train, study.models(), study.attacks, METRICS):
        value = (np.sin(n + seed + len(attack + metric)) + 1) / 2
        row = {"study": "mine", "dataset": "digits", "n_train": n, "model": "mlp", "defense": "none", "seed": seed}
        row |= {"attack": attack, "access": "label", "queries": 1.5, "setting": "", "metric": metric, "value": value}
        rows.append(row | {"ci_low": value - 0.1, "ci_high": value + 0.1, "flags": ""})
    (results / "tables").mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=COLUMNS).to_csv(results / "tables/mine.csv", index=False)


@pytest.mark.parametrize("runs", [[[0, 1, 2], [3, 4, 5]], [[5, 2], [0, 1, 2, 3, 4]]])
def test_seeds_that_are_run_apart_give_the_tables_of_all_at_once(tmp_path, runs):
    for page, parts in (("apart", runs), ("at-once", [range(6)])):
        for part in parts:
            config = configured(tmp_path, list(part))
            finish(config, results := tmp_path / page / str(len(part)))
            keep(config, page, results, tmp_path)
    texts = [(tmp_path / f"{page}-measures.csv").read_text() for page in ("apart", "at-once")]
    assert texts[0] == texts[1] and texts[0].count("\n") == 1 + 7 * 2 * 2 * len(METRICS)


@pytest.mark.parametrize(
    "entries",
    [
        {"queries": {"boundary": {"budget": 999}}},
        {"attacks": {"boundary": {"reads": "published", "budgets": []}}},
        {"models": {"mlp": {"hidden": [64]}}},
        {"datasets": {"digits": {"pixel_noise": 0.2}}},
        {"studies": {"mine": {"evaluated": 40}}},
        {"studies": {"mine": {"training": {"max_epochs": 3}}}},
    ],
)
def test_numbers_of_other_settings_are_dropped(tmp_path, entries):
    config = configured(tmp_path, [0, 1])
    finish(config, tmp_path)
    keep(config, "page", tmp_path, tmp_path)
    changed = configured(tmp_path, [0, 1], **entries)
    found = kept(changed, "page", "measures", tmp_path)
    of_attack = {"queries", "attacks"} & entries.keys()
    assert set(found["attack"]) == ({"gap"} if of_attack else set())
    assert len(kept(config, "page", "measures", tmp_path)) == 2 * 2 * 2 * len(METRICS)


def test_a_run_with_fewer_attacks_leaves_what_others_kept(tmp_path):
    page = configured(tmp_path, [0, 1, 2])
    whole, part = configured(tmp_path, [0, 1]), configured(tmp_path, [2], studies={"mine": {"attacks": ["gap"]}})
    for run in (whole, part):
        finish(run, tmp_path)
        keep(page, "page", tmp_path, tmp_path, run)
    seeds = kept(page, "page", "measures", tmp_path).groupby("attack")["seed"].unique()
    assert {attack: sorted(found) for attack, found in seeds.items()} == {"boundary": [0, 1], "gap": [0, 1, 2]}


def test_seeds_and_attacks_may_be_added(tmp_path):
    config = configured(tmp_path, [0, 1])
    more = {"seeds": [0, 1, 2], "attacks": ["gap", "boundary", "rotation"], "n_train": [50, 100, 200]}
    more = configured(tmp_path, [0], studies={"mine": more})
    row = {"study": "mine", "defense": "none", "attack": "gap"}
    assert Recipes(config).of(row) == Recipes(more).of(row) is not None


def test_rows_over_seeds_are_of_the_configuration_s_seeds_alone(tmp_path):
    config = configured(tmp_path, [0, 1, 2])
    finish(config, tmp_path)
    keep(config, "page", tmp_path, tmp_path)
    table = measures_over_seeds(configured(tmp_path, [0, 2]), "page", tmp_path)
    rows = table[table["n_train"].eq(50) & table["attack"].eq("boundary") & table["metric"].eq("auc")]
    values = rows.set_index("seed")["value"]
    assert set(values.index) == {"0", "2", "all"} and values["all"] == pytest.approx((values["0"] + values["2"]) / 2)


def test_nothing_kept_is_an_empty_table(tmp_path):
    assert not len(measures_over_seeds(configured(tmp_path, [0]), "page", tmp_path))


@pytest.mark.parametrize("value, is_same", [(None, True), (0, False)])
def test_an_option_that_comes_later_drops_nothing_unless_it_is_used(tmp_path, monkeypatch, value, is_same):
    row = {"study": "mine", "defense": "none", "attack": "boundary"}
    before = Recipes(configured(tmp_path, [0])).of(row)
    monkeypatch.setattr(kept_results, "plain", lambda *entry, **less: plain(*entry, **less) | {"later": value})
    assert (Recipes(configured(tmp_path, [0])).of(row) == before) == is_same


def test_models_of_a_study_that_is_not_finished_are_not_kept(tmp_path):
    """Their targets may be trained and their shadows not, and none of them is attacked yet."""
    config, results = configured(tmp_path, [0]), tmp_path / "results"
    folder = "mine/n50-none/0"
    (results / f"models/{folder}").mkdir(parents=True)
    (results / f"benchmarks/models/{folder}").mkdir(parents=True)
    numbers = {name: np.array([0.5]) for name in ("train_accuracy", "test_accuracy", "epochs")}
    artifacts.save(results / f"models/{folder}/target.npz", "model", numbers, {})
    (results / f"benchmarks/models/{folder}/target.tsv").write_text("s\tcpu_time\n60\t60\n")
    assert list(kept_results.models(config, results)) == list(kept_results.costs(config, results)) == []
    finish(config, results)
    assert len(list(kept_results.models(config, results))) == len(list(kept_results.costs(config, results))) == 1
