"""Mistakes with the functions of `import lmia`: each ends in words that say what was expected."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

import lmia
from lmia.attacks.scoring import AttackResult
from tests.api_inputs import ANSWERS, DISTANCES, HALF, NOISY, SURE, X, Y, constant


class Wrapped(torch.nn.Module):
    """Answers with more than its logits."""

    def forward(self, inputs):
        return {"logits": inputs}


@pytest.mark.parametrize(
    "ask, message",
    [
        (lambda model: lmia.query_labels(constant, X, Y), "expected an lmia.Model, got function; wrap it"),
        (lambda model: lmia.query_labels(model, X[0], Y), r"inputs: expected shape .* got \(3,\)"),
        (
            lambda model: lmia.query_labels(model, X[:0], Y[:0]),
            "^inputs: expected at least one, got none; look",
        ),
        (lambda model: model.labels([]), "^inputs: expected at least one, got none"),
        (lambda model: lmia.query_labels(model, X[:, :0], Y), r"^inputs: expected shape .* got \(4, 0\)$"),
        (lambda model: lmia.search_boundary(model, X, Y, starts=(X[:0], Y[:0])), "^starts: inputs: expected at least"),
        (lambda model: lmia.search_boundary(model, X, Y, starts=(X, Y[:2])), "^starts: classes: expected integers of"),
        (lambda model: lmia.search_boundary(model, X, Y, starts=(X, Y + 1)), "^starts: classes: expected classes from"),
        (lambda model: lmia.query_labels(model, X * 255, Y), r"values in \[0, 1\], got 127.5 to 127.5; scale them"),
        (lambda model: lmia.query_labels(model, X * np.nan, Y), r"values in \[0, 1\], got nan"),
        (lambda model: lmia.query_labels(model, X, Y[:3]), r"classes: expected integers of shape \(4,\)"),
        (lambda model: lmia.query_labels(model, X, Y / 2), "classes: expected integers .* got float64"),
        (lambda model: lmia.query_labels(model, X, Y + 1), "classes: expected classes from 0 to 1, got 1 to 2"),
        (lambda model: lmia.query_labels(model, X, Y - 1), "classes: expected classes from 0 to 1, got -1 to 0"),
        (lambda model: lmia.query_labels(model, X, Y, "blur"), "blur: expected one of original, rotation"),
        (
            lambda model: lmia.query_labels(model, X, Y, "gaussian"),
            r"gaussian: missing .*'sigmas'.*\(sigmas, samples\)",
        ),
        (
            lambda model: lmia.query_labels(model, X, Y, "gaussian", sigmas=0.1, samples=1),
            r"^gaussian: sigmas: expected a list of at least one, each different and each a number above 0, got 0.1$",
        ),
        (
            lambda model: lmia.query_labels(model, X, Y, "os.path"),
            "^os.path: expected a module with a class Perturbation, got one without; see docs/how-to/extend.md$",
        ),
        (lambda model: lmia.Model(constant, 10.0), "^n_classes: expected a whole number, got 10.0$"),
        (lambda model: lmia.search_boundary(model, X, Y, "50"), "^budget: expected a whole number, got '50'$"),
        (
            lambda model: lmia.attack("gap", ANSWERS, ANSWERS, HALF, budget=3.7),
            "^budget: expected a whole number, got 3.7$",
        ),
        (lambda model: lmia.query_labels(model, X, Y, "original", sigmas=[1]), "original: got an unexpected keyword"),
        (lambda model: lmia.query_labels(model, X, Y, "rotation", degrees=[1]), "expected images"),
        (lambda model: lmia.search_boundary(model, X, Y, 7), "budget: expected at least 8 queries per input"),
        (lambda model: lmia.search_boundary(model, X, Y, 39, shift_pixels=1), "budget: expected at least 40"),
        (lambda model: lmia.search_boundary(model, X, Y, shift_pixels=-1), "shift_pixels: expected 0 .* got -1"),
        (lambda model: lmia.search_boundary(model, X, Y, random_inputs=-1), "random_inputs: expected 0 .* got -1 with"),
        (
            lambda model: lmia.search_boundary(model, X, Y, shift_pixels=1, random_inputs=9),
            "random_inputs: .* without shift_pixels, got 9 with shift_pixels 1",
        ),
        (lambda model: lmia.search_boundary(model, X, Y, seed=-1), "seed: expected an integer from 0, got -1"),
        (lambda model: lmia.search_directions(model, X, Y, ["grey"]), r"directions: expected .* got \['grey'\]"),
        (
            lambda model: lmia.search_directions(model, X, Y, levels=20),
            "levels: expected a power of two from 2, got 20",
        ),
        (lambda model: lmia.search_directions(model, X, Y, method="walk"), "method: expected one of bisection, scan"),
        (lambda model: lmia.search_directions(model, X * 3, Y), r"inputs: expected values in \[0, 1\]"),
        (lambda model: lmia.search_directions(model, X, Y, seed=-1), "seed: expected an integer from 0, got -1"),
        (lambda model: lmia.query_labels(model, X, Y, seed=0.5), "seed: expected an integer from 0, got 0.5"),
        (lambda model: lmia.search_boundary(model, X, Y, starts=(X[:, :2], Y)), r"starts: expected .*\(m, 3\)"),
        (lambda model: lmia.Model(object(), 2), "predict: expected a torch.nn.Module or a function"),
        (lambda model: lmia.Model(constant, 1), "n_classes: expected at least 2, got 1"),
        (lambda model: lmia.Model(lambda x: x, 2).labels(X), r"predict: expected integer labels of shape \(4,\), got"),
        (lambda model: lmia.Model(lambda x: ["a"] * len(x), 2).labels(X), "predict: expected integer labels"),
        (lambda model: lmia.Model(lambda x: Y + 1, 2).labels(X), "predict: expected classes from 0 to 1, got 1 to 2"),
        (lambda model: lmia.Model(torch.nn.Identity(), 2).labels(X), r"expected logits of shape \(4, 2\)"),
        (lambda model: lmia.Model(Wrapped(), 2).labels(X), r"expected logits of shape \(4, 2\) for 4 inputs, got dict"),
        (lambda model: lmia.attack("votes", ANSWERS, ANSWERS, HALF), "votes: expected one of gap, vote"),
        (
            lambda model: lmia.attack("gap", DISTANCES, DISTANCES, HALF),
            "gap reads labels .lmia.query_labels., got Dist",
        ),
        (
            lambda model: lmia.attack("distance", ANSWERS, ANSWERS, HALF),
            "distance reads distances or white_box .lmia.s",
        ),
        (lambda model: lmia.attack("gap", ANSWERS, DISTANCES, HALF), "shadow: expected Answers like the target's"),
        (
            lambda model: lmia.attack("vote", ANSWERS, NOISY, HALF),
            "shadow: expected magnitudes 0 like the target's, got 0, 0.1;",
        ),
        (
            lambda model: lmia.attack("transfer", ANSWERS, ANSWERS, HALF),
            "target: transfer reads relabelled .lmia.attacks.observations.Relabelled., got Answers$",
        ),
        (
            lambda model: lmia.attack("gap", replace(ANSWERS, labels=Y), ANSWERS, HALF),
            r"^target: labels: expected integers of shape \(4, q\), got int64 of shape \(4,\); .* labels\[:, None\]$",
        ),
        (
            lambda model: lmia.attack("gap", ANSWERS, replace(ANSWERS, labels=ANSWERS.labels / 2), HALF),
            r"^shadow: labels: expected integers of shape \(4, q\), got float64 of shape \(4, 1\)$",
        ),
        (
            lambda model: lmia.attack("vote", replace(NOISY, magnitudes=X[0]), NOISY, HALF),
            r"magnitudes: .*\(2,\), got f",
        ),
        (
            lambda model: lmia.attack("distance", lmia.Distances(X[:, 0], Y, Y), DISTANCES, HALF),
            r"^target: distance: expected numbers of shape \(4, copies, t\), got .* give distance\[:, None, None\]$",
        ),
        (
            lambda model: lmia.attack("distance", replace(DISTANCES, n_queries=Y[:, None, None] / 2), DISTANCES, HALF),
            r"^target: n_queries: expected integers of shape \(4, 1, 1\), got float64",
        ),
        (
            lambda model: lmia.attack(
                "distance", DISTANCES, replace(DISTANCES, distance=np.full((4, 1, 1), np.nan)), HALF
            ),
            "^shadow: distance: expected distances, infinite where no other label was found, got nan$",
        ),
        (
            lambda model: lmia.attack("max_confidence", replace(SURE, probabilities=X[:, :1] * 2), SURE, HALF),
            "^target: classes: expected classes from 0 to 0, got 0 to 1",
        ),
        (
            lambda model: lmia.attack("max_confidence", replace(SURE, probabilities=X), SURE, HALF),
            "^target: probabilities: expected rows that sum to 1, .* got 1.5 in row 0; of logits, give",
        ),
        (
            lambda model: lmia.attack("max_confidence", SURE, replace(SURE, probabilities=X[:, :2] * 0), HALF),
            "^shadow: probabilities: expected rows that sum to 1, .* got 0 in row 0; of logits, give",
        ),
        (
            lambda model: lmia.attack("max_confidence", replace(SURE, probabilities=X * np.nan), SURE, HALF),
            "^target: probabilities: expected numbers from 0 to 1, got nan to nan",
        ),
        (
            lambda model: lmia.attack_pool("lira", [replace(NOISY, labels=Y)] * 6, lmia.draw_pool(4, 6)),
            "^observed: labels: expected integers of shape",
        ),
        (lambda model: lmia.attack("gap", ANSWERS, ANSWERS, Y), "shadow_is_member: expected bools .* got int64"),
        (lambda model: lmia.attack("gap", ANSWERS, ANSWERS, HALF[:3]), r"expected bools of shape \(4,\)"),
        (lambda model: lmia.attack("gap", ANSWERS, ANSWERS, Y < 2), "expected members and non-members"),
        (lambda model: lmia.attack("gap", ANSWERS, [ANSWERS], [HALF, HALF]), "an array for each of 1 shadows, got 2"),
        (lambda model: lmia.attack("gap", ANSWERS, ANSWERS, HALF, budget=0), "budget: expected at least 1 query"),
        (
            lambda model: lmia.evaluate(lmia.attack("gap", ANSWERS, ANSWERS, HALF), HALF[:3]),
            "is_member: expected bools",
        ),
    ],
)
def test_bad_input_is_refused_in_words(ask, message):
    model = lmia.Model(constant, 2)
    with pytest.raises((ValueError, TypeError), match=message):
        ask(model)
    assert model.queries in (0, 4)  # only those that the model has answered


@pytest.mark.parametrize(
    "queries, options, message",
    [
        (np.zeros((5, 4)), {}, r"^queries: expected shape \(5, q, 4\), q for each input, got \(5, 4\)$"),
        (np.zeros((4, 2, 4)), {}, r"^queries: expected shape \(5, q, 4\), q for each input, got \(4, 2, 4\)$"),
        (np.zeros((5, 2, 3)), {}, r"^queries: expected shape \(5, q, 4\), q for each input, got \(5, 2, 3\)$"),
        (np.zeros((5, 0, 4)), {}, "^queries: expected at least one for each input, of finite numbers$"),
        (
            np.zeros((5, 1, 4), complex),
            {},
            "^queries: expected a perturbation's name, or an array of plain numbers, got c",
        ),
        (torch.zeros((5, 1, 4), dtype=torch.complex64), {}, "^queries: expected plain numbers, got torch.complex64$"),
        ([["a"]], {}, "^queries: expected a perturbation's name, or an array of plain numbers, got <U1$"),
        (np.full((5, 1, 4), np.nan), {}, "^queries: expected at least one for each input, of finite numbers$"),
        (np.zeros((5, 1, 4)), {"steps": 3}, "^steps: queries that are given have no options; give them where you make"),
    ],
)
def test_queries_that_do_not_fit_their_inputs(queries, options, message):
    model = lmia.Model(constant, 2)
    with pytest.raises(ValueError, match=message):
        lmia.query_labels(model, np.zeros((5, 4)), np.zeros(5, int), queries, progress=False, **options)
    assert model.queries == 0


@pytest.mark.parametrize(
    "options, message",
    [
        ({"fprs": 0.01}, "fprs: expected a list of fractions between 0 and 1, got 0.01"),
        ({"fprs": ["0.01"]}, "fprs: expected fractions between 0 and 1, got 0.01"),
        ({"n_resamples": 1}, "n_resamples: expected an integer from 40, got 1"),
        ({"n_resamples": 99.5}, "n_resamples: expected an integer from 40, got 99.5"),
    ],
)
def test_intervals_that_cannot_be_made(options, message):
    result = AttackResult("", np.arange(4.0), 2.0, 1.0, np.nan, (0, 0))
    with pytest.raises(ValueError, match=message):
        lmia.evaluate(result, [True, False, True, False], **options)


def test_scores_are_no_result():
    with pytest.raises(TypeError, match="result: expected what lmia.attack gave, got ndarray; .* lmia.evaluate_pool"):
        lmia.evaluate(np.arange(4.0), [True, False, True, False])


def test_a_model_without_numbers_is_no_model_that_is_always_wrong():
    network = torch.nn.Linear(4, 2)
    torch.nn.init.constant_(network.bias, torch.nan)
    with pytest.raises(ValueError, match="^model: expected logits, got nan; are inputs scaled as in training"):
        lmia.query_labels(lmia.Model(network, 2), np.zeros((5, 4)), np.zeros(5, int), progress=False)


@pytest.mark.parametrize(
    "references, message",
    [
        (torch.nn.Sequential(torch.nn.Linear(4, 2)), "expected a list of networks, got Sequential"),
        ([lambda inputs: inputs], "expected networks, as searches start by their gradients, got function"),
        ([torch.nn.Linear(4, 3)], r"expected finite logits of shape \(1, 2\) for one input, got shape \(1, 3\)"),
    ],
)
def test_references_that_are_none(references, message):
    model = lmia.Model(constant, 2)
    with pytest.raises(ValueError, match=f"^references: {message}"):
        lmia.search_boundary(model, np.zeros((5, 4)), np.zeros(5, int), references=references, progress=False)
    assert model.queries == 0


def test_starts_without_classes():
    model = lmia.Model(constant, 2)
    with pytest.raises(ValueError, match=r"^starts: expected \(inputs, classes\), got ndarray"):
        lmia.search_boundary(model, np.zeros((5, 4)), np.zeros(5, int), starts=np.zeros((2, 4)), progress=False)


def test_records_and_numbers_are_not_taken_for_each_other():
    frame, labels = pd.DataFrame({"age": [1, 2]}), ["no", "yes"]
    model = lmia.Model(lambda records: ["no"] * len(records), 2, lmia.Table.of(frame, pd.Series(labels)))
    for call, message in (
        (lambda: model.labels([[0.5]]), "inputs: expected a data frame of records, as its table is, got list"),
        (lambda: lmia.Model(len, 2).labels(frame), "inputs: expected arrays, or a model with a table, got DataFrame"),
        (lambda: lmia.search_boundary(model, frame, labels), "there is no distance between records; ask about others"),
        (lambda: lmia.search_directions(model, frame, labels), "there is no distance between records; ask about"),
        (lambda: model.labels(frame[:0]), "inputs: expected at least one, got none"),
        (lambda: model.labels(frame[[]]), "expected a column age, got "),
        (lambda: lmia.Model(torch.nn.Linear(1, 2), 2, model.table), "a network takes numbers, and the data set has"),
    ):
        with pytest.raises(ValueError, match=f"^{message}"):
            call()
