"""Bad configurations: one clear line with the key, the value and the fix, before any job."""

import copy as copying
import json
import math
import typing

import numpy as np
import pytest
import torch
import yaml

from lmia.boundary.fixed_directions import fixed_points, search_directions
from lmia.perturbations.augmentation_grid import Perturbation
from lmia.streams import seed_list, stream
from tests.workflow.config.bad_cases import BAD, DEFAULT, QUERIES_THAT_MOVE, ROOT, changed
from workflow.config.load import ConfigError, base_files, check, load
from workflow.config.schema import configuration, figures
from workflow.config.schema.datasets import Npz
from workflow.config.schema.figures import AnyFigure


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


@pytest.mark.parametrize("options, copies, setting", [({}, 17, 4), ({"flips": False, "shifts": [0, -3]}, 3, 3)])
def test_a_grid_costs_what_it_asks_and_is_read_whole(options, copies, setting):
    config = changed("queries", "grid", value={"kind": "augmentation_grid", **options})
    grid = check(config).queries["grid"]
    perturbation = Perturbation(**options)
    assert len(perturbation.magnitudes) == grid.n_perturbed() == copies and grid.cost() == 1 + copies
    assert grid.magnitudes() == [f"pixels={setting}"] and set(perturbation.magnitudes) == {setting}
    assert grid.moves_images()


@pytest.mark.parametrize(
    "options, cost",
    [
        ({}, 6),
        ({"directions": ["white", "black", "random"]}, 16),
        ({"directions": ["random", "black"], "levels": 4, "method": "scan"}, 7),
    ],
)
def test_directions_cost_what_they_ask_and_budgets_are_split_over_them(options, cost):
    config = changed("queries", "lines", value={"kind": "directions", **options})
    lines = check(config).queries["lines"]
    points = fixed_points(lines.directions, (2,), stream(0, "test"))
    asked = {name: getattr(lines, name) for name in ("levels", "method")}
    model, inputs = torch.nn.Linear(2, 2), torch.rand(3, 2)
    _, n_queries, _ = search_directions(model, inputs, model(inputs).argmax(1), points, **asked)
    assert lines.cost() == lines.n_perturbed() + 1 == cost and n_queries[:, :, -1].sum(axis=1).tolist() == [cost] * 3
    assert not lines.moves_images() and not lines.has_magnitudes() and lines.magnitudes() == []
    config["attacks"]["lines"] = {"kind": "classifier", "reads": "lines", "budgets": [cost + 1]}
    with pytest.raises(ConfigError, match=f"attacks.lines.budgets: {cost + 1}: queries.lines asks only {cost};"):
        check(config)
    config["attacks"]["lines"]["budgets"] = [len(lines.directions), cost]
    check(config)
    assert lines.n_copies() == len(lines.directions)


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


def pool():
    """The default configuration with eight models of a pool, and with one attack that has several numbers of shadows.

    Both are put into what was checked: figures are asked what they make of such entries, however those are written.
    """
    config = check(DEFAULT)
    study = config.studies["digits-mlp"]
    config.studies["digits-mlp"] = study.model_copy(update={"splits": "pool", "seeds": ["0-5", 6, 7]})
    config.attacks["boundary"] = config.attacks["boundary"].model_copy(update={"shadows": [4]})
    return config


@pytest.mark.parametrize("kind", [figures.Roc, figures.Bars, figures.Sizes])
def test_figures_of_a_pool_are_told_so_and_no_others_are(kind):
    figure = kind(kind=kind.__name__.lower(), study="digits-mlp")
    assert figure.params(pool())["pools"] == ["digits-mlp"] and "pools" not in figure.params(check(DEFAULT))


def test_a_roc_of_a_pool_needs_its_pairs_side_by_side():
    config, roc = pool(), figures.Roc(kind="roc", study="digits-mlp", attacks=["gap"])
    assert not list(roc.mistakes_in(config))
    for seeds, told in (([1, 0, "2-3"], 0), ([0, 2, 1, 3], 1)):
        study = config.studies["digits-mlp"]
        config.studies["digits-mlp"] = study.model_copy(update={"seeds": seeds})
        lines = list(roc.mistakes_in(config))
        assert len(lines) == told and all(line.endswith("list them ascending") for line in lines)


def test_a_figure_of_shadows_shows_attacks_that_have_several_numbers_of_them():
    config, figure = pool(), figures.Shadows(kind="shadows", study="digits-mlp", metric="tpr_at_0.01_fpr")
    assert not list(figure.mistakes_in(config))
    told = figure.params(config)
    assert told["attacks"] == ["boundary"] and told["all_shadows"] == 6 and told["metric"] == "tpr_at_0.01_fpr"
    (line,) = figures.Shadows(kind="shadows", study="digits-mlp", attacks=["boundary", "gap"]).mistakes_in(config)
    assert line == "attacks: gap: is reported with one number of shadows; give it shadows: [4, 8], or leave it out"
    config.attacks["boundary"] = config.attacks["gap"]
    (line,) = figure.mistakes_in(config)
    assert line == "attacks: missing; no attack of digits-mlp has fewer shadows; give one shadows: [4, 8]"


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


def test_what_is_known_of_a_file_is_known_of_that_file_alone(tmp_path):
    """A data set's facts are read once; a copy with another path has its own."""
    for name, n in (("some", 3), ("more", 5)):
        arrays = {"inputs": np.zeros((n, 4)), "classes": np.arange(n) % 2, "known": np.arange(n) % 2}
        np.savez(tmp_path / f"{name}.npz", **arrays)
    some = Npz(kind="npz", path=str(tmp_path / "some.npz"), membership=["known"])
    assert (some.fact("N_EXAMPLES"), some.known()) == (3, (1, 2))
    (tmp_path / "some.npz").unlink()
    assert (some.fact("N_EXAMPLES"), some.known()) == (3, (1, 2))
    more = some.model_copy(update={"path": str(tmp_path / "more.npz")})
    assert (more.fact("N_EXAMPLES"), more.known()) == (5, (2, 3)) and more != some == some.model_copy()
