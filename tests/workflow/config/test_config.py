"""Bad configurations: one clear line with the key, the value and the fix, before any job."""

import copy as copying
import json
import math
import typing
from pathlib import Path

import numpy as np
import pytest
import yaml

from lmia.streams import seed_list
from workflow.config.load import ConfigError, base_files, check, load
from workflow.config.schema import configuration
from workflow.config.schema.figures import AnyFigure

ROOT = Path(__file__).parents[3]
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())


QUERIES_THAT_MOVE = ("copies", "rotations", "translations")


def changed(*path, value):
    config = copying.deepcopy(DEFAULT)
    node = config
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return config


BAD = {
    "bars of an unknown defense": (
        ("figures", "accuracy-mlp", "defenses"),
        ["none", "l2"],
        "figures.accuracy-mlp.defenses: l2: not defined under the defenses of digits-mlp",
    ),
    "a sweep of several defenses": (
        ("figures", "rotation", "defenses"),
        ["none"],
        "figures.rotation.defenses: unknown key; did you mean defense?",
    ),
    "unknown section": (("qeries",), {}, "qeries: unknown key; did you mean queries?"),
    "a device of no machine": (("device",), "cuda:" + "9" * 20, "device: 'cuda:9.*: .* match pattern"),
    "a number of YAML 1.1": (
        ("queries", "boundary", "budget"),
        "1_000",
        "budget: '1_000': .* a valid integer, as 1000$",
    ),
    "hours and minutes": (("save_every",), "1:5", "save_every: '1:5': .* be a valid number, as 0.001 or 1e-3$"),
    "an octal in a list": (
        ("studies", "digits-mlp", "n_train"),
        ["0100"],
        "digits-mlp.n_train: .'0100'.: .* be a valid integ",
    ),
    "unknown device": (("device",), "gpu", r"device: 'gpu': .* match pattern '\^\(auto\|cpu\|mps\|cuda"),
    "unknown option": (
        ("queries", "boundary", "budgte"),
        9,
        "queries.boundary.budgte: unknown key; did you mean budget?",
    ),
    "unknown training option": (
        ("studies", "digits-mlp", "training"),
        {"lr": 1},
        "studies.digits-mlp.training.lr: unknown",
    ),
    "unknown precision": (
        ("studies", "digits-mlp", "training"),
        {"precision": "half"},
        "studies.digits-mlp.training.precision: 'half': .* be 'float32' or 'bfloat16'",
    ),
    "negative shifts": (
        ("defenses",),
        {"none": {"kind": "none"}, "moved": {"kind": "augmentation", "pixels": -1}},
        "defenses.moved.pixels: -1: .* greater than or equal to 0",
    ),
    "private without noise": (
        ("defenses",),
        {"none": {"kind": "none"}, "private": {"kind": "dp_sgd", "epochs": 1}},
        "defenses.private.noise: None: give either noise or epsilon",
    ),
    "private with both": (
        ("defenses",),
        {"none": {"kind": "none"}, "private": {"kind": "dp_sgd", "epochs": 1, "noise": 1, "epsilon": 1}},
        "defenses.private.noise: 1.0: give either noise or epsilon",
    ),
    "start from nowhere": (
        ("defenses",),
        {"none": {"kind": "none"}, "tuned": {"kind": "transfer", "source": "digits-mpl"}},
        "defenses.tuned.source: digits-mpl: not defined under studies; did you mean digits-mlp",
    ),
    "wrong type": (("queries", "boundary", "budget"), "many", "queries.boundary.budget: 'many': .* be a valid integer"),
    "budget 0": (("queries", "boundary", "budget"), 0, "queries.boundary.budget: 0: .* greater than or equal to 1"),
    "negative noise": (
        ("queries", "gaussian", "sigmas"),
        [0.1, -1],
        "queries.gaussian.sigmas.1: -1: .* greater than 0",
    ),
    "unknown attack kind": (
        ("attacks", "gap", "kind"),
        "gapp",
        "attacks.gap.kind: gapp: unknown kind; did you mean gap?",
    ),
    "missing query set": (
        ("attacks", "gap", "reads"),
        "orignal",
        "attacks.gap.reads: orignal: not defined under queries",
    ),
    "unreadable query set": (("attacks", "gap", "reads"), "boundary", "attacks.gap.reads: boundary: yields distances"),
    "budget beyond": (("attacks", "boundary", "budget"), 9999, "attacks.boundary.budget: 9999: .* asks only 1000"),
    "too many members": (
        ("studies", "digits-mlp", "n_train"),
        [450],
        "n_train: 450: four disjoint splits need 1800 .* has 1797; use at most 449",
    ),
    "unknown model": (("studies", "digits-mlp", "model"), "mpl", "studies.digits-mlp.model: mpl: .* did you mean mlp?"),
    "attack of a study": (
        ("studies", "digits-mlp", "attacks"),
        ["bound"],
        "studies.digits-mlp.attacks: bound: not defined",
    ),
    "overlapping seeds": (("studies", "digits-mlp", "seeds"), ["0-2", 2], "studies.digits-mlp.seeds: 2: seed 2 is in"),
    "empty seeds": (("studies", "digits-mlp", "seeds"), ["3-2"], "studies.digits-mlp.seeds: 3-2: an empty range"),
    "unknown figure study": (("figures", "roc", "study"), "x", "figures.roc.study: x: not defined under studies"),
    "missing plug-in": (("attacks", "gap", "kind"), "my.gap", "attacks.gap.kind: my.gap: no such module; put its file"),
    "plug-in without Attack": (
        ("attacks", "gap", "kind"),
        "workflow.roles",
        "attacks.gap.kind: workflow.roles: no such module",
    ),
    "not an attack": (
        ("attacks", "gap", "kind"),
        "workflow.config.result_files",
        "config.result_files: the module defines no Attack",
    ),
    "dotted path into lmia": (
        ("queries", "gaussian"),
        {"kind": "lmia.perturbations.gaussian", "sigmas": [-1]},
        "queries.gaussian.kind: lmia.perturbations.gaussian: of lmia itself, .* did you mean gaussian?",
    ),
    "gallery of nothing": (
        ("figures", "gallery", "queries"),
        [],
        "figures.gallery.queries: .*should have at least 1 item",
    ),
    "gallery of distances": (
        ("figures", "gallery", "queries"),
        ["boundary"],
        "gallery.queries: boundary: has no perturbed",
    ),
    "several sizes": (
        ("studies", "digits-cnn", "n_train"),
        [50, 100],
        "figures.distances.n_train: missing; .* 50, 100",
    ),
    "budgets beyond": (("attacks", "boundary", "budgets"), [9999], "attacks.boundary.budgets: 9999: .* asks only 1000"),
    "budget too small for a search": (
        ("queries", "copies", "budget"),
        39,
        "queries.copies.budget: 39: .* each of 5 copies needs 8 queries; use at least 40",
    ),
    "budget below the copies": (("attacks", "combined", "budget"), 4, "attacks.combined.budget: 4: .* has 5 copies"),
    "budgets below the copies": (("attacks", "combined", "budgets"), [4], "attacks.combined.budgets: 4: .* 5 copies"),
    "more folds than members": (
        ("attacks", "rotation", "folds"),
        101,
        "attacks.rotation.folds: 101: more than the shadow's 100 members that are",
    ),
    "duplicate n_train": (
        ("studies", "digits-mlp", "n_train"),
        [50, 50],
        r"studies.digits-mlp.n_train: \[50, 50\]: .* hold each value once",
    ),
    "duplicate fprs": (("metrics", "fprs"), [0.01, 0.01], "metrics.fprs: .* hold each value once"),
    "duplicate seeds": (("studies", "digits-mlp", "seeds"), [3, "3"], "studies.digits-mlp.seeds: 3: seed 3 is in"),
    "duplicate magnitudes": (("queries", "rotations", "degrees"), [2, 2.0], "queries.rotations.degrees: .* once"),
    "sweep without magnitudes": (
        ("figures", "rotation", "attacks"),
        ["gap"],
        "figures.rotation.attacks: gap: reads original, without magnitudes to sweep; name others",
    ),
    "sweep of distances": (("figures", "rotation", "attacks"), ["boundary"], "boundary: reads boundary, without magn"),
    "a title in dollars": (
        ("figures", "roc", "title"),
        "$5_$ and 6",
        r"figures.roc.title: \$5_\$ and 6: .* no TeX \(ParseSyn.*\); write a dollar as \\\$$",
    ),
    "a title of bars in two lines": (
        ("figures", "accuracy-mlp", "title"),
        "One attack costs $5 and some more where it is ${6 or $7 for each",
        "figures.accuracy-mlp.title: One .* is no TeX",
    ),
    "histogram of all": (("figures", "distances", "attacks"), None, "figures.distances.attacks: gap, .* name one"),
    "unknown line": (
        ("figures", "rotation", "lines"),
        ["gpa"],
        "figures.rotation.lines: gpa: not defined under the attacks of digits-mlp; did you mean gap?",
    ),
    "more flips than features": (
        ("queries", "bernoulli", "flips"),
        [65],
        "queries.bernoulli.flips: 65: digits has only 64 features; lower it",
    ),
    "unknown torchvision data set": (
        ("datasets", "digits"),
        {"kind": "torchvision", "name": "KMIST"},
        "datasets.digits.name: KMIST: unknown data set; did you mean KMNIST?",
    ),
    "pickles of torchvision": (
        ("datasets", "digits"),
        {"kind": "torchvision", "name": "CIFAR100"},
        "datasets.digits.name: CIFAR100: a pickle there; use kind cifar100 instead",
    ),
    "path to nowhere": (
        ("datasets", "more"),
        {"kind": "adult", "path": "no/where"},
        "datasets.more.path: no/where: no such file or folder in /.*; mend it, or remove it to fetch",
    ),
    "path of no text": (("datasets", "more"), {"kind": "mnist", "path": 3}, "datasets.more.path: 3: .* be a valid str"),
    "hash that is none": (
        ("datasets", "more"),
        {"kind": "texas", "sha256": "abc"},
        "datasets.more.sha256: 'abc': not possible here; it should match pattern",
    ),
    "hash of what has one": (
        ("datasets", "more"),
        {"kind": "location", "sha256": "0" * 64},
        "datasets.more.sha256: unknown key; expected one of: kind, path",
    ),
    "truth for a number": (("queries", "boundary", "budget"), True, "queries.boundary.budget: True: .* true or false"),
    "truth in a list": (("queries", "gaussian", "sigmas"), [True], "queries.gaussian.sigmas: .* true or false"),
    "key of an earlier version": (
        ("queries", "copies", "copies"),
        1,
        "queries.copies.copies: is now called shift_pixels; rename it$",
    ),
    "key of an earlier version of attacks": (
        ("attacks", "combined", "decays"),
        [1.0],
        "attacks.combined.decays: is now called weight_decays; rename it$",
    ),
    "stopped copies": (
        ("queries", "copies", "stop_error"),
        0.1,
        "queries.copies.stop_error: 0.1: only one distance has a threshold",
    ),
    "smaller budgets of what stops": (
        ("attacks", "boundary-stopped", "budgets"),
        [100],
        "attacks.boundary-stopped.budgets: 100: queries.settled stops for its own threshold",
    ),
    "classifier of what stops": (
        ("attacks", "boundary-stopped", "kind"),
        "classifier",
        "attacks.boundary-stopped.kind: classifier: queries.settled stops early",
    ),
    "order of what stops": (
        ("figures", "roc", "attacks"),
        ["boundary-stopped"],
        "figures.roc.attacks: boundary-stopped: reads searches that stop early",
    ),
    "no studies": (("studies",), {}, "studies: {}: "),
    "more folds than are asked about": (
        ("studies", "digits-cnn"),
        {"dataset": "digits", "model": "cnn", "n_train": [9], "seeds": [0], "evaluated": 2, "attacks": ["rotation"]},
        "attacks.rotation.folds: 3: more than the shadow's 2 members",
    ),
    "joined sizes of several kinds": (
        ("figures", "roc", "studies"),
        ["digits-cnn"],
        "figures.roc.studies: unknown key; did you mean study?",
    ),
    "sizes of one size": (
        ("figures", "roc"),
        {"kind": "sizes", "study": "digits-mlp", "n_train": 200},
        "figures.roc.n_train: unknown key; expected one of: kind, study, title, attacks, studies, defense",
    ),
    "sizes of different models": (
        ("figures", "roc"),
        {"kind": "sizes", "study": "digits-mlp", "studies": ["digits-cnn"]},
        "figures.roc.studies: digits-cnn: another data set or model than digits-mlp; one curve is of one",
    ),
    "sizes twice": (
        ("figures", "roc"),
        {"kind": "sizes", "study": "digits-mlp", "studies": ["digits-mlp"]},
        "figures.roc.studies: digits-mlp: n_train 200 is in another of these studies too; name it once",
    ),
    "mask over nothing": (
        ("defenses",),
        {"none": {"kind": "none"}, "guard": {"kind": "memguard", "over": "nine"}},
        "defenses.guard.over: nine: not defined under defenses; did you mean none?",
    ),
    "mask over a mask": (
        ("defenses",),
        {"none": {"kind": "none"}, "guard": {"kind": "memguard"}, "top": {"kind": "top_k", "over": "guard"}},
        "defenses.top.over: guard: only masks answers too",
    ),
    "mask over itself": (
        ("defenses",),
        {"none": {"kind": "none"}, "guard": {"kind": "memguard", "over": "guard"}},
        "defenses.guard.over: guard: only masks answers too",
    ),
    "too many with fewer non-members": (
        ("studies", "digits-mlp"),
        {"dataset": "digits", "model": "mlp", "seeds": [0], "n_train": [600], "n_nonmembers": 300},
        "digits-mlp.n_train: 600: four disjoint splits need 1800 examples, digits has 1797; use at most 598",
    ),
    "halves that are too large": (
        ("studies", "digits-mlp"),
        {"dataset": "digits", "model": "mlp", "seeds": [0], "n_train": [899], "splits": "halves"},
        "digits-mlp.n_train: 899: two disjoint splits need 1798 examples, digits has 1797; use at most 898",
    ),
    "halves for two shadows": (
        ("studies", "digits-mlp"),
        {"dataset": "digits", "model": "mlp", "seeds": [0], "n_train": [200], "splits": "halves", "shadows": 2},
        "digits-mlp.shadows: 2: halves leave data for one shadow; set it to 1, or splits: disjoint",
    ),
    "halves with other non-members": (
        ("studies", "digits-mlp"),
        {"dataset": "digits", "model": "mlp", "seeds": [0], "n_train": [200], "splits": "halves", "n_nonmembers": 9},
        "digits-mlp.n_nonmembers: 9: halves have as many as members; remove it",
    ),
    "nobody evaluated": (
        ("studies", "digits-mlp", "evaluated"),
        0,
        "digits-mlp.evaluated: 0: .* greater than or equal",
    ),
    "arrays that are not there": (
        ("datasets", "more"),
        {"kind": "npz", "path": "nowhere.npz"},
        "datasets.more.path: nowhere.npz: No such file or directory in /.*; give the path of a .npz file",
    ),
    "arrays of another kind": (
        ("datasets", "more"),
        {"kind": "npz", "path": "README.md"},
        "datasets.more: README.md: expected a .npz file",
    ),
    "steps between whole degrees": (
        ("queries", "rotations"),
        {"kind": "rotation", "degrees": [1.5], "angles": "all"},
        r"queries.rotations.degrees: \[1.5\]: angles: all goes in steps of 1; use whole degrees",
    ),
    "sigmas without flips": (
        ("queries", "more"),
        {"kind": "mixed", "continuous": 1, "sigmas": [0.1, 0.2], "flips": [1], "samples": 1},
        r"queries.more.flips: \[1.0\]: expected one for each of \[0.1, 0.2\]; give as many",
    ),
    "tables for images": (
        ("queries", "bernoulli"),
        {"kind": "mixed", "continuous": 1, "sigmas": [0.1], "flips": [1], "samples": 100},
        r"queries.bernoulli.continuous: 1: digits has inputs of shape \[1, 8, 8\]; it needs a table",
    ),
    "depth of no residual network": (
        ("models", "more"),
        {"kind": "wide_resnet", "depth": 12},
        "models.more.depth: 12: three groups of equal blocks need 6 k",
    ),
    "unknown initialization": (
        ("models", "mlp", "initialization"),
        "he",
        "mlp.initialization: 'he': .* 'torch' or 'gl",
    ),
    "a text for a truth": (
        ("datasets", "more"),
        {"kind": "torchvision", "name": "MNIST", "download": "off"},
        "datasets.more.download: 'off': not possible here; it should be true or false$",
    ),
    "studies of sizes": (
        ("figures", "roc"),
        {"kind": "sizes", "study": "digits-mlp", "studies": ["x"]},
        "figures.roc.studies: x: not defined under studies",
    ),
}


def test_the_default_is_valid():
    check(DEFAULT)


@pytest.mark.parametrize("name", sorted(file.name for file in ROOT.glob("config/*.yaml")))
def test_the_other_configurations_are_valid(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # wherever they are run
    load(ROOT / "config" / name)


def test_whole_numbers_and_texts_of_numbers_are_taken_for_fractions():
    config = changed("queries", "gaussian", "sigmas", value=[1])
    config["studies"]["digits-mlp"]["training"] = {"learning_rate": "1e-3"}  # in quotes
    config["datasets"]["clothes"] = {"kind": "torchvision", "name": "FashionMNIST", "download": False}
    checked = check(config)
    assert checked.queries["gaussian"].sigmas == [1.0] and checked.studies["digits-mlp"].training.learning_rate == 1e-3


def test_images_are_not_moved_where_there_are_none(monkeypatch, tmp_path):
    (tmp_path / "tabular").mkdir()
    (tmp_path / "tabular/records.py").write_text("SHAPE = (30,)\n\n\ndef load():\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    config = changed("datasets", "digits", value={"kind": "tabular.records"})
    config["defenses"] = {"none": {"kind": "none"}, "moved": {"kind": "augmentation", "pixels": 2}}
    config["studies"]["digits-mlp"]["defenses"] = ["none", "moved"]
    with pytest.raises(ConfigError) as error:
        check(config)
    expected = "moves images, digits has none; leave out the attacks that read it"
    assert str(error.value).splitlines() == [
        "studies.digits-mlp.defenses: moved: moves images, digits has none; choose another",
        *[f"queries.{name}: {expected}" for name in QUERIES_THAT_MOVE],
        "studies.digits-cnn.model: cnn: needs images, digits has inputs of shape [30]; use an mlp",
    ]


@pytest.mark.parametrize("kind", ["mnist", "cifar10", "cifar100", "purchase", "texas", "location", "adult"])
def test_sizes_and_shapes_of_the_papers_data_sets_are_known(kind):
    config = changed("datasets", "digits", value={"kind": kind, "path": str(ROOT)})
    config["studies"]["digits-mlp"]["n_train"] = [10**6]
    with pytest.raises(ConfigError) as error:
        check(config)
    images = kind in ("mnist", "cifar10", "cifar100")
    assert "n_train: 1000000: four disjoint splits need" in str(error.value)
    assert ("moves images, digits has none" in str(error.value)) != images


@pytest.mark.parametrize("case", BAD)
def test_one_line_names_key_value_and_fix(case):
    path, value, expected = BAD[case]
    with pytest.raises(ConfigError, match=expected) as error:
        check(changed(*path, value=value))
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("field, value", [("budget", 100), ("budgets", [50, 2000])])
def test_searches_by_gradients_are_read_whole_and_by_distance_alone(field, value):
    config = changed("queries", "gradients", value={"kind": "white_box"})
    config["attacks"]["bound"] = {"kind": "distance", "reads": "gradients"}
    assert check(config).queries["gradients"].cost() == 100
    config["attacks"]["bound"][field] = value
    with pytest.raises(ConfigError, match=f"attacks.bound.{field}: .* takes gradients, and all of them; set its steps"):
        check(config)
    config["attacks"]["bound"] = {"kind": "classifier", "reads": "gradients"}
    with pytest.raises(
        ConfigError, match="attacks.bound.reads: gradients: yields white_box, a classifier attack reads"
    ):
        check(config)


def test_all_mistakes_are_told_at_once():
    config = changed("queries", "boundary", "budget", value=0)
    config["metrics"]["resamples"] = 5
    with pytest.raises(ConfigError) as error:
        check(config)
    assert len(str(error.value).splitlines()) == 2


def test_missing_keys_are_explained():
    config = copying.deepcopy(DEFAULT)
    del config["queries"]["boundary"]["budget"]
    with pytest.raises(ConfigError, match="^queries.boundary.budget: missing; add it: queries per example"):
        check(config)


def test_blocks_of_seeds():
    assert seed_list("0-2") == [0, 1, 2] and seed_list(6) == [6] and seed_list("6") == [6]


def test_snakemake_stops_before_any_job(fresh):
    fresh.configure(lambda config: config["queries"]["boundary"].update(budget=0))
    text = fresh.snakemake(check=False)
    assert "queries.boundary.budget: 0: not possible here; it should be greater than or equal to 1" in text
    assert fresh.exit_code != 0 and not (fresh.path / "results").exists() and "Traceback" not in text


def test_the_exported_schema_is_current():
    """Write it with `python -m workflow.tools.config_schema > workflow/config/schema/config.schema.json`."""
    written = json.loads((ROOT / "workflow/config/schema/config.schema.json").read_text())
    assert written == configuration.Config.model_json_schema()


def test_an_axis_in_dollars_is_refused():
    config = changed("defenses", value={"none": {"kind": "none"}, "l2": {"kind": "l2", "strength": 0.1}})
    config["studies"]["digits-mlp"]["defenses"] = ["none", "l2"]
    config["figures"] = {"f": {"kind": "strengths", "study": "digits-mlp", "family": "l2", "axis": "$$"}}
    with pytest.raises(ConfigError, match=r"^figures.f.axis: \$\$: what stands between two \$ is no TeX .*$"):
        check(config)


@pytest.mark.parametrize("figure", typing.get_args(typing.get_args(AnyFigure)[0]))
def test_every_kind_of_figure_has_a_caption_that_names_its_studies(figure):
    joins = "studies" in figure.model_fields
    said = figure.model_construct(study="mine", studies=["more"]).said()
    assert said[0].isupper() and f"{figure.caption[1:]}, study mine{', more' if joins else ''}." in said


def test_a_file_of_ones_own_is_merged_into_the_default(copy):
    (copy.path / "mine.yaml").write_text("figures: {mine: {kind: bars, study: small, title: Mine}}\n")
    plan = copy.snakemake("-n", "--configfile", "mine.yaml")
    assert "results/figures/mine.png" in plan and "Plot mine" in plan and "Train the" not in plan


def test_a_file_without_a_base_is_all_there_is(fresh):
    """config.yaml is not even read: here it is one that could not be run."""
    alone = yaml.safe_load((fresh.path / "config.yaml").read_text()) | {"base": "none"}
    alone["studies"]["other"] = alone["studies"].pop("small")
    for figure in alone["figures"].values():
        figure["study"] = "other"
    (fresh.path / "alone.yaml").write_text(yaml.safe_dump(alone))
    (fresh.path / "config.yaml").write_text("nonsense: 1")
    plan = fresh.snakemake("-n", "--configfile", "alone.yaml")
    assert "results/models/other/" in plan and "results/models/small/" not in plan
    (fresh.path / "over.yaml").write_text("base: alone.yaml\nstudies: {other: {seeds: [7]}}\nfigures: {roc: null}\n")
    plan = fresh.snakemake("-n", "--configfile", "over.yaml")
    assert "results/models/other/n60-none/7/target.npz" in plan and "figures/roc" not in plan and "figures/acc" in plan


def test_chains_of_files_are_followed_to_their_end(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, base in {"config": None, "a": "none", "b": "a.yaml", "c": None, "d": "e.yaml", "e": "d.yaml"}.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({} if base is None else {"base": base}))
    assert base_files({}) == ["config.yaml"] and base_files({"base": "none"}) == []
    assert base_files({"base": "b.yaml"}) == ["a.yaml", "b.yaml"]
    assert base_files({"base": "c.yaml"}) == ["config.yaml", "c.yaml"]
    with pytest.raises(ConfigError, match="base: d.yaml: is laid over itself"):
        base_files({"base": "d.yaml"})
    with pytest.raises(ConfigError, match="base: f.yaml: no such file"):
        base_files({"base": "f.yaml"})


@pytest.mark.parametrize(
    "options, message",
    [
        ({"classes": ["labels"]}, "no array labels; it has inputs, classes, short, scalar, grey, tall"),
        ({"classes": ["short"]}, r"expected one class for each of inputs \(4, 2\), got shape \(3,\)"),
        ({"inputs": ["scalar"]}, r"expected one class for each of scalar \(\), got shape \(4,\)"),
        ({"inputs": ["classes"]}, r"classes: expected features \(n, features\) or images .* got \(4,\)"),
        (
            {"inputs": ["grey"]},
            r"grey: \(4, 5, 5, 1\) does not tell which axis has the channels; set layout: channels_l",
        ),
        ({"range": [9, 0]}, r": range: \[9.0, 0.0\]: expected two numbers, the smaller one first"),
        ({"range": [3, 3]}, r": range: \[3.0, 3.0\]: expected two numbers"),
        ({"range": [0]}, r".range: \[0\]: not possible here; it should have at least 2 items"),
        ({"range": [0, math.inf]}, ".range.1: inf: not possible here; it should be a finite number"),
        ({"inputs": ["inputs", "tall"], "classes": ["classes"] * 2}, "classes: .* hold each value once"),
        ({"inputs": ["inputs", "tall"]}, "name as many"),
    ],
)
def test_arrays_that_do_not_go_together_are_refused_before_any_job(tmp_path, options, message):
    arrays = {
        "inputs": np.zeros((4, 2)),
        "classes": np.zeros(4, int),
        "short": np.zeros(3, int),
        "scalar": np.zeros(()),
    }
    np.savez(tmp_path / "mine.npz", **arrays, grey=np.zeros((4, 5, 5, 1)), tall=np.zeros((4, 3)))
    entry = {"kind": "npz", "path": str(tmp_path / "mine.npz")} | options
    with pytest.raises(ConfigError, match=f"datasets.digits.*{message}"):
        check(changed("datasets", "digits", value=entry))


@pytest.mark.parametrize(
    "kind, query, message",
    [
        (
            "location",
            {"kind": "mixed", "continuous": 6},
            "continuous: 6: location has no continuous features; use bern",
        ),
        ("adult", {"kind": "mixed", "continuous": 5}, "continuous: 5: adult has 6 continuous features; set it to 6"),
        ("adult", {"kind": "mixed", "continuous": 6, "flips": [102]}, "flips: 102: adult has only 101 other features"),
        ("adult", {"kind": "bernoulli"}, "kind: bernoulli: adult has 6 continuous features; use mixed"),
        ("adult", {"kind": "mixed", "continuous": 6}, None),
        ("location", {"kind": "bernoulli"}, None),
    ],
)
def test_noise_goes_with_the_features(kind, query, message):
    config = {name: DEFAULT[name] for name in ("models",)} | {
        "datasets": {kind: {"kind": kind, "path": str(ROOT)}},
        "studies": {"s": {"dataset": kind, "n_train": [10], "model": "mlp", "seeds": [0]}},
        "queries": {
            "noise": {"flips": [1], "samples": 9} | ({"sigmas": [0.1]} if "continuous" in query else {}) | query
        },
        "attacks": {"noise": {"kind": "vote", "reads": "noise"}},
    }
    if message is None:
        check(config)
    else:
        with pytest.raises(ConfigError, match=f"^queries.noise.{message}"):
            check(config)
