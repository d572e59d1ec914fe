"""Bad configurations: one clear line with the key, the value and the fix, before any job."""

import copy as copying
import json
from pathlib import Path

import pytest
import yaml

from workflow import schema
from workflow.config import ConfigError, check
from workflow.seeds import seed_list

ROOT = Path(__file__).parents[2]
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
    "unknown section": (("qeries",), {}, "qeries: unknown key; did you mean queries?"),
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
        ("studies", "digits-mlp", "training"),
        {"shifts": -1},
        "studies.digits-mlp.training.shifts: -1: .* greater than or equal to 0",
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
        "n_train: 450: .* 1800 .* has 1797; use at most 449",
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
        "lmia.roles",
        "attacks.gap.kind: lmia.roles: no such module",
    ),
    "not an attack": (("attacks", "gap", "kind"), "lmia.metrics", "lmia.metrics: the module defines no Attack"),
    "gallery of nothing": (("figures", "gallery", "queries"), [], "figures.gallery.queries: .*name at least one"),
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
        "attacks.rotation.folds: 101: more than the 100 members .* at most 100",
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
        {"kind": "torchvision", "name": "CIFR10"},
        "datasets.digits.name: CIFR10: unknown data set; did you mean CIFAR10?",
    ),
    "truth for a number": (("queries", "boundary", "budget"), True, "queries.boundary.budget: True: .* true or false"),
    "truth in a list": (("queries", "gaussian", "sigmas"), [True], "queries.gaussian.sigmas: .* true or false"),
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
}


def test_the_default_is_valid():
    check(DEFAULT)


def test_whole_numbers_and_texts_of_numbers_are_taken_for_fractions():
    config = changed("queries", "gaussian", "sigmas", value=[1])
    config["studies"]["digits-mlp"]["training"] = {"learning_rate": "1e-3"}  # so YAML reads an unquoted 1e-3
    config["datasets"]["colours"] = {"kind": "torchvision", "name": "CIFAR10", "download": False}
    checked = check(config)
    assert checked.queries["gaussian"].sigmas == [1.0] and checked.studies["digits-mlp"].training.learning_rate == 1e-3


def test_images_are_not_moved_where_there_are_none(monkeypatch, tmp_path):
    (tmp_path / "tabular").mkdir()
    (tmp_path / "tabular/records.py").write_text("SHAPE = (30,)\n\n\ndef load():\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    config = changed("datasets", "digits", value={"kind": "tabular.records"})
    config["studies"]["digits-mlp"]["training"] = {"shifts": 2}
    with pytest.raises(ConfigError) as error:
        check(config)
    expected = "moves images, digits has none; leave out the attacks that read it"
    assert str(error.value).splitlines() == [
        "studies.digits-mlp.training.shifts: 2: digits has no images to move; set it to 0",
        *[f"queries.{name}: {expected}" for name in QUERIES_THAT_MOVE],
    ]


@pytest.mark.parametrize("case", BAD)
def test_one_line_names_key_value_and_fix(case):
    path, value, expected = BAD[case]
    with pytest.raises(ConfigError, match=expected) as error:
        check(changed(*path, value=value))
    assert len(str(error.value).splitlines()) == 1


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
    """Write it with `python -m workflow.schema > workflow/schemas/config.schema.json`."""
    written = json.loads((ROOT / "workflow/schemas/config.schema.json").read_text())
    assert written == schema.Config.model_json_schema()


def test_a_file_of_ones_own_is_merged_into_the_default(copy):
    (copy.path / "mine.yaml").write_text("figures: {mine: {kind: bars, study: small}}\n")
    plan = copy.snakemake("-n", "--configfile", "mine.yaml")
    assert "results/figures/mine.png" in plan and "Plot mine" in plan and "Train the" not in plan
