"""What scripts do with artifacts that cannot be used together; whole studies run them elsewhere."""

import sys
from functools import partial
from unittest import mock

import numpy as np
import pytest
import torch

from lmia import artifacts
from lmia.boundary.fixed_directions import fixed_points, search_directions
from lmia.boundary.random_inputs import search_random_inputs
from lmia.boundary.stopping import Stopping
from lmia.box import UNIT, Box
from lmia.journal import Journal
from lmia.models.asked_models import Subject
from lmia.perturbations.gaussian import Perturbation as Gaussian
from lmia.queries.fixed_queries import ask_fixed
from lmia.streams import stream, streams
from workflow.harness.job import BadInput
from workflow.scripts.draw_split import draw
from workflow.scripts.prepare_dataset import prepare
from workflow.scripts.query_confidences import query_confidences
from workflow.scripts.query_labels import query_labels
from workflow.scripts.query_white_box import query_white_box
from workflow.scripts.score_attack import score
from workflow.scripts.score_given import score as score_given
from workflow.scripts.score_in_question import score as score_in_question
from workflow.scripts.score_pool import score as score_pool
from workflow.scripts.search_boundary import search
from workflow.scripts.search_directions import search as search_along

IDS = np.array([[0, 1, 2, 3]])


def answers(path, precision):
    """Answers to four points of class 0 and a copy of each, of one model."""
    labels = np.array([[[0, 0], [0, 0], [0, 1], [1, 1]]])
    arrays = {"labels": labels, "classes": np.zeros((1, 4), int), "magnitudes": np.array([[0.0, 2]])}
    artifacts.save(
        path, "answers", arrays | {"example_ids": IDS}, {"unit": "pixels", "asked": [{"precision": precision}]}
    )
    return path


@pytest.mark.parametrize("other", [None, "target", "0", "1"])
def test_thresholds_carry_over_within_one_precision_only(other, tmp_path):
    """Of the target and two shadows, one or none was asked in another."""
    names = ("target", "0", "1")
    target, *shadows = (answers(tmp_path / f"{n}.npz", "bfloat16" if n == other else "float32") for n in names)
    artifacts.save(tmp_path / "split.npz", "split", {"members": IDS[:, :2]}, {})
    given = {
        "target": target,
        "shadows": shadows,
        "splits": [tmp_path / "split.npz"] * 2,
        "output": tmp_path / "scores.npz",
        "attack": {"kind": "vote", "reads": "shifts", "budget": None, "budgets": []},
        "name": "moved",
        "observation": "labels",
        "seeds": [0],
    }
    if other is None:
        score(**given)
        scored, _ = artifacts.load(tmp_path / "scores.npz", "scores")
        assert scored["scores"][0, 0].tolist() == [1, 1, 0.5, 0] and scored["example_ids"].tolist() == IDS.tolist()
        return
    with pytest.raises(ValueError, match="target and shadows were asked in different precisions"):
        score(**given)
    assert not (tmp_path / "scores.npz").exists()


RULE = """import numpy as np


class Attack:
    def fit(self, shadow, is_member):
        return {fitted}

    def score(self, target):
        n = len(target.classes)
        return {scores}


class Calibration:
    def score(self, target, shadows, is_member):
        n = len(target.classes)
        return {scores}
"""
RAGGED = "setting an array element with a sequence. The requested array has an inhomogeneous shape after 1 dimensions. "
RAGGED += "The detected shape was (2,) + inhomogeneous part."
EXPECTED = "score: expected one score for each of {n} examples, shape ({n},), finite or infinite, got "
NO_SCORES = {
    "[1.0]": f"{EXPECTED}shape (1,); mend it",
    "target.features()": f"{EXPECTED}shape ({{n}}, 2); mend it",
    "np.resize([0, np.nan, 1, 2], n)[:4].tolist() + [0] * (n - 4)": f"{EXPECTED}1 NaN; mend it",
    "None": f"{EXPECTED}a NoneType that is no array of numbers of numpy's; mend it",
    "[[1], [1, 2]]": f"{EXPECTED}a list that is no array of numbers of numpy's ({RAGGED}); mend it",
}
RULES = {"attack": 4, "given": 4, "in question": 4, "pool": 16, "calibration": 4}  # and rows that are scored first


@pytest.mark.parametrize("scores", NO_SCORES)
@pytest.mark.parametrize("rule", RULES)
def test_what_are_no_scores_is_blamed_on_the_attack_that_gave_them(scores, rule, tmp_path, monkeypatch):
    kind = f"bad{list(NO_SCORES).index(scores)}"
    with pytest.raises(BadInput) as error:
        scored_by(rule, place_rule(tmp_path, monkeypatch, kind, scores), tmp_path)
    assert str(error.value) == f"attacks.mine.kind: rules.{kind}: {NO_SCORES[scores].format(n=RULES[rule])}"
    assert not (tmp_path / "scores.npz").exists()


def test_an_attack_that_does_not_return_itself_from_fit_is_blamed(tmp_path, monkeypatch):
    kind = place_rule(tmp_path, monkeypatch, "unfitted", "[]", fitted=None)
    with pytest.raises(
        BadInput, match="^attacks.mine.kind: rules.unfitted: fit: expected the attack itself, got NoneT"
    ):
        scored_by("attack", kind, tmp_path)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("scores", ["np.resize([np.inf, 3, 2, -np.inf], n)", "[4, 3, 2, 1] * (n // 4)"])
def test_infinite_scores_and_whole_numbers_are_scores(rule, scores, tmp_path, monkeypatch):
    found = scored_by(rule, place_rule(tmp_path, monkeypatch, f"good{len(scores)}", scores), tmp_path)["scores"]
    expected = [np.inf, 3, 2, -np.inf] if "inf" in scores else [4, 3, 2, 1]
    assert found.dtype == np.float64 and found[0, 0].tolist() == expected


def place_rule(tmp_path, monkeypatch, name, scores, fitted="self"):
    """The kind of a plug-in that scores so."""
    (tmp_path / "rules").mkdir()
    (tmp_path / f"rules/{name}.py").write_text(RULE.format(scores=scores, fitted=fitted))
    monkeypatch.syspath_prepend(tmp_path)
    for module in [module for module in sys.modules if module.partition(".")[0] == "rules"]:
        monkeypatch.delitem(sys.modules, module)
    return f"rules.{name}"


def scored_by(rule, kind, tmp_path):
    """What a script writes of four points of the target, with one shadow, or with a pool of six models."""
    n_models = 6 if rule in ("pool", "calibration") else 1
    labels = np.tile([[0, 0], [0, 0], [0, 1], [1, 1]], (n_models, 1, 1))
    arrays = {"labels": labels, "classes": np.zeros((n_models, 4), int), "magnitudes": np.array([[0.0, 2]] * n_models)}
    ids = np.tile(IDS, (n_models, 1))
    observed, one, split = (tmp_path / f"{name}.npz" for name in ("observed", "one", "split"))
    about = {"unit": "pixels", "asked": [{"precision": "float32"}] * n_models}
    artifacts.save(observed, "answers", arrays | {"example_ids": ids}, about)
    first = {name: array[:1] for name, array in (arrays | {"example_ids": ids}).items()}
    artifacts.save(one, "answers", first, about | {"asked": about["asked"][:1]})
    members = np.array([IDS[0, :2], IDS[0, 2:]] * 3)[:n_models]
    artifacts.save(split, "split", {"members": members}, {})
    attack = {"kind": kind, "reads": "shifts", "budget": None, "budgets": [], "shadows": []}
    given = {"output": tmp_path / "scores.npz", "attack": attack, "name": "mine", "observation": "labels", "seeds": [0]}
    of_shadows = {"target": one, "shadows": [one], "splits": [split]}
    if rule == "attack":
        score(**of_shadows, **given)
    elif rule == "given":
        score_given(**of_shadows, split=split, **given)
    elif rule == "in question":
        score_in_question(**of_shadows, in_question=one, split=split, **given)
    else:
        pool = {"targets": one, "models": [observed], "splits": [split], "blocks": [list(range(6))]}
        score_pool(**pool, calibrates=rule == "calibration", **given)
    return artifacts.load(given["output"], "scores_in_question" if rule == "in question" else "scores")[0]


def drawn(tmp_path, scheme="disjoint", role="target", **given):
    artifacts.save(tmp_path / "data.npz", "dataset", {"classes": np.arange(10) % 2}, {})
    same = {"n_train": 4, "n_nonmembers": None, "pool": None, "seeds": [0, 1], "study": "mine"}
    draw(tmp_path / "data.npz", tmp_path / f"{role}.npz", scheme=scheme, role=role, **same | given)
    return artifacts.load(tmp_path / f"{role}.npz", "split")[0]


def test_halves_of_the_target_are_those_of_the_shadow_the_other_way_round(tmp_path):
    target, shadow = (drawn(tmp_path, "halves", role) for role in ("target", "shadow0"))
    assert target["members"].shape == target["nonmembers"].shape == (2, 4)
    np.testing.assert_array_equal(target["members"], shadow["nonmembers"])
    np.testing.assert_array_equal(target["nonmembers"], shadow["members"])


def test_a_data_set_that_is_too_small_is_blamed_on_the_study(tmp_path):
    message = r"^studies\.mine: n_train: disjoint splits of 4, 4, 4, 4 need 16 examples, the data set has 10"
    with pytest.raises(BadInput, match=message):
        drawn(tmp_path)
    assert not (tmp_path / "target.npz").exists()


class Models(list):
    """No models, which note that answers are saved."""

    table, box = None, UNIT

    def __init__(self, saved):
        super().__init__()
        self.save = lambda *arguments: saved.append(arguments)


@pytest.mark.parametrize("factor", [1, 2])
def test_magnitudes_other_than_the_option_says_are_blamed_on_the_query_set(factor, tmp_path, monkeypatch):
    (tmp_path / f"levels{factor}.py").write_text(
        'MAGNITUDES = "levels"\nclass Perturbation:\n    unit = "level"\n'
        f"    def __init__(self, levels): self.magnitudes = [{factor} * level for level in levels for _ in range(2)]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("lmia.plugins.module_name", lambda package, kind: kind)
    saved, spec = [], {"kind": f"levels{factor}", "levels": [2, 1]}
    given = {"models": Models(saved), "output": "", "spec": spec, "precision": {}, "name": "q", "journal": None}
    if factor == 1:
        query_labels(**given)
        assert saved
        return
    message = (
        r"^queries\.q: MAGNITUDES of levels2 names levels, which is \[2, 1\], but `magnitudes` of its Perturbation are "
        r"\[2\.0, 4\.0\]; give both the same numbers, or take MAGNITUDES out$"
    )
    with pytest.raises(BadInput, match=message):
        query_labels(**given)
    assert not saved


class Subjects:
    """Two models of the same two points, one that knows where boundary searches may start."""

    def __init__(self):
        self.saved, self.table, self.box, self.pool = [], None, UNIT, (torch.rand(5, 2), np.zeros(5, int))

    def __iter__(self):
        inputs, ids = torch.tensor([[0.2, 0.3], [0.7, 0.6]]), np.array([11, 22])
        for seed in (3, 4):
            network = torch.nn.Linear(2, 2).requires_grad_(False)
            network.weight.copy_(torch.tensor([[1.0, 0], [-1, 0]]))
            network.bias.copy_(torch.tensor([-0.5, 0.5]))
            yield Subject(seed, 10 + seed, network, inputs, np.array([1, 0]), ids)

    def starting_points(self, subject):
        return self.pool

    def population(self, subject, n):
        return self.pool[0][:n], np.ones(n, int)

    def save(self, output, kind, rows, provenance):
        self.saved.append((kind, rows, provenance))


def test_random_queries_are_drawn_by_what_its_model_says_and_the_name_of_the_query_set():
    models, spec = Subjects(), {"kind": "gaussian", "sigmas": [0.4], "samples": 40}
    query_labels(models, "", spec, {}, "mine", Journal())
    ((kind, rows, provenance),) = models.saved
    assert kind == "answers" and provenance["unit"] == "sigma" and len(provenance["asked"]) == 2
    for subject, row in zip(models, rows, strict=True):
        draws = partial(streams, subject.draws, "mine", subject.ids)
        labels, _ = ask_fixed(subject.network, subject.inputs, Gaussian(sigmas=[0.4], samples=40), draws)
        np.testing.assert_array_equal(row["labels"], labels)
        assert row["example_ids"].tolist() == [11, 22] and row["classes"].tolist() == [1, 0]
        assert row["magnitudes"].tolist() == [0.0] + [0.4] * 40
    assert (rows[0]["labels"] != rows[1]["labels"]).any()


def test_queries_are_held_to_the_box_of_the_data_set(tmp_path, monkeypatch):
    (tmp_path / "far.py").write_text(
        "class Perturbation:\n    unit, magnitudes = '', [1.0]\n"
        "    def blocks(self, inputs, streams):\n        yield inputs[:, None] * 3\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("lmia.plugins.module_name", lambda package, kind: kind)
    models = Subjects()
    said = "^queries.mine.kind: far: expected queries in the box of the inputs, 0 to 1, got 0.6 to 2.1"
    with pytest.raises(BadInput, match=said):
        query_labels(models, "", {"kind": "far"}, {}, "mine", Journal())
    models.box = Box([0, 0], [3, 3])
    query_labels(models, "", {"kind": "far"}, {}, "mine", Journal())
    assert len(models.saved) == 1


@pytest.mark.parametrize("n_population", [0, 3])
@pytest.mark.parametrize("defense", [{"kind": "none"}, {"kind": "top_k", "k": 2}])
def test_log_odds_of_points_and_of_a_population_lie_beside_confidences(n_population, defense):
    """Of two logits x - 1/2 and 1/2 - x, phi of class 1 is 1 - 2 x, also where a mask tells both."""
    models = Subjects()
    query_confidences(models, "", defense, n_population)
    ((kind, rows, provenance),) = models.saved
    assert kind == "confidences" and provenance == {"defense": defense, "unit": ""}
    others = 1 - 2 * models.pool[0][:n_population, 0].numpy().astype(float)
    for row in rows:
        np.testing.assert_allclose(row["probabilities"][:, 1], 1 / (1 + np.exp([-0.6, 0.4])), rtol=1e-6)
        np.testing.assert_allclose(row["phi"], [1 - 2 * 0.2, 2 * 0.7 - 1], rtol=1e-5)
        assert ("population" in row) == (n_population > 0)
        np.testing.assert_allclose(row.get("population", []), others, rtol=1e-4, atol=1e-6)
        assert {row[name].dtype for name in ("phi", "population") if name in row} == {np.dtype(np.float64)}
        assert row["example_ids"].tolist() == [11, 22]


def test_searches_start_from_the_pool_and_are_drawn_by_model_name_and_copy(monkeypatch):
    asked = []

    def search_boundary(network, inputs, classes, draws, *, pool, settled, progress, journal, **options):
        asked.append((draws(2)[1].random(), pool, settled, options))
        course = np.array([[[3.0, 2]], [[5, 4]]])
        return course, course.astype(int), {"precision": "float32"}

    monkeypatch.setattr("workflow.scripts.search_boundary.search_boundary", search_boundary)
    models, rule = Subjects(), Stopping(3.0, np.empty(0, int), np.empty(0))
    search(models, "", {"kind": "hopskipjump", "budget": 50, "random_inputs": 0}, "mine", {4: rule}, Journal())
    ((kind, rows, _),) = models.saved
    assert not any(name.startswith("random") for row in rows for name in row)
    assert kind == "distances" and [row["distance"].dtype for row in rows] == [np.float32] * 2
    assert [row["stopped"].tolist() for row in rows] == [[False, False], [True, False]]  # the second has a rule
    for (drawn_number, pool, settled, options), seed in zip(asked, (3, 4), strict=True):
        assert drawn_number == stream(10 + seed, "mine, copy 2", 22).random() and pool is models.pool
        assert settled is (rule if seed == 4 else None) and options == {"budget": 50, "box": models.box}


class References:
    """For one point of two, a network with a boundary at x = 0.6."""

    def without(self, subject):
        network = torch.nn.Linear(2, 2).requires_grad_(False)
        network.weight.copy_(torch.tensor([[1.0, 0], [-1, 0]]))
        network.bias.copy_(torch.tensor([-0.6, 0.6]))
        return [(np.array([0]), [network])]


def test_searches_start_beyond_references_whose_distance_is_kept():
    """The first of two points, at 0.2, has one; the second, at 0.7, finds no start at 0.9, and so one of noise."""
    models, spec = Subjects(), {"kind": "hopskipjump", "budget": 60, "random_inputs": 0}
    models.pool = torch.full((5, 2), 0.9), np.zeros(5, int)
    warm = spec | {"schedule": "warm", "references": 1}
    journal = Journal()
    search(models, "", warm, "mine", {}, journal, References())
    search(models, "", spec, "mine", {}, Journal())
    (_, rows, provenance), (_, plain, others) = models.saved
    for row, asked in zip(rows, provenance["asked"], strict=True):
        assert row["reference_distance"].dtype == np.float32
        assert row["reference_distance"][0] == pytest.approx(0.4, rel=0.02) and np.isnan(row["reference_distance"][1])
        assert row["n_queries"][0, 0, 1] == 1 + 1 + 4 and row["distance"][0, 0, 1] >= 0.3  # of a target's 0.5 - 0.2
        assert asked["starts"] == {"references": 1, "others": 0, "noise": 1, "none": 0}
    assert "reference_distance" not in plain[0] and others["asked"][0]["starts"]["references"] == 0
    references = mock.Mock(without=mock.Mock(side_effect=AssertionError))
    search(models, "", warm, "mine", {}, journal, references)  # which goes on from what is there
    for row, again in zip(rows, models.saved[-1][1], strict=True):
        np.testing.assert_array_equal(row["distance"], again["distance"])
        np.testing.assert_array_equal(row["reference_distance"], again["reference_distance"])


def test_random_inputs_are_drawn_by_model_and_name_and_searched_as_the_examples_are():
    class Rough(Subjects):
        """Of logits near 100, so that bfloat16 changes labels and float32 is asked instead."""

        def __iter__(self):
            for subject in super().__iter__():
                subject.network.bias += 100
                yield subject

    models, spec = Rough(), {"kind": "hopskipjump", "budget": 60, "random_inputs": 3}
    search(models, "", spec | {"precision": "bfloat16", "most_disagreement": 0.0}, "mine", {}, Journal())
    ((_, rows, provenance),) = models.saved
    assert [asked["precision"] for asked in provenance["asked"]] == ["float32"] * 2
    for subject, row in zip(models, rows, strict=True):
        draws = partial(streams, subject.draws)
        expected = search_random_inputs(
            subject.network,
            3,
            (2,),
            lambda purpose, draws=draws: draws(f"mine, random {purpose}", range(3)),
            budget=60,
            pool=models.pool,
        )
        length = expected[0].shape[1]
        np.testing.assert_array_equal(row["random_distance"][:, :length], expected[0].astype(np.float32))
        np.testing.assert_array_equal(row["random_queries"][:, :length], expected[1])
        assert row["random_distance"].dtype == np.float32 and row["random_queries"].max() <= 60
    assert (rows[0]["random_distance"] != rows[1]["random_distance"]).any()


def test_models_move_towards_points_which_their_draws_and_the_name_of_the_query_set_give():
    models = Subjects()
    spec = {"kind": "directions", "directions": ["random", "black"], "levels": 64, "method": "scan"}
    search_along(models, "", spec, {"precision": "float32", "most_disagreement": 0.05}, "mine", Journal())
    ((kind, rows, provenance),) = models.saved
    assert kind == "distances" and provenance["query"] == spec and len(provenance["asked"]) == 2
    for subject, row in zip(models, rows, strict=True):
        points = fixed_points(["random", "black"], (2,), stream(subject.draws, "mine, direction"))
        distance, n_queries, _ = search_directions(
            subject.network, subject.inputs, subject.classes, points, levels=64, method="scan"
        )
        np.testing.assert_array_equal(row["distance"], distance.astype(np.float32))
        np.testing.assert_array_equal(row["n_queries"], n_queries)
        assert row["distance"].dtype == np.float32 and row["n_queries"].dtype == np.int32
        assert row.keys() == {"example_ids", "classes", "distance", "n_queries"}
        assert row["example_ids"].tolist() == [11, 22]
    assert np.isfinite(rows[0]["distance"][..., -1]).any()


@pytest.mark.parametrize("outside", [False, True])
def test_a_data_set_may_come_with_the_box_that_it_lies_in(outside, tmp_path, monkeypatch):
    (tmp_path / "boxed.py").write_text(
        "import numpy as np\nfrom lmia.box import Box\n\n"
        "def load(high):\n    return np.array([[-3, 0.5], [7, 0.25]]), np.array([0, 1]), Box([-3, 0], [high, 1])\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("lmia.plugins.module_name", lambda package, kind: kind)
    spec = {"kind": "boxed", "high": 6 if outside else 8}
    if outside:
        message = (
            r"^datasets\.mine: inputs: expected values in their box, got -3 to 7 in feature 0, outside -3 to 6; use"
        )
        with pytest.raises(BadInput, match=message):
            prepare(tmp_path / "data.npz", "mine", spec, {})
        return
    prepare(tmp_path / "data.npz", "mine", spec, {})
    arrays, _ = artifacts.load(tmp_path / "data.npz", "dataset")
    box = Box.from_arrays(arrays)
    assert arrays["inputs"].tolist() == [[-3, 0.5], [7, 0.25]]
    assert box.low.tolist() == [-3, 0] and box.high.tolist() == [8, 1]


class Boxed(Subjects):
    """Of points in a larger box, with networks that look at the first feature and note how far they were asked."""

    def __init__(self):
        super().__init__()
        self.box, self.asked = Box([-3, -1], [5, 1]), []
        self.pool = torch.from_numpy(self.box.at(np.float32(self.pool[0]))), self.pool[1]

    def __iter__(self):
        for subject in super().__iter__():
            subject.network.register_forward_pre_hook(lambda network, inputs: self.asked.append(inputs[0].detach()))
            yield subject


@pytest.mark.parametrize("kind", ["gaussian", "bernoulli", "hopskipjump", "directions", "white_box"])
def test_all_that_is_asked_lies_in_the_box_of_the_data_set_and_reaches_beyond_1(kind):
    models, precision = Boxed(), {"precision": "float32", "most_disagreement": 0.05}
    if kind in ("gaussian", "bernoulli"):
        magnitudes = {"gaussian": {"sigmas": [4.0]}, "bernoulli": {"flips": [1.0]}}[kind]
        query_labels(models, "", {"kind": kind, "samples": 50, **magnitudes}, precision, "mine", Journal())
    elif kind == "hopskipjump":
        models.pool = None  # starts are uniform in the box
        search(models, "", {"kind": kind, "budget": 60, "random_inputs": 5}, "mine", {}, Journal())
    elif kind == "directions":
        spec = {"kind": kind, "directions": ["random", "white", "black"], "levels": 32, "method": "scan"}
        search_along(models, "", spec, precision, "mine", Journal())
    else:
        query_white_box(models, "", {"kind": kind, "steps": 20}, Journal())
    asked = torch.cat(models.asked).numpy()
    assert (asked >= models.box.low - 1e-6).all() and (asked <= models.box.high + 1e-6).all()
    assert asked.max() > 1 or asked.min() < 0
