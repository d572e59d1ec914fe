"""The cache is true: each change re-runs exactly the rules that it concerns, and no change re-runs none."""

import os
import shutil

import pytest

from lmia import artifacts
from lmia.tables import read_metrics

from .conftest import PARTS, Checkout, make_checkout

PLOTS_OF_METRICS = {"tabulate_metrics": 1, "plot_metrics": 1}
FROM_SCORES = {"score_attack": 1, "measure_attack": 1} | PLOTS_OF_METRICS
ONE_QUERY_SET = {"ask_queries": 2} | FROM_SCORES
FROM_TRAINING = {
    "train_model": 2,
    "ask_queries": 6,
    "search_boundary": 4,
    "tune_stopping": 1,
    "read_confidences": 2,
    "score_attack": 6,
    "measure_attack": 6,
    "measure_models": 1,
    "plot_scores": 1,
} | PLOTS_OF_METRICS
EVERYTHING = FROM_TRAINING | {"prepare_dataset": 1, "draw_split": 2, "plot_gallery": 1}


def set_in(*path, value):
    """A change of the configuration: one key gets one value."""

    def change(config):
        for key in path[:-1]:
            config = config[key]
        config[path[-1]] = value

    return change


def code(file, old, new):
    return lambda checkout: checkout.edit(file, old, new)


def config(*path, value):
    return lambda checkout: checkout.configure(set_in(*path, value=value))


def touch_sources(checkout):
    for part in PARTS:
        for file in [checkout.path / part, *(checkout.path / part).rglob("*")]:
            os.utime(file)


NEW_SEED = {rule: n for rule, n in EVERYTHING.items() if rule not in ("prepare_dataset", "plot_gallery")}
CASES = {
    "nothing": (lambda checkout: None, {}),
    "touch": (touch_sources, {}),
    "comment in a script": (
        code("workflow/scripts/train_model.py", "    arrays, rates", "    # new\n    arrays, rates"),
        {},
    ),
    "docstring in the library": (code("lmia/hopskipjump.py", '"""Distance to the', '"""The distance to the'), {}),
    "layout of the library": (
        code("lmia/training.py", "float(sum(hits)) / len(inputs)", "(float(sum(hits)) /\n  len(inputs))"),
        {},
    ),
    "description in the schema": (code("workflow/schema.py", '"of Adam"', '"of the optimizer"'), {}),
    "message of the configuration": (code("workflow/checks.py", "an empty range", "a void range"), {}),
    "plot setting": (config("figures", "accuracy", "title", value="New"), {"plot_metrics": 1}),
    "plot script": (code("lmia/figures/roc.py", "height=3.2", "height=3.3"), {"plot_scores": 1}),
    "style of all plots": (
        code("lmia/figures/style.py", "WIDTH = 3.6", "WIDTH = 3.5"),
        {"plot_scores": 1, "plot_metrics": 1, "plot_gallery": 1},
    ),
    "decision rule": (
        code("lmia/attacks/vote.py", "mean(axis=1)", "sum(axis=1)"),
        FROM_SCORES,
    ),
    "option of a decision rule": (config("attacks", "rotation", "folds", value=2), FROM_SCORES),
    "smaller budget": (config("attacks", "boundary", "budget", value=100), FROM_SCORES | {"plot_scores": 1}),
    "new attack on existing answers": (
        config("attacks", "rotation-vote", value={"kind": "vote", "reads": "rotations"}),
        FROM_SCORES,
    ),
    "metric": (config("metrics", "resamples", value=200), {"measure_attack": 6} | PLOTS_OF_METRICS),
    "unused query set": (config("queries", "shifts", value={"kind": "translation", "pixels": [1]}), {}),
    "new query set": (
        lambda checkout: (
            checkout.configure(set_in("queries", "shifts", value={"kind": "translation", "pixels": [1]})),
            checkout.configure(set_in("attacks", "shift", value={"kind": "vote", "reads": "shifts"})),
        ),
        ONE_QUERY_SET,
    ),
    "noise code": (
        code("lmia/perturbations/gaussian.py", "clamp_(0, 1)", "clamp_(0, 1.0)"),
        ONE_QUERY_SET,
    ),
    "HopSkipJump code": (
        code("lmia/hopskipjump.py", "MAX_TRIALS = 10", "MAX_TRIALS = 9"),
        PLOTS_OF_METRICS
        | {"search_boundary": 4, "tune_stopping": 1, "score_attack": 2, "measure_attack": 2, "plot_scores": 1},
    ),
    "error of stopping": (
        config("queries", "settled", "stop_error", value=0.1),
        FROM_SCORES | {"search_boundary": 1, "tune_stopping": 1},
    ),
    "code of stopping": (
        code("lmia/stopping.py", "0.99, 100", "0.99, 50"),
        FROM_SCORES | {"search_boundary": 1, "tune_stopping": 1},
    ),
    "training code": (code("lmia/training.py", "waited >= patience", "waited > patience"), FROM_TRAINING),
    "training option": (config("studies", "small", "training", "patience", value=19), FROM_TRAINING),
    "new seed": (config("studies", "small", "seeds", value=["0-1", 2]), NEW_SEED),
    "new shadow": (
        config("studies", "small", "shadows", value=2),
        {
            "draw_split": 1,
            "train_model": 1,
            "ask_queries": 3,
            "search_boundary": 3,  # the new shadow's two, and the target's that stops by what all shadows say
            "tune_stopping": 1,
            "read_confidences": 1,
            "score_attack": 6,
            "measure_attack": 6,
            "measure_models": 1,
            "plot_scores": 1,
        }
        | PLOTS_OF_METRICS,
    ),
    "data set": (config("datasets", "digits", "seed", value=1), EVERYTHING),
    "data set code": (code("lmia/data/digits.py", "/ 16", "/ 16.0"), EVERYTHING),
}


@pytest.mark.parametrize("case", CASES)
def test_exactly_these_rules_run_again(copy, case):
    change, expected = CASES[case]
    change(copy)
    assert dict(copy.pending()) == expected


def test_a_fresh_clone_over_old_results_runs_nothing(finished, tmp_path):
    clone = make_checkout(tmp_path / "clone")
    touch_sources(clone)
    for part in ("results", ".snakemake"):
        shutil.copytree(finished.path / part, clone.path / part)
    assert not clone.pending()


def test_a_changed_decision_rule_really_runs_alone(copy):
    before = {file: file.stat().st_mtime_ns for file in (copy.path / "results").rglob("*.npz")}
    copy.edit("lmia/attacks/distance.py", "features()[:, 0]", "features()[:, 0] ** 2")
    copy.snakemake()
    changed = {file.name for file, time in before.items() if file.stat().st_mtime_ns != time}
    assert changed == {"boundary.npz", "settled.npz"}  # the attacks of this kind
    scores = [file for file in before if file.stat().st_mtime_ns != before[file]]
    assert {file.parent.relative_to(copy.path).parts[1] for file in scores} == {"scores"}
    assert "Nothing to be done" in copy.snakemake() and not copy.pending()


def test_two_runs_from_scratch_are_the_same_bytes(finished, fresh):
    fresh.snakemake()
    what = ("scores/**/*", "measures/**/*", "metrics.csv", "answers/**/*", "distances/**/*", "models/**/*", "figures/*")
    first, second = finished.results(*what), fresh.results(*what)
    assert first.keys() == second.keys() and len(first) > 20
    assert [name for name in first if first[name] != second[name]] == []


def test_accuracies_of_targets_and_shadows_are_in_the_table(finished):
    table = read_metrics(finished.path / "results/metrics.csv")
    models = table[table["attack"] == ""]
    names = {"train_accuracy", "test_accuracy", "shadow_train_accuracy", "shadow_test_accuracy"}
    assert set(models["metric"]) == names and len(models) == 4 * 3  # two seeds, and both together
    per_seed = models[models["seed"] != "all"]
    assert (per_seed["ci_low"] <= per_seed["value"]).all() and (per_seed["value"] <= per_seed["ci_high"]).all()
    hits = {}
    for role, prefix in (("target", ""), ("shadow0", "shadow_")):
        model, _ = artifacts.load(finished.path / f"results/models/small/n60-none/0-1/{role}.npz", "model")
        for name in ("train_accuracy", "test_accuracy"):
            hits[prefix + name] = model[name].tolist()
    for name in names:
        assert per_seed[per_seed["metric"] == name]["value"].tolist() == pytest.approx(hits[name])


def test_code_that_no_hash_covers_stops_the_job(copy):
    """A module that is imported behind the hashes' back would make the cache lie."""
    copy.edit(
        "workflow/scripts/measure_models.py",
        "    rows = []",
        '    __import__("importlib").import_module("lmia." + "splits")\n    rows = []',
    )
    text = copy.snakemake(check=False)
    assert "lmia/splits.py, which its rule's `code` does not list" in text


def test_the_report_has_captions_and_categories(copy):
    copy.snakemake("--report", "report.html")
    page = (copy.path / "report.html").read_text()
    for text in ("Accuracy of each attack on the target", "Every metric of every attack", "Figures", "Tables"):
        assert text in page, text
    assert "<script src=" not in page


@pytest.mark.slow
def test_blocks_of_seeds_change_no_number(finished, fresh):
    fresh.configure(set_in("studies", "small", "seeds", value=[0, 1]))
    fresh.snakemake()
    assert Checkout(fresh.path).results("metrics.csv") and sorted(
        fresh.results("metrics.csv")["results/metrics.csv"].splitlines()
    ) == sorted(finished.results("metrics.csv")["results/metrics.csv"].splitlines())
