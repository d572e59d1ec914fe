"""Pools in a notebook: what the pieces give, what the page prints, and what is refused."""

import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import lmia
from lmia.attacks.observations import Answers, Confidences, Distances
from lmia.calibration import lira, rmia
from lmia.calibration.pools import leave_one_out
from lmia.evaluation import pooled
from tests.api_examples import read_example

POOL = lmia.draw_pool(30, 8, seed=1)
RNG = np.random.default_rng(0)
DISTANCES = [
    Distances(RNG.lognormal(size=(30, 1, 1)) + row[:, None, None], np.ones((30, 1, 1), int), np.zeros(30, int))
    for row in POOL
]
SHOWN = [RNG.dirichlet(np.ones(3), 30) for _ in POOL]
CONFIDENCES = [
    Confidences(shown, np.zeros(30, int), population=others)
    for shown, others in zip(SHOWN, RNG.standard_normal((8, 9)), strict=True)
]
LABELS = [Answers((RNG.random((30, 3)) < 0.4).astype(int), np.zeros(30, int), np.array([0.0, 1, 1])) for _ in POOL]


def test_pools_are_pairs_of_fair_coins_and_grow():
    pool, more = lmia.draw_pool(4000, 6), lmia.draw_pool(4000, 10)
    assert pool.shape == (6, 4000) and (pool[::2] != pool[1::2]).all() and (more[:6] == pool).all()
    assert abs(pool.mean(axis=1) - 0.5).max() < 0.03
    both = pool[::2].astype(float)
    assert abs(np.corrcoef(both)[np.triu_indices(3, 1)]).max() < 0.06  # pairs know nothing of each other
    assert (lmia.draw_pool(4000, 6, seed=1) != pool).mean() > 0.4


def test_calibrated_scores_are_those_of_the_pieces():
    scores = lmia.attack_pool("lira", DISTANCES, POOL, shadows=4, variance="student")
    expected = leave_one_out(lira.Calibration(variance="student").score, DISTANCES, POOL, 4)
    np.testing.assert_array_equal(scores, expected)
    for kind in ("difference", "logistic"):
        assert lmia.attack_pool(kind, LABELS, POOL).shape == (8, 30)


def test_references_that_read_confidences_run_with_probabilities_alone():
    scores = lmia.attack_pool("rmia", CONFIDENCES, POOL, online=False, a=0.5)
    expected = leave_one_out(rmia.Calibration(online=False, a=0.5).score, CONFIDENCES, POOL)
    np.testing.assert_array_equal(scores, expected)
    for kind in ("attack_p", "attack_r", "lira"):
        assert lmia.attack_pool(kind, CONFIDENCES, POOL).shape == (8, 30)


def test_other_attacks_run_with_the_points_of_all_shadows():
    scores = lmia.attack_pool("distance", DISTANCES, POOL)
    np.testing.assert_array_equal(scores, [of.distance[:, 0, 0] for of in DISTANCES])
    target = lmia.attack("classifier", LABELS[0], LABELS[2:], list(POOL[2:]), folds=2)
    np.testing.assert_array_equal(lmia.attack_pool("classifier", LABELS, POOL, folds=2)[0], target.scores)


def test_a_calibration_of_ones_own_is_found_by_its_dotted_path(tmp_path, monkeypatch):
    (tmp_path / "median").mkdir()
    (tmp_path / "median/rule.py").write_text(
        "import numpy as np\nfrom lmia.calibration.signals import signals\n\n\nclass Calibration:\n"
        '    reads = ("distances",)\n\n    def score(self, target, shadows, is_member):\n'
        "        one, others = signals(target, shadows)\n"
        "        return (one - np.median(others, axis=0)).mean(axis=1)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    scores = lmia.attack_pool("median.rule", DISTANCES, POOL)
    values = np.log([of.distance[:, 0, 0] for of in DISTANCES])
    np.testing.assert_allclose(scores[0], values[0] - np.median(values[2:], axis=0), atol=1e-5)


def test_metrics_and_differences_are_those_of_the_pool():
    one, other = (lmia.attack_pool(kind, DISTANCES, POOL) for kind in ("lira", "distance"))
    table = lmia.evaluate_pool(one, POOL, fprs=[0.1, 0.01], n_resamples=50, seed=3)
    found = pooled.measure(one, POOL, [0.1, 0.01], 50, 3)
    assert table["value"].to_dict() == {name: measured.value for name, measured in found.items()}
    assert tuple(table.loc["auc", ["value", "ci_low", "ci_high"]]) == found["auc"].interval()
    assert table["flags"].tolist() == ["", "", "1 false alarms allowed"]
    both = lmia.evaluate_pool(one, POOL, against=other, fprs=[0.1], n_resamples=50, seed=3)
    expected = found["auc"].value - pooled.measure(other, POOL, [0.1], 50, 3)["auc"].value
    assert both["value"]["auc"] == pytest.approx(expected)


def test_intervals_of_rates_are_rates():
    scores = np.where(POOL, 1.0, 0) + RNG.random(POOL.shape) * 1.1
    table = lmia.evaluate_pool(scores, POOL, fprs=[0.01], n_resamples=50)
    assert table[["ci_low", "ci_high"]].to_numpy().min() >= 0 and table["ci_high"].max() <= 1


BAD = [
    (partial(lmia.draw_pool, 10, 5), "n_models: expected an even number from 6, got 5"),
    (partial(lmia.draw_pool, 10, 4), "n_models: expected an even number from 6, got 4"),
    (partial(lmia.draw_pool, 1, 6), "n: expected at least 2 points, got 1"),
    (partial(lmia.draw_pool, 10, 6, seed=-1), "seed: expected an integer from 0, got -1"),
    (partial(lmia.attack_pool, "lira", DISTANCES, POOL[0]), r"is_member: expected bools of shape \(K, n\)"),
    (partial(lmia.attack_pool, "lira", DISTANCES, POOL[::-1][1:7]), "models 2p and 2p . 1 to be trained on opposite"),
    (partial(lmia.attack_pool, "lira", DISTANCES[1:], POOL), "observed: expected answers of each of 8 models, got 7"),
    (partial(lmia.attack_pool, "lira", DISTANCES, POOL[:, 1:]), "observed: expected answers about 29 points, got 30"),
    (
        partial(lmia.attack_pool, "lira", DISTANCES, POOL, shadows=3),
        "shadows: expected an even number up to 6, got 3",
    ),
    (partial(lmia.attack_pool, "lira", DISTANCES[:7] + LABELS[:1], POOL), "expected Distances like the target's"),
    (
        partial(lmia.attack_pool, "lira", [*DISTANCES[:7], replace(DISTANCES[7], classes=np.ones(30, int))], POOL),
        "observed: expected the same points in the same order, got other classes of model 7 than of 0",
    ),
    (partial(lmia.draw_pool, 10.0, 6), "n: expected .*, got 10.0"),
    (partial(lmia.attack_pool, "logistic", DISTANCES, POOL), "observed: logistic reads labels .*, got Distances"),
    (partial(lmia.attack_pool, "rmia", DISTANCES, POOL), r"rmia reads confidences \(lmia.Confidences\), got Distances"),
    (
        partial(lmia.attack_pool, "rmia", [lmia.Confidences(shown, np.zeros(30, int)) for shown in SHOWN], POOL),
        "got none; set population: of the query set, or give lmia.Confidences its population",
    ),
    (partial(lmia.attack_pool, "lyra", DISTANCES, POOL), "lyra: expected one of .*lira"),
    (partial(lmia.attack_pool, "gone.lyra", DISTANCES, POOL), "gone.lyra: there is no module gone"),
    (partial(lmia.attack_pool, "lira", DISTANCES, POOL, online=1, of=2), "lira: .*its options are"),
    (partial(lmia.evaluate_pool, np.zeros((8, 29)), POOL), r"scores: expected numbers of shape \(8, 30\)"),
    (
        partial(lmia.evaluate_pool, np.full((8, 30), np.nan), POOL),
        "scores: expected numbers, got nan, first under model 0",
    ),
    (partial(lmia.evaluate_pool, np.zeros((8, 30)), POOL, against=np.zeros(8)), "against: expected numbers of shape"),
    (partial(lmia.evaluate_pool, np.zeros((8, 30)), POOL, fprs=[1]), "fprs: expected fractions between 0 and 1, got 1"),
]


@pytest.mark.parametrize("call, message", BAD)
def test_bad_input_is_refused_in_words(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_example_prints_what_the_page_says():
    """But for last digits, in which processors differ; calibration finds at least twice as many."""
    names, printed, told = read_example("lmia.attack_pool(")
    number = r"\d+(?:\.\d+)?"
    assert re.sub(number, "#", printed) == re.sub(number, "#", told)
    plain, calibrated = (float(line.split()[2].strip(",")) for line in printed.splitlines())
    assert calibrated > 2 * plain
    np.testing.assert_allclose(*(list(map(float, re.findall(number, text))) for text in (printed, told)), atol=0.05)
