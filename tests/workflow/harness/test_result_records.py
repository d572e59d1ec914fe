"""What is current is told by results themselves: not by notes, times or places."""

import os
import random
import shutil
from copy import deepcopy as copy_of

import numpy as np
import pytest
from snakemake.iocontainers import InputFiles

from lmia import artifacts
from tests.workflow.conftest import CONFIG, make_checkout
from tests.workflow.edits import FROM_SCORES, FROM_TRAINING, NAMED, PLOTS_OF_METRICS, RUN, config, rename_study
from workflow.config.load import check
from workflow.harness import result_records
from workflow.harness.staleness import Staleness

STAY = "results without notes of Snakemake's are what their jobs would make, and stay"


def test_without_notes_nothing_runs_and_an_edit_runs_what_it_always_does(copy):
    shutil.rmtree(copy.path / ".snakemake")
    text = copy.snakemake("-n")
    assert "Nothing to be done" in text and text.count(STAY) == 1
    config("attacks", "rotation", "folds", value=2)(copy)
    assert dict(copy.pending()) == FROM_SCORES


def test_results_alone_are_enough_in_another_checkout_and_are_noted_once(finished, tmp_path):
    clone = make_checkout(tmp_path / "clone")
    shutil.copytree(finished.path / "results", clone.path / "results", copy_function=shutil.copyfile)  # without times
    assert STAY in clone.snakemake()
    text = clone.snakemake()
    assert "Nothing to be done" in text and STAY not in text


def test_times_count_for_nothing(copy):
    draw = random.Random(0)
    for file in (copy.path / "results").rglob("*"):
        os.utime(file, (draw.randrange(10**9),) * 2)
    assert not copy.pending()
    for file in (copy.path / "results").rglob("*"):
        os.utime(file, (10**9,) * 2)
    assert not copy.pending()


@pytest.mark.parametrize(
    "name, expected",
    [
        (f"results/answers/{RUN}/target/noise.npz", {"query_labels": 1} | FROM_SCORES),
        ("results/figures/accuracy.png", {"plot_metrics": 1}),
    ],
)
def test_what_has_no_record_of_its_bytes_is_made_again(copy, name, expected):
    path = copy.path / name
    if path.suffix == ".npz":
        with np.load(path) as old:  # as an earlier version wrote it
            np.savez(copy.path / "old.npz", **{key: old[key] for key in old.files if key != result_records.RECORD})
        shutil.copy(copy.path / "old.npz", path)
    else:
        path.write_bytes(path.read_bytes() + b"more")
    os.utime(path, (10**9,) * 2)
    assert dict(copy.pending()) == expected


@pytest.mark.slow
def test_two_configurations_in_turn_give_each_its_own_results(copy):
    name = f"results/scores/{RUN}/noise.npz"
    one, first = (copy.path / "config.yaml").read_text(), (copy.path / name).read_bytes()
    config("queries", "noise", "sigmas", value=[0.1, 0.3])(copy)
    copy.snakemake(name)
    old, second = copy.path / "old.npz", (copy.path / name).read_bytes()
    shutil.copy2(copy.path / name, old)
    (copy.path / "config.yaml").write_text(one)
    copy.snakemake(name)
    assert (copy.path / name).read_bytes() == first != second
    assert not copy.pending()
    os.replace(old, copy.path / name)
    os.utime(copy.path / name, (10**9,) * 2)  # older than all
    assert dict(copy.pending()) == FROM_SCORES


@pytest.mark.slow
def test_what_was_deleted_on_the_way_is_made_again_only_where_it_is_needed(copy):
    for folder in ("models", ".store"):
        shutil.rmtree(copy.path / "results" / folder)
    assert not copy.pending()
    config("attacks", "rotation", "folds", value=2)(copy)
    assert dict(copy.pending()) == FROM_SCORES
    copy.snakemake(f"results/scores/{RUN}/rotation.npz")
    assert not (copy.path / "results/models").exists()
    config("attacks", "rotation", "folds", value=3)(copy)
    config("studies", "small", "training", "patience", value=19)(copy)
    assert dict(copy.pending()) == FROM_TRAINING


def rename_model(checkout):
    def change(config):
        config["models"]["renamed"] = config["models"].pop("mlp")
        config["studies"]["small"]["model"] = "renamed"

    checkout.configure(change)


def reverse_options(checkout):
    def change(config):
        config["queries"] = {name: dict(reversed(entry.items())) for name, entry in config["queries"].items()}

    checkout.configure(change)


@pytest.mark.parametrize(
    "change, expected",
    [
        (rename_study, NAMED | PLOTS_OF_METRICS),
        (rename_model, NAMED | PLOTS_OF_METRICS),
        (reverse_options, {}),
        (config("metrics", "fprs", value=[0.001, 0.01]), {}),
    ],
)
def test_names_and_orders_run_only_what_shows_them(copy, change, expected):
    change(copy)
    before = {file for file in (copy.path / "results").rglob("*")}
    assert dict(copy.pending()) == expected
    assert {file for file in (copy.path / "results").rglob("*")} == before  # a dry run leaves no trace


def test_what_was_made_under_another_name_is_taken_in_earnest(copy):
    name = f"results/scores/{RUN}/noise.npz"
    rename_study(copy)
    text = copy.snakemake(new := name.replace("small", "renamed"))
    assert "were made before under other names, and are taken." in text and "Nothing to be done" in text
    assert (copy.path / new).read_bytes() == (copy.path / name).read_bytes()
    assert any((copy.path / new).samefile(kept) for kept in (copy.path / "results/.store").glob("*/*"))


def test_budgets_count_in_whichever_order_they_are_given():
    entries = []
    for budgets in ([60, 100], [100, 60]):
        changed = copy_of(CONFIG)
        changed["attacks"]["boundary"]["budgets"] = budgets
        entries.append(check(changed).attacks["boundary"])
    assert entries[0] == entries[1]


@pytest.mark.slow
def test_two_configurations_in_turn_give_each_all_of_its_results(copy):
    """Tables and figures among them, of which no second name is kept."""
    one, first = (copy.path / "config.yaml").read_text(), results_of_all(copy)
    config("studies", "small", "training", "patience", value=2)(copy)
    copy.snakemake()
    two, second = (copy.path / "config.yaml").read_text(), results_of_all(copy)
    assert first != second and not copy.pending()
    for text, expected in ((one, first), (two, second)):
        (copy.path / "config.yaml").write_text(text)
        copy.snakemake()
        assert results_of_all(copy) == expected
        assert not copy.pending()


def results_of_all(checkout):
    return checkout.results("[a-z]*/**/*.npz", "[a-z]*/**/*.csv", "[a-z]*/*.p*", "*.csv")


@pytest.mark.slow
def test_all_is_made_again_where_all_is_forced(copy):
    made = ("data/digits", f"models/{RUN}/target", f"scores/{RUN}/gap")
    before = copy.results("data/*", "models/**/*", "scores/**/gap.npz")
    copy.snakemake("--forceall", f"results/{made[-1]}.npz")
    for part in made:
        log = copy.path / f"results/logs/{part}.log"
        assert "taken from what was made before" not in log.read_text()
    assert copy.results("data/*", "models/**/*", "scores/**/gap.npz") == before and not copy.pending()


def test_what_is_forced_is_really_made_again(copy):
    name = f"results/scores/{RUN}/noise.npz"
    log = copy.path / name.replace("results/", "results/logs/").replace(".npz", ".log")
    before = (copy.path / name).read_bytes()
    (copy.path / name).unlink()
    copy.snakemake(name)
    assert (copy.path / name).read_bytes() == before
    copy.snakemake("--force", name)
    assert "taken from what was made before" not in log.read_text()
    assert (copy.path / name).read_bytes() == before


@pytest.mark.slow
def test_what_follows_from_an_edit_that_changed_no_byte_is_taken(copy):
    name = f"results/scores/{RUN}/gap.npz"
    before = copy.results("models/**/*", "answers/**/original.npz", "scores/**/gap.npz")
    copy.edit("lmia/data/digits.py", "/ 16", "/ 16.0")
    copy.snakemake(name)
    logs = [copy.path / f"results/logs/{part}.log" for part in (f"models/{RUN}/target", f"scores/{RUN}/gap")]
    assert ["taken from what was made before" in log.read_text() for log in logs] == [True, True]
    assert copy.results("models/**/*", "answers/**/original.npz", "scores/**/gap.npz") == before


class Job:
    """As Snakemake's, with one output."""

    def __init__(self, output, **params):
        self.output, self.params, self.input = [output], params, Files()


class Files(list):
    def items(self):
        return []


def test_params_count_with_their_names(tmp_path, monkeypatch):
    """Snakemake compares their values as a set."""
    monkeypatch.chdir(tmp_path)
    made = result_records.record_of({"n_train": 30, "n_nonmembers": 60, "code": ["a@1"]}, {"": []})
    artifacts.save("one.npz", "split", {"members": np.zeros(3)}, {})
    result_records.sign("one.npz", made)
    staleness = Staleness({})
    assert not staleness.change(Job("one.npz", n_train=30, n_nonmembers=60, code=["moved@1"]))
    change = staleness.change(Job("one.npz", n_train=60, n_nonmembers=30, code=["a@1"]))
    assert change.only_old == {"n_train: 30", "n_nonmembers: 60"}
    same = Job("one.npz", code=["a@1"], n_nonmembers=60, n_train=30)  # in another order
    assert not staleness.change(same)
    assert result_records.record_of(same.params, {"": []})["key"] == made["key"]
    assert "code b@2" in staleness.change(Job("one.npz", n_train=30, n_nonmembers=60, code=["b@2"])).only_new


def test_a_recipe_is_of_params_code_and_of_which_inputs_there_are():
    """And not of where code lies, in which order params come, or what inputs hold."""

    def recipe(files=("a.npz", "b.npz"), **params):
        return result_records.recipe_of(params.items(), InputFiles(files))

    one = recipe(n=1, code=["lmia/a.py@1", "lmia/b.py@2"])
    assert one == recipe(code=["lmia/other/a.py@1", "lmia/b.py@2"], n=1)
    others = [recipe(n=2, code=["lmia/a.py@1", "lmia/b.py@2"]), recipe(n=1, code=["lmia/a.py@3", "lmia/b.py@2"])]
    others.append(recipe(["a.npz"], n=1, code=["lmia/a.py@1", "lmia/b.py@2"]))
    assert one not in others and len(set(others)) == 3
