"""A ROC shows rates that an attack can reach, and how sure they are."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import PolyCollection

from lmia.evaluation import metrics
from lmia.figures import roc

rates = st.integers(0, 10).map(lambda tenths: tenths / 10)


@given(st.lists(st.tuples(rates, rates), max_size=8).map(sorted))
def test_a_concave_hull_is_the_least_above_all_points(points):
    x, y = np.array(points).reshape(-1, 2).T
    hull_x, hull_y = roc.concave_hull(x, y)
    assert (hull_x[0], hull_x[-1], hull_y[-1]) == (0, 1, 1) and np.all(np.diff(hull_x) > 0)
    slopes = np.diff(hull_y) / np.diff(hull_x)
    assert np.all(np.diff(slopes) < 0)
    assert np.all(np.interp(x, hull_x, hull_y) >= y - 1e-12)
    assert set(zip(hull_x, hull_y, strict=True)) <= {(0.0, 0.0), (1.0, 1.0), *points}


def seeds_of(draw, n_scores):
    """Scores of 2 x 30 points under one to three models, of so many values, the highest of which many may share."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    is_member = np.arange(60) < 30
    top = draw(st.integers(1, n_scores))
    n_seeds = draw(st.integers(1, 3))
    return [(rng.integers(n_scores + is_member).clip(max=top).astype(float), is_member) for _ in range(n_seeds)]


@settings(deadline=None, max_examples=25)
@given(st.data(), st.sampled_from([2, 5, 60]))
def test_no_rate_is_drawn_that_no_attacker_reaches(data, n_scores):
    seeds = seeds_of(data.draw, n_scores)
    (ax,) = roc.plot({"gap": seeds}, {"title": "", "attacks": ["gap"]}).figure.axes
    reached = [metrics.roc(*of)[:2] for of in seeds]
    firsts = [fpr[1] for fpr, _ in reached]  # of the highest score
    for line in [line for line in ax.lines if line.get_label() != "chance"]:
        x, y = line.get_xydata()[np.isfinite(line.get_ydata())].T
        x, y = x[y > 1 / 30], y[y > 1 / 30]  # the lower edge stands for less
        for slope in np.geomspace(1e-3, 1e3, 61):  # no mean of the models' points, and coins between them, is beyond
            best = np.mean([np.max(tpr - slope * fpr) for fpr, tpr in reached])
            assert np.all(y - slope * x <= best + 1e-9)
        assert not len(x) or x.min() >= min(firsts) - 1e-9
    plt.close("all")


def three_seeds(scores_of):
    """Of three models with shares of right answers of their own."""
    rng = np.random.default_rng(0)
    is_member = np.arange(200) < 100
    return [(scores_of(rng, is_member, share), is_member) for share in (0.7, 0.75, 0.8)]


def test_an_attack_with_one_threshold_is_one_point_and_its_whiskers():
    seeds = three_seeds(lambda rng, is_member, share: (is_member | (rng.random(200) < share)).astype(float))
    drawn = roc.plot({"gap": seeds}, {"title": "", "attacks": ["gap"]})
    (ax,) = drawn.figure.axes
    (points,) = ax.containers
    alarms = [scores[~is_member].mean() for scores, is_member in seeds]
    np.testing.assert_allclose(points.lines[0].get_xydata(), [[np.mean(alarms), 1]])
    across = points.lines[2][0].get_segments()[0]
    reach = 4.302653 * np.std(alarms, ddof=1) / np.sqrt(3)  # Student's, with two degrees of freedom
    np.testing.assert_allclose(across[:, 0], [np.mean(alarms) - reach, min(np.mean(alarms) + reach, 1)], atol=1e-6)
    assert drawn.remarks[0].startswith("Points: attacks with at most 20 distinct scores")


def bands(ax):
    return [part for part in ax.collections if isinstance(part, PolyCollection)]


@pytest.mark.parametrize("n_seeds, said", [(1, "over the members of one seed"), (3, "Curves: mean of 3 seeds")])
def test_curves_have_bands_and_say_what_these_are_over(n_seeds, said):
    seeds = three_seeds(lambda rng, is_member, share: rng.standard_normal(200) + is_member)[:n_seeds]
    drawn = roc.plot({"boundary": seeds}, {"title": "", "attacks": ["boundary"]})
    (ax,) = drawn.figure.axes
    (band,), (curve, _) = bands(ax), ax.lines
    x, y = curve.get_xydata()[200]
    corners = np.concatenate([path.vertices for path in band.get_paths()])
    ends = corners[np.isclose(corners[:, 0], x), 1]
    steps = [tpr[np.searchsorted(fpr, x, side="right") - 1] for fpr, tpr in (metrics.roc(*of)[:2] for of in seeds)]
    assert y == pytest.approx(np.mean(steps)) and ends.min() < y < ends.max() and said in drawn.remarks[0]
    if n_seeds == 3:
        reach = 4.302653 * np.std(steps, ddof=1) / np.sqrt(3)
        np.testing.assert_allclose([ends.min(), ends.max()], [y - reach, y + reach], atol=1e-6)
