"""Figures of pools: curves of all models together, and of rates at low false-positive rates."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection

from lmia.evaluation import metrics, pooled
from lmia.evaluation.metrics_table import COLUMNS
from lmia.figures import queries, roc, shadows, style


def bands(ax):
    """Of each band of an axes, in order: array (n, 3) of x, its lower end, its upper end."""
    found = []
    for part in ax.collections:
        if isinstance(part, PolyCollection):
            points = pd.DataFrame(np.concatenate([path.vertices for path in part.get_paths()]), columns=["x", "y"])
            found.append(points.groupby("x")["y"].agg(["min", "max"]).reset_index().to_numpy())
    return found


def line(ax, label):
    (found,) = [line for line in ax.lines if line.get_label() == label]
    return found


# One pair of models and four examples. Each model tells all of its members, but the first gives all higher scores.
FIRST, SECOND = np.array([True, True, False, False]), np.array([False, False, True, True])
PAIR = [(np.array([13, 13, 12, 12.0]), FIRST), (np.array([0, 0, 1, 1.0]), SECOND)]
ROC = {"title": "", "attacks": ["gap"]}


def test_a_pool_has_one_threshold_for_all_its_models():
    scored = {"gap": [(np.repeat(scores, 6) + np.arange(24) / 100, np.repeat(of, 6)) for scores, of in PAIR]}
    drawn = roc.plot(scored, ROC | {"pools": ["s"]})
    (ax,) = drawn.figure.axes
    rates, found = line(ax, "gap").get_data()
    np.testing.assert_array_equal(found, np.where(rates < 0.5, 0.5, 1))
    assert ax.get_xlim() == (1 / 24, 1) and drawn.remarks[0].startswith("Curves: 2 models pooled; bands")
    (ax,) = roc.plot(scored, ROC).figure.axes
    assert ax.get_xlim() == (1 / 12, 1) and line(ax, "gap").get_ydata().tolist() == [1] * 400


def pool(n_pairs, n):
    """(scores, is_member), each (2 n_pairs, n), of members who score higher by 1 on the average."""
    rng = np.random.default_rng(0)
    heads = rng.random((n_pairs, n)) < 0.5
    is_member = np.stack([heads, ~heads], axis=1).reshape(-1, n)
    return rng.standard_normal(is_member.shape) + is_member, is_member


def test_the_band_of_a_pool_is_its_interval_over_models_and_examples():
    scores, is_member = pool(6, 40)
    scored = {"boundary": list(zip(scores, is_member, strict=True))}
    (ax,) = roc.plot(scored, {"title": "", "attacks": ["boundary"], "pools": ["s"]}).figure.axes
    (band,) = bands(ax)
    fpr, tpr, _ = metrics.roc(scores.ravel(), is_member.ravel())
    rates, low, high = band[1:].T  # the first rate allows a single false alarm
    value = tpr[np.searchsorted(fpr, rates, side="right") - 1]
    assert len(band) == roc.RATES and np.all((low <= value) & (value <= high)) and np.all(high <= 1)
    measured = pooled.measure(scores, is_member, [rates[20]], roc.DRAWS)
    _, of_rate = measured.values()
    np.testing.assert_allclose([low[20], high[20]], of_rate.interval()[1:])


def test_an_attack_on_a_pool_with_few_scores_is_its_thresholds():
    """Where 3 of 4 non-members share the highest score, no threshold has fewer false alarms, and nothing is drawn."""
    _, is_member = pool(6, 40)
    right = [(np.where(member, 1.0, np.arange(40) % 4 > 0), member) for member in is_member]
    drawn = roc.plot({"gap": right}, ROC | {"pools": ["s"]})
    (ax,) = drawn.figure.axes
    rate = np.mean(np.concatenate([scores[~member] for scores, member in right]))
    (points,) = ax.containers
    np.testing.assert_allclose(points.lines[0].get_xydata(), [[rate, 1]])
    lines = [line.get_xdata() for line in ax.lines if line.get_label() != "chance"]
    assert all(x.min() >= rate for x in lines if len(x))
    assert not bands(ax) and "over 6 pairs of models" in drawn.remarks[0]


def test_models_that_are_no_pairs_have_no_pooled_curve():
    scores, is_member = pool(2, 10)
    for order in ([0, 2, 1, 3], [0, 1, 2]):
        with pytest.raises(ValueError, match=rf"got {len(order)} models that are not; give the study's seeds from 0"):
            roc.plot({"gap": [(scores[k], is_member[k]) for k in order]}, ROC | {"pools": ["s"]})


TPR = "tpr_at_0.01_fpr"
OPTIONS = {"title": "", "study": "s", "n_train": None, "defense": None, "lines": [], "metric": TPR}


def row(attack, setting, value, flags="", metric=TPR, **other):
    same = {"study": "s", "metric": metric, "seed": "all", "attack": attack, "setting": setting, "value": value}
    ends = {"ci_low": value - 0.01, "ci_high": value + 0.01, "flags": flags}
    return dict.fromkeys(COLUMNS, "") | same | ends | other


def drawn(*rows, **options):
    """A figure against queries."""
    settings = OPTIONS | {"attacks": list(dict.fromkeys(of["attack"] for of in rows))} | options
    return queries.plot(pd.DataFrame(rows), settings)


def spent(*rows, **options):
    """Its axes."""
    return drawn(*rows, **options).figure.axes[0]


def remarks(*rows, **options):
    """The lines of its caption."""
    return drawn(*rows, **options).remarks


def test_rates_have_a_logarithmic_axis_beside_chance_and_zero_at_its_edge():
    rows = [row("noise", "budget=5", 0, queries=5), row("noise", "", 0.2, queries=9)]
    rows += [row("noise", "", 0.9, metric=other, queries=9) for other in ("accuracy", "tpr_at_0.001_fpr")]
    rows += [row("noise", "shadows=4", 0.9, queries=9)]
    ax = spent(*rows)
    curve, edge = line(ax, "noise"), 0.005  # half of chance
    assert ax.get_yscale() == "log" and ax.get_ylim()[0] == pytest.approx(edge, rel=0.1)
    assert curve.get_xydata().tolist() == [[5, edge], [9, 0.2]]
    np.testing.assert_allclose(bands(ax)[0], [[5, edge, 0.01], [9, 0.19, 0.21]])
    (whole,) = [line for line in ax.lines if not line.get_clip_on()]  # on the edge
    assert whole.get_xydata().tolist() == [[5, edge]] and whole.get_marker() == curve.get_marker()
    assert "At the lower edge: no member found." in remarks(*rows)
    assert line(ax, "chance").get_ydata() == [0.01, 0.01]
    assert ax.get_xlabel() == "queries per example, as counted"
    assert ax.get_ylabel() == "members found (%)\nat 1 % false positives"


def test_a_rate_below_chance_is_drawn_where_it_is():
    ax = spent(row("noise", "", 0.001, queries=9), row("boundary", "", 0.2, queries=9))
    assert line(ax, "noise").get_ydata().tolist() == [0.001] and ax.get_ylim()[0] < 0.001
    assert not [line for line in ax.lines if not line.get_clip_on()]


@pytest.mark.parametrize("metric, said", [("accuracy", "attack accuracy (%)"), ("auc", "area under the ROC curve")])
def test_other_metrics_have_a_plain_axis(metric, said):
    ax = spent(row("noise", "", 0.75, metric=metric, queries=9), metric=metric)
    assert ax.get_ylabel() == said and ax.get_yscale() == "linear" and len(ax.lines) == 1
    assert ax.yaxis.get_major_formatter()(0.5) == ("50" if metric == "accuracy" else "")  # no tick is at 0.5


def test_what_all_rates_share_is_said_once_and_ties_without_their_numbers():
    few = "6 false alarms allowed"
    rows = [row("noise", f"budget={n}", 0, f"{9 * n} tied at the top", queries=n) for n in (5, 6)]
    rows += [row("noise", "", 0.1, few, queries=9), row("boundary", "", 0.2, f"target diverged; {few}", queries=9)]
    rows += [row("gap", "", 0, "99 tied at the top", queries=1)]
    figure = drawn(*rows, attacks=["noise", "boundary"], lines=["gap"])
    ax = figure.figure.axes[0]
    assert figure.remarks[-4:] == [
        "Only 6 false alarms allowed.",
        "At the lower edge: no member found.",
        "Hollow, or a star in the legend: tied at the top: noise, gap.",
        "Hollow, or a star in the legend: target diverged: boundary.",
    ]
    hollow = [
        place for line in ax.lines if line.get_markerfacecolor() == "white" for place in line.get_xydata().tolist()
    ]
    assert sorted(set(map(tuple, hollow))) == [(5, 0.005), (6, 0.005), (9, 0.2)]
    assert [text.get_text() for text in figure.figure.legends[0].get_texts()] == ["noise", "boundary", "gap*", "chance"]


def test_rates_that_cannot_be_resolved_are_not_drawn_but_said():
    rows = row("noise", "", np.nan, queries=9), row("gap", "", np.nan, queries=1)
    figure = drawn(*rows, attacks=["noise"], lines=["gap"])
    assert figure.remarks[-1] == "Not drawn: where non-members are too few for this rate."
    assert [text.get_text() for text in figure.figure.legends[0].get_texts()] == ["noise", "chance"]
    figure.figure.draw_without_rendering()


def test_shadows_are_counted_and_all_of_them_are_what_a_target_has():
    rows = [
        row("boundary-lira", setting, value) for setting, value in (("shadows=8", 0.2), ("", 0.3), ("shadows=4", 0.1))
    ]
    rows += [row("boundary-lira", "budget=50", 0.9), row("boundary", "", 0.02), row("noise-lira", "shadows=2", 0.9)]
    settings = OPTIONS | {"attacks": ["boundary-lira"], "lines": ["boundary"], "all_shadows": 14}
    (ax,) = shadows.plot(pd.DataFrame(rows), settings).figure.axes
    assert line(ax, "boundary LiRA").get_xydata().tolist() == [[4, 0.1], [8, 0.2], [14, 0.3]]
    np.testing.assert_allclose(bands(ax)[0], [[4, 0.09, 0.11], [8, 0.19, 0.21], [14, 0.29, 0.31]])
    assert ax.get_xlabel() == "shadow models per target" and ax.get_xticks().tolist() == [4, 8, 14]
    assert [text.get_text() for text in ax.figure.legends[0].get_texts()] == ["boundary LiRA", "boundary", "chance"]


FAMILIES = (
    ("boundary", "boundary-lira", "boundary-50-lira", "boundary-difference"),
    ("noise", "noise-lira", "noise-difference"),
    ("directions", "directions-lira"),
    ("true-confidence", "confidence-lira", "confidence-lira-offline", "rmia"),
)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family[0])
def test_attacks_on_the_same_answers_differ_in_their_lines(family):
    assert len({style.line(attack) for attack in family}) == len(family)


def test_labels_write_names_as_their_authors_do():
    labels = ["boundary 50 LiRA", "RMIA", "Attack-P", "attack plain"]
    assert list(map(style.label, ["boundary-50-lira", "rmia", "attack-p", "attack_plain"])) == labels
