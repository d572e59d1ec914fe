"""The cache is true: each change re-runs exactly the rules that it concerns, and no change re-runs none."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest

from lmia import artifacts
from lmia.evaluation.metrics_table import read_metrics
from tests.workflow.conftest import PARTS, Checkout, make_checkout
from tests.workflow.edits import FROM_SCORES, FROM_TRAINING, PLOTS_OF_METRICS, code, config, set_in

ONE_QUERY_SET = {"query_labels": 2} | FROM_SCORES
EVERYTHING = FROM_TRAINING | {"prepare_dataset": 1, "draw_split": 2, "check_study": 1, "plot_gallery": 1}


def touch_sources(checkout):
    for part in PARTS:
        for file in [checkout.path / part, *(checkout.path / part).rglob("*")]:
            os.utime(file)


def move_points(checkout):
    """A module moves into a package of its own, and all who import it say so."""
    (checkout.path / "lmia/chosen").mkdir()
    (checkout.path / "lmia/chosen/__init__.py").touch()
    (checkout.path / "lmia/asked_points.py").rename(checkout.path / "lmia/chosen/points.py")
    for file in [file for folder in ("lmia", "workflow") for file in (checkout.path / folder).rglob("*.py")]:
        file.write_text(file.read_text().replace("from lmia.asked_points import", "from lmia.chosen.points import"))


ONCE = ("prepare_dataset", "check_study", "plot_gallery")
NEW_SEED = {rule: n for rule, n in EVERYTHING.items() if rule not in ONCE}
CASES = {
    "nothing": (lambda checkout: None, {}),
    "touch": (touch_sources, {}),
    "comment in a script": (
        code("workflow/scripts/train_model.py", "    data, _ = art", "    # new\n    data, _ = art"),
        {},
    ),
    "docstring in the library": (
        code("lmia/boundary/hopskipjump.py", '"""Distance to the', '"""The distance to the'),
        {},
    ),
    "layout of the library": (
        code(
            "lmia/training/loop.py",
            "float((labels == classes).sum()) / len(classes)",
            "(float((labels == classes).sum()) /\n  len(classes))",
        ),
        {},
    ),
    "description in the schema": (code("workflow/config/schema/studies.py", '"of the optimizer"', '"of Adam"'), {}),
    "message of the configuration": (code("workflow/config/checks/studies.py", "an empty range", "a void range"), {}),
    "message of what stands around jobs": (
        code("workflow/harness/job.py", "free some, or put", "make room, or put"),
        {},
    ),
    "waiting time": (
        code("workflow/harness/shared_cache.py", "PAUSES = 0.2, 10.0", "PAUSES = 0.2, 5.0"),
        {},
    ),
    "message of journals": (code("workflow/harness/journal_file.py", "work goes on; kept", "goes on; kept"), {}),
    "moved module": (move_points, {}),
    "device": (config("device", value="cpu"), {}),
    "plot setting": (config("figures", "accuracy", "title", value="New"), {"plot_metrics": 1}),
    "plot script": (code("lmia/figures/roc.py", "height=3)", "height=3.1)"), {"plot_scores": 1}),
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
    "metric": (config("metrics", "resamples", value=200), {"measure_attack": 7, "plot_scores": 1} | PLOTS_OF_METRICS),
    "unused query set": (config("queries", "shifts", value={"kind": "translation", "pixels": [1]}), {}),
    "new query set": (
        lambda checkout: (
            checkout.configure(set_in("queries", "shifts", value={"kind": "translation", "pixels": [1]})),
            checkout.configure(set_in("attacks", "shift", value={"kind": "vote", "reads": "shifts"})),
        ),
        ONE_QUERY_SET,
    ),
    "noise code": (
        code("lmia/perturbations/gaussian.py", "alpha=sigma", "alpha=1 * sigma"),
        ONE_QUERY_SET,
    ),
    "HopSkipJump code": (
        code("lmia/boundary/hopskipjump.py", "MAX_TRIALS = 10", "MAX_TRIALS = 9"),
        PLOTS_OF_METRICS
        | {"search_boundary": 4, "fit_stopping": 1, "score_attack": 2, "measure_attack": 2, "plot_scores": 1},
    ),
    "code of gradients": (
        code("lmia/boundary/white_box.py", "HALVINGS = 10", "HALVINGS = 9"),
        {"query_white_box": 2} | FROM_SCORES,
    ),
    "steps of gradients": (config("queries", "gradients", "steps", value=20), {"query_white_box": 2} | FROM_SCORES),
    "error of stopping": (
        config("queries", "settled", "stop_error", value=0.1),
        FROM_SCORES | {"search_boundary": 1, "fit_stopping": 1},
    ),
    "how stopping is learned": (
        code("lmia/evaluation/fit_stopping.py", "0.99, 100", "0.99, 50"),
        FROM_SCORES | {"search_boundary": 1, "fit_stopping": 1},
    ),
    "code of stopping": (
        code("lmia/boundary/stopping.py", "distance < self.threshold", "distance <= self.threshold"),
        FROM_SCORES | {"search_boundary": 1, "fit_stopping": 1},
    ),
    "check of models": (code("lmia/models/usability.py", "POINTS = 8", "POINTS = 9"), {"check_study": 1}),
    "training code": (
        code("lmia/training/loop.py", "self._waited >= self._patience", "self._waited > self._patience"),
        FROM_TRAINING,
    ),
    "option of a model": (config("models", "mlp", "hidden", value=[31]), {"check_study": 1} | FROM_TRAINING),
    "code of a model": (code("lmia/models/mlp.py", "nn.Tanh()", "nn.ReLU()"), {"check_study": 1} | FROM_TRAINING),
    "option of a model and of training": (
        lambda checkout: (
            checkout.configure(set_in("models", "mlp", "hidden", value=[31])),
            checkout.configure(set_in("studies", "small", "training", "patience", value=19)),
        ),
        {"check_study": 1} | FROM_TRAINING,
    ),
    "training option": (config("studies", "small", "training", "patience", value=19), FROM_TRAINING),
    "evaluated points": (
        config("studies", "small", "evaluated", value=30),
        {rule: n for rule, n in FROM_TRAINING.items() if rule not in ("train_model", "measure_models")},
    ),
    "defense that only masks": (
        lambda checkout: (
            checkout.configure(lambda c: c.update(defenses={"none": {"kind": "none"}, "guard": {"kind": "memguard"}})),
            checkout.configure(set_in("studies", "small", "defenses", value=["none", "guard"])),
            checkout.configure(set_in("figures", "roc", "defense", value="none")),
        ),
        # What label-only attacks score is the same with and without a mask, and is taken.
        {"query_confidences": 1, "score_attack": 1, "measure_attack": 7, "measure_models": 1, "plot_scores": 1}
        | PLOTS_OF_METRICS,
    ),
    "new seed": (config("studies", "small", "seeds", value=["0-1", 2]), NEW_SEED),
    "new shadow": (
        config("studies", "small", "shadows", value=2),
        {
            "draw_split": 1,
            "train_model": 1,
            "query_labels": 3,
            "search_boundary": 3,  # the new shadow's two, and the target's that stops by what all shadows say
            "fit_stopping": 1,
            "query_confidences": 1,
            "query_white_box": 1,
            "score_attack": 7,
            "measure_attack": 7,
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
    before = {file: file.stat().st_mtime_ns for file in (copy.path / "results").glob("[a-z]*/**/*.npz")}
    copy.edit("lmia/attacks/distance.py", "features()[:, 0]", "features()[:, 0] ** 2")
    copy.snakemake()
    changed = {file.name for file, time in before.items() if file.stat().st_mtime_ns != time}
    assert changed == {"boundary.npz", "settled.npz", "white-box.npz"}  # the attacks of this kind
    scores = [file for file in before if file.stat().st_mtime_ns != before[file]]
    assert {file.parent.relative_to(copy.path).parts[1] for file in scores} == {"scores"}
    assert "Nothing to be done" in copy.snakemake() and not copy.pending()


@pytest.mark.slow
def test_two_runs_from_scratch_are_the_same_bytes(finished, fresh):
    fresh.snakemake()
    what = (
        "scores/**/*",
        "measures/**/*",
        "metrics.csv",
        "answers/**/*",
        "distances/**/*",
        "white_box/**/*",
        "models/**/*",
        "figures/*",
    )
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
        "    with job(snakemake):",
        '    __import__("importlib").import_module("lmia." + "splits")\n    with job(snakemake):',
    )
    text = copy.snakemake(check=False)
    assert "lmia/splits.py, which its rule's `code` does not list" in text


def test_the_report_has_captions_and_categories(copy):
    copy.snakemake("--report", "report.html")
    page = (copy.path / "report.html").read_text()
    drawn = ("Accuracy of each attack on the target", "What the perturbed queries look like, study small.")
    drawn += ("Whiskers: 95 % intervals over 2 seeds.", "Above each image stands the magnitude")
    for text in (*drawn, "Every metric of every attack", "Figures", "Tables"):
        assert text in page, text
    assert "<script src=" not in page


@pytest.mark.slow
def test_blocks_of_seeds_change_no_number(finished, fresh):
    fresh.configure(set_in("studies", "small", "seeds", value=[0, 1]))
    fresh.snakemake()
    assert Checkout(fresh.path).results("metrics.csv") and sorted(
        fresh.results("metrics.csv")["results/metrics.csv"].splitlines()
    ) == sorted(finished.results("metrics.csv")["results/metrics.csv"].splitlines())


@pytest.mark.slow
def test_a_mask_changes_nothing_that_labels_tell(copy):
    """Who knows MemGuard is the gap attack; who tunes on a shadow without it guesses."""
    CASES["defense that only masks"][0](copy)
    copy.configure(set_in("attacks", "adaptive", value={"kind": "adaptive_confidence", "reads": "confidences"}))
    copy.configure(set_in("figures", "roc", "defense", value="guard"))
    copy.snakemake()
    table = read_metrics(copy.path / "results/metrics.csv")
    columns = ["attack", "access", "seed", "setting", "metric", "queries", "value", "ci_low", "ci_high"]
    plain, masked = (table[table["defense"] == name][columns].reset_index(drop=True) for name in ("none", "guard"))
    told = plain["access"] != "confidence"
    pd.testing.assert_frame_equal(plain[told], masked[told])
    accuracy = masked[masked["metric"] == "accuracy"].groupby("attack")["value"].apply(list)
    assert accuracy["adaptive"] == accuracy["gap"] and min(accuracy["gap"]) > 0.5
    assert set(accuracy["true-confidence"]) == {0.5}


def test_a_data_file_is_known_by_its_content(fresh):
    rng, target = np.random.default_rng(0), "results/data/mine.npz"
    np.savez(fresh.path / "one.npz", inputs=rng.random((9, 4)), classes=np.arange(9) % 3)
    place = set_in("datasets", "mine", value={"kind": "npz", "path": "one.npz"})
    fresh.configure(place)
    fresh.snakemake(target)
    (fresh.path / "one.npz").rename(fresh.path / "two.npz")
    fresh.configure(set_in("datasets", "mine", "path", value="two.npz"))
    os.utime(fresh.path / "two.npz")
    assert not fresh.pending(target)
    np.savez(fresh.path / "two.npz", inputs=rng.random((9, 4)), classes=np.arange(9) % 3)
    assert dict(fresh.pending(target)) == {"prepare_dataset": 1}
