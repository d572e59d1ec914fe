"""The functions of `import lmia` give the numbers of the pieces."""

import ast
import pkgutil
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

import lmia
from lmia import api, api_pools, attacks, perturbations
from lmia.attacks import vote
from lmia.attacks.calibrated_distance import Attack as CalibratedDistance
from lmia.attacks.observations import Relabelled
from lmia.attacks.scoring import AttackResult, run_attack
from lmia.boundary.fixed_directions import fixed_points, search_directions
from lmia.boundary.references import reference_crossings
from lmia.boundary.schedules import ECONOMICAL
from lmia.boundary.search import search_boundary
from lmia.data.warnings import remarks
from lmia.defenses import hamp, memguard, rounding, top_k
from lmia.evaluation import intervals
from lmia.perturbations.gaussian import Perturbation
from lmia.perturbations.table import Perturbation as TableCopies
from lmia.queries.fixed_queries import ask_fixed
from lmia.streams import stream, streams
from tests.api_inputs import NOISE, X, Y, constant

ROOT = Path(__file__).parents[1]
N = 60
MEMBER = np.arange(N) < N // 2
ON_IMAGES = {
    "rotation": {"degrees": [3]},
    "translation": {"pixels": [1]},
    "augmented": {"pixels": [1], "samples": 2},
    "augmentation_grid": {},
}


def digits(role):
    images, classes = load_digits(return_X_y=True)
    points = np.arange(N) + N * role
    return (images[points] / 16).astype(np.float32), classes[points]


@pytest.fixture(scope="module")
def networks():
    """Target and shadow, as torch modules."""
    found = []
    for role in (0, 1):
        torch.manual_seed(role)
        network = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
        inputs, classes = (torch.from_numpy(array[MEMBER]) for array in digits(role))
        optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
        for _ in range(100):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(inputs), classes).backward()
            optimizer.step()
        found.append(network)
    return found


def test_names_are_those_of_the_stub_and_of_the_module():
    stub = ast.parse((ROOT / "lmia/__init__.pyi").read_text())
    assert sorted(alias.asname for node in stub.body for alias in node.names) == lmia.__all__
    assert {alias.asname == alias.name for node in stub.body for alias in node.names} == {True}
    assert set(lmia.__all__) <= set(dir(lmia)) and all(
        getattr(lmia, name) is getattr(api, name, getattr(api_pools, name, None)) for name in lmia.__all__
    )
    with pytest.raises(AttributeError, match="module 'lmia' has no attribute 'atack'"):
        lmia.atack  # noqa: B018


@pytest.mark.parametrize(
    "package, kinds, name",
    [(perturbations, api.PERTURBATIONS, "Perturbation"), (attacks, api.ATTACKS, "Attack")],
)
def test_the_kinds_are_the_modules_that_have_one(package, kinds, name):
    modules = [module.name for module in pkgutil.iter_modules(package.__path__)]
    sources = {module: (Path(package.__path__[0]) / f"{module}.py").read_text() for module in modules}
    assert sorted(kinds) == sorted(module for module in modules if f"\nclass {name}:" in sources[module])


def test_labels_scores_and_metrics_are_those_of_the_pieces(networks):
    asked, pieces = [], []
    for role, network in enumerate(networks):
        inputs, classes = digits(role)
        model = lmia.Model(network, 10)
        asked.append(lmia.query_labels(model, inputs, classes, "gaussian", seed=3, **NOISE))
        draws = partial(streams, 3, "gaussian", np.arange(N))
        labels, _ = ask_fixed(network, torch.from_numpy(inputs), Perturbation(**NOISE), draws)
        pieces.append(lmia.Answers(labels, classes, np.repeat([0, 0.1, 0.3], [1, 8, 8])))
        np.testing.assert_array_equal(asked[-1].labels, labels)
        np.testing.assert_array_equal(asked[-1].magnitudes, pieces[-1].magnitudes)
        np.testing.assert_array_equal(model.labels(inputs), labels[:, 0])
        assert model.queries == N * 17 + N
    result = lmia.attack("vote", *asked, MEMBER)
    expected = run_attack(vote.Attack, pieces[0], [pieces[1]], [MEMBER])[0]
    np.testing.assert_array_equal(result.scores, expected.scores)
    assert (result.threshold, result.queries, result.chosen) == (expected.threshold, 9, expected.chosen)
    metrics = lmia.evaluate(result, MEMBER, fprs=[0.1], n_resamples=50, seed=4)
    by_hand = intervals.evaluate(expected.scores, MEMBER, expected.threshold, [0.1], 50, 4)
    assert isinstance(metrics, pd.DataFrame) and metrics.T.to_dict("list") == {
        name: list(values) for name, values in by_hand.items()
    }


def test_distances_are_those_of_the_search(networks):
    (inputs, classes), (others, labels) = digits(0), digits(1)
    model = lmia.Model(networks[0], 10)
    found = lmia.search_boundary(model, inputs, classes, 100, seed=2, starts=(others, labels), progress=False)
    best, spent, _ = search_boundary(
        networks[0],
        torch.from_numpy(inputs),
        classes,
        lambda copy: streams(2, f"boundary, copy {copy}", np.arange(N)),
        budget=100,
        pool=(torch.from_numpy(others), labels),
    )
    np.testing.assert_array_equal(found.distance, best.astype(np.float32))
    np.testing.assert_array_equal(found.n_queries, spent)
    assert model.queries == spent[:, 0, -1].sum() and found.queries().max() <= 100


def test_searches_start_at_networks_of_ones_own_which_distances_are_compared_with(networks):
    inputs, classes = digits(0)
    model, other = lmia.Model(networks[0], 10), networks[1]
    found = lmia.search_boundary(model, inputs, classes, 60, seed=2, references=[other], progress=False)
    crossings, beside = reference_crossings([(np.arange(N), [other])], torch.from_numpy(inputs), classes)
    best, spent, _ = search_boundary(
        networks[0],
        torch.from_numpy(inputs),
        classes,
        lambda copy: streams(2, f"boundary, copy {copy}", np.arange(N)),
        budget=60,
        schedule="warm",
        crossings=crossings,
    )
    np.testing.assert_array_equal(found.distance, best.astype(np.float32))
    np.testing.assert_array_equal(found.reference_distance, beside.astype(np.float32))
    assert model.queries == spent[:, 0, -1].sum()  # of which none is the references'
    result = lmia.attack("calibrated_distance", found, found, MEMBER)
    np.testing.assert_array_equal(result.scores, CalibratedDistance().fit(found, MEMBER).score(found))
    with pytest.raises(ValueError, match="^references: expected none with random_inputs"):
        lmia.search_boundary(model, inputs, classes, 60, random_inputs=3, references=[other])
    plain = lmia.search_boundary(model, inputs, classes, 60, progress=False)
    with pytest.raises(ValueError, match="^reference_distance: expected how far each point is"):
        lmia.attack("calibrated_distance", plain, plain, MEMBER)


def test_random_inputs_give_a_threshold_that_no_shadow_decides():
    """Of the half-spaces beside x = 1/2, distances of uniform inputs are uniform in [0, 1/2]."""
    inputs, classes = np.random.default_rng(0).random((40, 2)), np.zeros(40, int)
    model = lmia.Model(lambda x: (x[:, 0] > 0.5).astype(int), 2)
    plain = lmia.search_boundary(model, inputs, classes, 60, seed=1, progress=False)
    asked = model.queries
    found = lmia.search_boundary(model, inputs, classes, 60, seed=1, random_inputs=100, progress=False)
    np.testing.assert_array_equal(found.distance, plain.distance)
    assert model.queries - 2 * asked == 100 + found.random_queries[:, -1].sum() <= 100 * 61
    for quantile in (0.3, 0.9):
        results = [
            lmia.attack("distance", found, shadow, MEMBER[:40], threshold="random_inputs", quantile=quantile)
            for shadow in (plain, replace(plain, distance=1 - plain.distance))
        ]
        assert results[0].threshold == results[1].threshold == pytest.approx(quantile / 2, abs=0.06)
        np.testing.assert_array_equal(results[0].scores, plain.features()[:, 0])


def test_directions_are_those_of_the_search_and_are_read_as_distances(networks):
    inputs, classes = digits(0)
    model = lmia.Model(networks[0], 10)
    options = {"levels": 16, "method": "scan"}
    found = lmia.search_directions(model, inputs, classes, ["random", "white"], seed=3, progress=False, **options)
    points = fixed_points(["random", "white"], (64,), stream(3, "directions"))
    distance, n_queries, _ = search_directions(networks[0], torch.from_numpy(inputs), classes, points, **options)
    np.testing.assert_array_equal(found.distance, distance.astype(np.float32))
    np.testing.assert_array_equal(found.n_queries, n_queries)
    assert model.queries == found.queries().sum() and found.queries().max() == 31
    result = lmia.attack("distance", found, found, MEMBER)
    np.testing.assert_array_equal(result.scores, found.features()[:, 0])
    assert len(lmia.attack("classifier", found, found, MEMBER, folds=2).scores) == N


def test_a_function_is_asked_as_the_network_that_it_calls(networks):
    inputs, classes = digits(0)

    def predict(given):
        assert given.dtype == np.float32 and given.flags.c_contiguous and given.min() >= 0 and given.max() <= 1
        with torch.no_grad():
            labels = networks[0](torch.from_numpy(given)).argmax(1).numpy().astype(np.int32)
        given[:] = 0  # what the function does to its inputs is its own affair
        return labels

    found = [
        lmia.search_boundary(lmia.Model(model, 10), inputs, classes, 60, progress=False)
        for model in (networks[0], predict)
    ]
    np.testing.assert_array_equal(found[0].distance, found[1].distance)
    np.testing.assert_array_equal(found[0].n_queries, found[1].n_queries)


def test_images_reach_a_function_in_their_shape():
    seen = []

    def predict(images):
        seen.append(images.shape)
        return (images.mean(axis=(1, 2, 3)) > 0.5).astype(np.int64)

    images = np.random.default_rng(0).random((3, 2, 8, 8))
    asked = lmia.query_labels(lmia.Model(predict, 2), images, [0, 1, 1], "translation", pixels=[1], progress=False)
    assert asked.labels.shape == (3, 5) and {shape[1:] for shape in seen} == {(2, 8, 8)}
    assert sum(shape[0] for shape in seen) == 15


@pytest.mark.parametrize("shape", [(8, 8, 1), (32, 32, 3), (3, 32, 32), (1, 8, 9), (5, 8, 8), (4, 8, 9)])
def test_axes_that_may_be_turned_are_told_in_the_words_of_the_workflow(shape):
    """Where they are read, at the line that asks, and not elsewhere."""
    inputs, classes = np.random.default_rng(0).random((2, *shape)), np.array([0, 1])
    told = [remark for remark in remarks(inputs, classes, classes, classes) if remark.startswith("images are read as")]
    model = lmia.Model(constant, 2)
    reading = [partial(lmia.query_labels, model, inputs, classes, kind, **of) for kind, of in ON_IMAGES.items()]
    reading.append(partial(lmia.search_boundary, model, inputs, classes, 40, shift_pixels=1))
    others = [partial(lmia.query_labels, model, inputs, classes, "gaussian", **NOISE), partial(model.labels, inputs)]
    others.append(partial(lmia.search_boundary, model, inputs, classes, 8))
    for ask, expected in [*((ask, told) for ask in reading), *((ask, []) for ask in others)]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ask()
        found = [(str(warning.message).split(" (of channels")[0], warning.filename) for warning in caught]
        assert found == [("inputs: " + remark.split(" (kind npz")[0], __file__) for remark in expected]


def test_several_shadows_and_a_smaller_budget(networks):
    observed = [lmia.query_labels(lmia.Model(network, 10), *digits(0), "gaussian", **NOISE) for network in networks]
    one = lmia.attack("vote", observed[0], observed[1], MEMBER)
    twice = lmia.attack("vote", observed[0], [observed[1]] * 2, [MEMBER] * 2)
    np.testing.assert_equal([twice.threshold, twice.queries], [one.threshold, one.queries])
    assert lmia.attack("vote", observed[0], observed[1], MEMBER, budget=3).queries == 3


def test_an_estimator_and_its_confidences():
    inputs, classes = digits(0)
    network = MLPClassifier([32], solver="lbfgs", random_state=0).fit(inputs[MEMBER], classes[MEMBER])
    told = lmia.Confidences(network.predict_proba(inputs), classes)
    result = lmia.attack("true_confidence", told, told, MEMBER)
    assert lmia.evaluate(result, MEMBER).loc["auc", "value"] > 0.5 and result.queries == 1


def masked(decimals, k):
    """Masks of the project, and none."""
    return {"none": lambda told: told, "rounding": rounding.Defense(decimals).mask, "top_k": top_k.Defense(k).mask} | {
        "memguard": memguard.Defense(1e-4).mask,
        "hamp": hamp.Defense(0.5, 0.1).mask,
    }


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**31),
    n_classes=st.integers(2, 200),
    sharpness=st.sampled_from([0.01, 1, 30]),
    decimals=st.integers(0, 5),
    k=st.integers(1, 3),
    kept=st.sampled_from([np.float16, np.float32, np.float64]),
    told=st.sampled_from([torch.float16, torch.bfloat16, torch.float32]),
)
def test_confidences_are_taken_under_every_mask_and_in_every_precision(
    seed, n_classes, sharpness, decimals, k, kept, told
):
    logits = torch.randn(20, n_classes, generator=torch.Generator().manual_seed(seed)) * sharpness
    for mask in masked(decimals, k).values():
        probabilities = mask(logits.to(told).softmax(dim=1).float()).numpy().astype(kept)
        observed = lmia.Confidences(probabilities, np.arange(20) % n_classes)
        scores = lmia.attack("true_confidence", observed, observed, np.arange(20) % 2 == 0).scores
        np.testing.assert_array_equal(scores, probabilities[np.arange(20), observed.classes])


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**31), n_classes=st.integers(2, 50), sharpness=st.sampled_from([0.3, 1, 30]))
def test_logits_and_scores_of_each_class_apart_are_not_taken_for_confidences(seed, n_classes, sharpness):
    logits = sharpness * np.random.default_rng(seed).standard_normal((40, n_classes))
    for given_for in (logits, 1 / (1 + np.exp(-logits)), np.exp(logits) / np.exp(logits).sum(1, keepdims=True) * 0.9):
        observed = lmia.Confidences(given_for, np.arange(40) % n_classes)
        with pytest.raises(ValueError, match="^target: probabilities: expected .*; of logits, give their softmax$"):
            lmia.attack("true_confidence", observed, observed, np.arange(40) % 2 == 0)


def test_models_trained_on_labels_of_the_target_may_be_a_users_own():
    rng, is_member, n = np.random.default_rng(0), np.arange(60) % 2 == 0, 60
    classes = rng.integers(3, size=n)
    observed = Relabelled(classes, np.where(is_member, 0.1, 2.0), classes)
    assert (lmia.attack("transfer", observed, observed, is_member).scores[is_member] == -0.1).all()
    levels = np.stack([np.where(is_member, 12, 4), np.full(n, 4), np.full(n, 5)], axis=1)[:, :, None]
    asked = {"relabelled_levels": levels, "relabelled_queries": np.full(levels.shape, 6)}
    distances = lmia.Distances(np.ones((n, 1, 1)), np.ones((n, 1, 1), int), classes, **asked)
    scores = lmia.attack("dhattack", distances, distances, is_member).scores
    assert (scores[is_member] > 0).all() and (scores[~is_member] < 0).all()


def test_the_least_budget_finds_a_distance():
    """By asking the input itself and a starting point, and by walking back to the boundary."""
    assert api.MIN_BUDGET == 2 + ECONOMICAL.halvings
    model = lmia.Model(lambda x: (x.sum(axis=1) > 1.6).astype(int), 2)
    starts = np.ones((4, 3)), np.ones(4, int)
    found = [
        lmia.search_boundary(model, X, Y * 0, budget, starts=starts, progress=False).features()[:, 0]
        for budget in (api.MIN_BUDGET, 50)
    ]
    assert np.isfinite(found).all()


def test_given_queries_are_asked_as_they_are_beside_the_inputs():
    inputs = np.random.default_rng(0).random((5, 4), np.float32)
    model = lmia.Model(lambda x: (x.sum(axis=1) > 2).astype(int), 2)
    queries = 3 * np.random.default_rng(1).random((5, 2, 4), np.float32) - 1  # beyond the box of inputs
    for crafted in (queries, torch.from_numpy(queries)):
        answers = lmia.query_labels(model, inputs, np.zeros(5, int), crafted, progress=False)
        asked = np.concatenate([inputs[:, None], queries], axis=1)
        np.testing.assert_array_equal(answers.labels, asked.sum(axis=2) > 2)
        assert answers.magnitudes.tolist() == [0, 1, 1]
    assert model.queries == 2 * 5 * 3


def test_an_attack_that_calls_all_points_the_same_is_told():
    result = AttackResult("", np.ones(4), np.inf, 1.0, np.nan, (0, 0))
    with pytest.warns(UserWarning, match="constant guess"):
        table = lmia.evaluate(result, [True, False, True, False])
    assert table["value"]["accuracy"] == 0.5
    with pytest.raises(ValueError, match="fprs: expected fractions between 0 and 1, got 1.5"):
        lmia.evaluate(result, [True, False, True, False], fprs=(1.5,))


def test_searches_of_other_budgets_are_not_asked_alike(networks):
    """Distances that few queries find are too long for a threshold of those that many do."""
    model = lmia.Model(networks[0], 10)
    few, many = (lmia.search_boundary(model, *digits(0), budget, progress=False) for budget in (40, 250))
    with pytest.raises(ValueError, match="^shadow: expected searches of as many queries .* or give budget="):
        lmia.attack("distance", many, few, MEMBER)
    lmia.attack("distance", many, few, MEMBER, budget=40)
    lmia.attack("distance", few, few, MEMBER)


def test_whoever_is_told_nobody_calls_nobody_a_member():
    """Members lie nearer, and searches around a few points of either kind found no other label."""
    is_member, distance = np.arange(8) < 4, np.array([1, 2, 3, np.inf, 4, 5, np.inf, np.inf])
    searched = lmia.Distances(distance[:, None, None], np.ones((8, 1, 1), int), np.zeros(8, int))
    result = lmia.attack("distance", searched, searched, is_member)
    assert np.isnan(result.threshold) and not (result.scores >= result.threshold).any()
    with pytest.warns(UserWarning, match="constant guess"):
        table = lmia.evaluate(result, is_member, n_resamples=40)
    assert table.loc["accuracy"].tolist() == [0.5, 0.5, 0.5] and table["value"]["recall"] == 0


def test_records_of_a_table_are_asked_as_they_are():
    """What comes out is what the pieces of the workflow make of the same records."""
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"age": draw.integers(18, 90, N), "town": draw.choice(["Ayr", "Bath"], N)})
    labels, asked = pd.Series(np.where(frame["age"] > 50, "yes", "no")), []

    def predict(records):
        assert records.columns.tolist() == ["age", "town"] and set(records["town"]) <= {"Ayr", "Bath"}
        asked.append(len(records))
        return np.where(records["age"] > 40, "yes", "no")

    table = lmia.Table.of(frame, labels)
    model = lmia.Model(predict, 2, table)
    assert model.labels(frame).tolist() == (frame["age"] > 40).tolist()
    answers = lmia.query_labels(model, frame, labels, "table", changes=[1, 2], samples=4, seed=3, progress=False)
    assert answers.labels.shape == (N, 9) and answers.magnitudes.tolist() == [0, *[1] * 4, *[2] * 4]
    assert answers.classes.tolist() == (frame["age"] > 50).tolist() and sum(asked) == model.queries == 10 * N
    copies = TableCopies([1, 2], 4, table)
    blocks = torch.cat(list(copies.blocks(torch.from_numpy(table.encode(frame)), streams(3, "table", range(N)))), 1)
    expected = table.decode(blocks.flatten(0, 1).numpy())["age"] > 40
    assert answers.labels[:, 1:].ravel().tolist() == expected.tolist()
