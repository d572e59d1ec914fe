"""Claims about two targets of four points, and verdicts of decisions by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmia import artifacts
from lmia.evaluation.claims import (
    CLAIMS,
    MARGINS,
    claim_margins,
    judge,
    judge_margins,
    load_decisions,
    read_margins,
    says,
    seed_margin,
)
from lmia.evaluation.metrics_table import COLUMNS
from lmia.evaluation.paired import Decisions, decisions

SCORED = {
    "settings": np.array(["", "budget=5"]),
    "scores": np.array([[[1, 1, 0, 0], [3, 1, 2, 0]], [[0, 1, 0, 1], [2, 3, 0, 1]]], float),
    "thresholds": np.array([[0.5, 2.0], [0.5, 1.5]]),
    "queries": np.array([[9.0, 5.0], [8.0, 4.0]]),
    "example_ids": np.array([[2, 4, 6, 8], [1, 3, 5, 7]]),
    "can_rank": np.array([True, True]),
}
IS_MEMBER = np.array([[1, 1, 0, 0], [0, 1, 1, 0]], bool)


@pytest.fixture
def side(tmp_path):
    """A function that gives a side of a claim: two blocks of one attack, of which the second has a flag."""
    same = dict.fromkeys(COLUMNS, "") | {"study": "s", "attack": "noise", "value": 0.5, "ci_low": 0.4, "ci_high": 0.6}

    def write(name, rows):
        pd.DataFrame([same | row for row in rows]).to_csv(tmp_path / name, index=False)
        return str(tmp_path / name)

    def make(setting, of_model=False):
        split = {"members": np.array([[2, 4, 99], [3, 5, 99]])}  # 99 was not asked about
        artifacts.save(tmp_path / "scores.npz", "scores", SCORED, {})
        artifacts.save(tmp_path / "split.npz", "split", split, {})
        flagged = [{"seed": seed, "metric": "accuracy", "flags": "constant guess" * (seed % 2)} for seed in range(4)]
        model = {"metric": "test_accuracy", "attack": "", "flags": "target diverged"}
        return {
            "scores": [str(tmp_path / "scores.npz")] * 2,
            "splits": [str(tmp_path / "split.npz")] * 2,
            "measures": [write("measures.csv", flagged)],
            "model_measures": [
                write("models.csv", [model | {"seed": s, "flags": "target diverged"} for s in range(4)])
            ],
            "setting": setting,
            "of_model": of_model,
        }

    return make


CHANCE = {"scores": [], "splits": [], "measures": [], "model_measures": [], "setting": "", "of_model": False}


def test_decisions_are_of_all_blocks(side):
    found = load_decisions(side("budget=5"))
    expected = list(decisions(SCORED, IS_MEMBER, "budget=5")) * 2
    assert [one.is_called.tolist() for one in found] == [one.is_called.tolist() for one in expected]
    assert load_decisions(CHANCE) == []


def judged(*claims):
    """The rows of CLAIMS of some claims on four seeds."""
    claims = [claim | {"seeds": [0, 1, 2, 3]} for claim in claims]
    margins = claim_margins(claims, "figure_1", 50)
    assert margins.columns.tolist() == MARGINS and margins["seed"].tolist() == [0, 1, 2, 3] * len(claims)
    table = judge_margins(margins, claims)
    assert table.columns.tolist() == CLAIMS and set(table["artifact"]) == {"figure_1"}
    return table


def test_a_claim_over_chance_has_its_margin_verdict_and_flags(side):
    over = {"claim": "is better", "metric": "accuracy", "bounds": (10, None), "sides": [side(""), CHANCE]}
    near = {"claim": "is no better", "metric": "auc", "bounds": (-1, 1), "sides": [side("")] * 2}
    table = judged(over, near)
    assert table["claim"].tolist() == ["is better", "is no better"] and table["metric"].tolist() == ["accuracy", "auc"]
    # balanced accuracies of the two seeds are 1 and 1/2: 25 points over chance
    assert table["margin"].tolist() == [25, 0] and table["seeds"].tolist() == [4, 4]
    assert table["verdict"].tolist() == ["not resolvable", "by construction"]
    assert table["queries"].tolist() == [8.5, 8.5] and table["against_queries"].tolist()[1] == 8.5
    assert table["flags"].tolist() == ["target diverged (4 of 4); constant guess (2 of 4)"] * 2


def test_margins_of_seeds_that_were_run_apart_are_judged_as_all_at_once(tmp_path, side):
    """What is kept of each seed is all that a verdict needs."""
    claim = {"claim": "is better", "metric": "accuracy", "bounds": (10, None), "sides": [side("budget=5"), side("")]}
    claim["seeds"] = [0, 1, 2, 3]
    margins = claim_margins([claim], "figure_1", 50)
    for name, seeds in (("a.csv", [0, 3]), ("b.csv", [1, 2])):
        margins[margins["seed"].isin(seeds)].to_csv(tmp_path / name, index=False)
    joined = pd.concat([read_margins(tmp_path / name) for name in ("a.csv", "b.csv")])
    pd.testing.assert_frame_equal(judge_margins(joined, [claim]), judge_margins(margins, [claim]))


@settings(deadline=None, max_examples=30)
@given(order=st.permutations(range(6)), numbers=st.lists(st.floats(-50, 50), min_size=6, max_size=6))
def test_seeds_in_any_order_change_no_number_of_a_claim(order, numbers):
    claim = {"claim": "is better", "metric": "accuracy"}
    margins = pd.DataFrame({"seed": range(6), "margin": numbers, "flags": ["a", "b"] * 3}).assign(
        artifact="figure_1", finding="", queries=np.divide(numbers, 3), against_queries=1.0, **claim
    )
    margins = margins.assign(ci_low=margins["margin"] - 2, ci_high=margins["margin"] + 2)[MARGINS]
    judged = [judge_margins(of, [claim | {"bounds": (10, None)}]) for of in (margins, margins.iloc[order])]
    pd.testing.assert_frame_equal(*judged, check_exact=True)


def test_flags_of_a_model_are_its_own(side):
    of_model = side("", of_model=True)
    claim = {"claim": "tests well", "metric": "accuracy", "bounds": (0, None), "sides": [of_model, CHANCE]}
    row = judged(claim).iloc[0]
    assert row["flags"] == "target diverged (4 of 4)"
    assert row["margin"] == -25  # right on none and on half of the non-members of the two seeds


def decided(*right, ids=0, scores=None, can_rank=True):
    """Members first, non-members second, as many of each; 10 queries."""
    is_member = np.arange(len(right)) < len(right) // 2
    is_called = np.array(right, bool) == is_member
    scores = is_called.astype(float) if scores is None else np.array(scores, float)
    return Decisions(scores, is_called, is_member, ids + np.arange(len(right)), 10.0, can_rank)


ABOVE, WITHIN = (0, None), (-1, 1)


@pytest.mark.parametrize(
    "bounds, low, high, verdict",
    [
        (ABOVE, 0.1, 9, "holds"),
        (ABOVE, -9, -0.1, "fails"),
        (ABOVE, 0, 0, "not resolvable"),  # no larger: an attack that is another one is not above it
        (ABOVE, -1, 1, "not resolvable"),
        ((-1, None), 0, 0, "holds"),
        ((3, None), 2, 4, "not resolvable"),
        (WITHIN, -1, 1, "holds"),
        (WITHIN, -1, 1.1, "not resolvable"),
        (WITHIN, 1.1, 2, "fails"),
        (WITHIN, -2, -1.1, "fails"),
        (WITHIN, -5, 5, "not resolvable"),
        ((2, 5), 2.5, 4, "holds"),
        ((2, 5), 0, 1, "fails"),
        ((2, 5), 1, 3, "not resolvable"),
    ],
)
def test_an_interval_decides_only_where_all_of_it_says_so(bounds, low, high, verdict):
    assert says(bounds, low, high) == verdict


CONSTANT = decided(1, 1, 0, 0)
GOOD, BAD = decided(*[1] * 59, 0, *[1] * 60), decided(*[1, 0] * 30, *[1, 0] * 30)  # 49 points apart


def judge_claim(left, right, bounds=ABOVE, metric="accuracy", flagged="", resamples=200):
    """One claim about several seeds, right may be empty."""
    pairs = zip(left, right or [None] * len(left), strict=True)
    rows = [seed_margin(one, other, resamples, metric, flagged) for one, other in pairs]
    return judge(pd.DataFrame(rows), bounds)


def verdict(left, right, bounds=ABOVE, metric="accuracy", flagged="", n=3):
    return judge_claim([left] * n, [right] * n if right else [], bounds, metric, flagged)["verdict"]


def test_seeds_that_differ_clearly_have_a_verdict():
    assert verdict(GOOD, BAD) == "holds" and verdict(BAD, GOOD) == "fails"
    assert verdict(GOOD, BAD, (40, None)) == verdict(GOOD, BAD, (-60, 60)) == "holds"
    assert verdict(GOOD, BAD, metric="auc") == "holds" and verdict(GOOD, BAD, n=2) == "holds"
    row = judge_claim([GOOD] * 3, [BAD] * 3)
    assert row["seeds"] == 3 and row["queries"] == row["against_queries"] == 10 and row["flags"] == ""


def test_one_seed_is_one_model_pair_whatever_its_interval():
    for sides in ((GOOD, BAD), (BAD, GOOD), (GOOD, None)):
        row = judge_claim([sides[0]], [sides[1]] if sides[1] else [])
        assert row["verdict"] == "one model pair" and row["ci_low"] < row["margin"] < row["ci_high"]


def test_what_no_model_can_change_is_by_construction():
    for n in (1, 3):
        assert verdict(CONSTANT, None, WITHIN, n=n) == "by construction"  # 50 % against 50 %
        assert verdict(CONSTANT, decided(0, 0, 1, 1), WITHIN, n=n) == "by construction"
        assert verdict(GOOD, GOOD, (0, 0), n=n) == verdict(GOOD, GOOD, (0, 0), "auc", n=n) == "by construction"
    assert verdict(GOOD, decided(*[1] * 59, 0, *[1] * 60, ids=999), (-40, 40)) == "holds"  # alike, of other points
    again = decided(*[1] * 59, 0, *[1] * 60, scores=np.r_[np.full(59, 2), 0, np.ones(60)])
    assert verdict(GOOD, again, (0, 0)) == "by construction" != verdict(GOOD, again, (0, 0), "auc")
    assert verdict(GOOD, GOOD) == "not resolvable"  # and no claim fails by construction
    mixed = judge_claim([GOOD, GOOD, BAD], [GOOD] * 3, (-60, 60))
    assert mixed["verdict"] == "not resolvable"  # one seed that differs makes it a measurement, of a wide interval


def test_attacks_that_failed_decide_no_claim():
    """By accuracy, which a constant guess has whatever it is of; scores may still rank."""
    assert verdict(GOOD, CONSTANT_OF_MANY) == verdict(CONSTANT_OF_MANY, GOOD) == "not resolvable"
    assert verdict(GOOD, CONSTANT_OF_MANY, metric="auc") == "holds"
    for flag in ("shadow at chance", "shadow constant", "x; shadow diverged"):
        assert verdict(GOOD, BAD, flagged=flag) == "not resolvable"
    for flag in ("target at chance; 9 of 10 searches censored", "shadow memorized its members"):
        assert verdict(GOOD, BAD, flagged=flag) == "holds"


def test_intervals_of_margins_stay_within_what_a_share_can_differ_by():
    right, wrong = decided(*[1] * 60, *[1] * 59, 0), decided(*[0] * 60, *[0] * 59, 1)
    rows = [seed_margin(*sides, 200) for sides in ((right, wrong), (right, BAD))]
    row = judge(pd.DataFrame(rows), ABOVE)
    assert -100 <= row["ci_low"] < 70 < row["margin"] < row["ci_high"] == 100
    row = judge(pd.DataFrame([seed_margin(*sides, 200) for sides in ((wrong, right), (BAD, right))]), ABOVE)
    assert -100 == row["ci_low"] < row["margin"] < -70 < row["ci_high"]


CONSTANT_OF_MANY = decided(*[1] * 60, *[0] * 60)


def test_ranks_that_are_not_there_are_named():
    unranked = decided(*[1] * 59, 0, *[1] * 60, can_rank=False)
    row = judge_claim([unranked] * 3, [BAD] * 3, ABOVE, "auc", "a flag")
    assert row["verdict"] == "not resolvable" and np.isnan([row["margin"], row["ci_low"], row["ci_high"]]).all()
    assert row["flags"] == "a flag (3 of 3); decides without ranking (3 of 3)"
    assert verdict(unranked, BAD) == "holds"


def test_rates_of_few_false_alarms_decide_no_claim():
    """Of 60 non-members, below all members or above."""
    high, low = (decided(*[1] * 120, scores=sign * np.arange(120)) for sign in (-1, 1))
    for rate, flag in ((0.15, "9 false alarms allowed"), (0.01, "0 false alarms allowed"), (0.2, "")):
        row = judge_claim([high] * 3, [low] * 3, ABOVE, f"tpr_at_{rate}_fpr")
        assert row["verdict"] == ("not resolvable" if flag else "holds")
        assert row["flags"] == (f"{flag} (3 of 3)" if flag else "")


def test_rates_of_attacks_that_only_decide_decide_no_claim():
    """At a tenth of 120 non-members; half of all points are called members, and a fifth of these rightly."""
    high = decided(*[1] * 240, scores=-np.arange(240))
    row = judge_claim([high] * 3, [decided(*[1, 0] * 60, *[0] * 60, *[1] * 60)] * 3, ABOVE, "tpr_at_0.1_fpr")
    assert (row["margin"], row["verdict"], row["flags"]) == (100, "not resolvable", "120 tied at the top (3 of 3)")
