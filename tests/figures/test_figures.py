"""What figures say of themselves."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from lmia.evaluation.metrics_table import ALL_SEEDS, CALLED, COLUMNS
from lmia.figures import bars, gallery, histogram, outliers, queries, roc, sizes, strengths, style, sweep, tradeoff

SETTINGS = {"title": "Mine", "attacks": ["boundary"], "observation": "distances"}


def scored(n_seeds):
    one = np.array([0, 0.5, np.inf, 0, 0.2, 0.3]), np.array([True, True, True, False, False, False])
    return {"boundary": [one] * n_seeds}


@pytest.mark.parametrize("n_seeds", [1, 3])
@pytest.mark.parametrize(
    "module, said", [(histogram, "Points of 3 seeds together."), (roc, "mean and 95 % intervals over 3 seeds")]
)
def test_titles_stay_and_what_is_joined_over_seeds_is_said(module, said, n_seeds):
    drawn = module.plot(scored(n_seeds), SETTINGS)
    assert drawn.figure.get_suptitle() == "Mine"
    assert (said in " ".join(drawn.remarks)) == (n_seeds == 3)


TITLES = {
    "$5 and 6_": True,
    "$5_ and $6": True,
    "$5_\nand $6": True,
    r"\$5_ and \$6_": True,
    r"$\epsilon$ = 8": True,
    "é 😀 ~ % & # _ ^ { \\": True,
    "$x$\n$5_$": False,
    "$$": False,
    r"$\foo$": False,
    "$" + "{" * 999 + "$": False,
}


@pytest.mark.parametrize("title", TITLES)
def test_what_cannot_be_drawn_is_known_before(title):
    assert (style.tex_fault(title) is None) == TITLES[title]
    figure = roc.plot(scored(1), SETTINGS | {"title": title}).figure
    if TITLES[title]:
        figure.draw_without_rendering()
    else:
        with pytest.raises((ValueError, RecursionError)):
            figure.draw_without_rendering()


def test_units_of_plug_ins_are_drawn_as_they_are():
    shown = {"mine": (np.zeros((1, 1, 1, 2, 2)), [1.0], "$_$")}
    gallery.plot(np.zeros((1, 1, 2, 2)), shown, SETTINGS).figure.draw_without_rendering()
    row = dict.fromkeys(COLUMNS, "") | {"study": "s", "metric": "accuracy", "seed": "all", "n_train": 9, "value": 0.7}
    row |= {"ci_low": 0.6, "ci_high": 0.8, "attack": "boundary", "setting": "$_$=1"}
    settings = SETTINGS | {"study": "s", "n_train": None, "defense": None, "lines": [], "axes": {}}
    figure = sweep.plot(pd.DataFrame([row]), settings).figure
    assert figure.axes[0].get_xlabel() == "$_$"
    figure.draw_without_rendering()


@pytest.mark.parametrize("observation, said", [("distances", "distance to"), ("labels", "boundary score")])
def test_a_histogram_says_what_it_shows_by_what_the_attack_reads(observation, said):
    (ax,) = histogram.plot(scored(1), SETTINGS | {"observation": observation}).figure.axes
    assert ax.get_xlabel().startswith(said)


def test_a_histogram_counts_what_its_bars_do_not_show():
    assert histogram.plot(scored(1), SETTINGS).remarks == [
        "Of 3 members, 33 % are at 0, and 1 are censored.",
        "Of 3 non-members, 33 % are at 0.",
    ]


def test_every_attack_of_the_default_study_has_a_colour_of_its_own():
    assert len(set(style.COLOURS.values())) == len(style.COLOURS)
    assert style.line("bernoulli", 1) != style.line("gaussian", 1)


def test_bars_tell_what_needs_more_than_labels():
    rows = [
        dict.fromkeys(COLUMNS, "")
        | {"study": "s", "metric": "accuracy", "seed": "all", "n_train": 9, "attack": name, "access": access}
        | {"value": 0.7, "ci_low": 0.6, "ci_high": 0.8}
        for name, access in (("gap", "label"), ("shokri", "confidence"), ("white-box", "white-box"))
    ]
    settings = {"title": "", "study": "s", "n_train": None, "defense": None, "defenses": []}
    settings |= {"attacks": ["gap", "shokri", "white-box"]}
    assert legend(bars.plot(pd.DataFrame(rows), settings).figure) == ["needs confidences", "needs gradients"]
    figure = bars.plot(pd.DataFrame(rows[:2]), settings | {"attacks": ["gap", "shokri"]}).figure
    assert (
        legend(figure) == ["needs confidences"] and len({bar.get_hatch() or "" for bar in figure.axes[0].patches}) == 2
    )


@pytest.mark.parametrize(
    "defenses, n_train, numbers, said",
    [
        ([], 9, [60, 70, 80], ["gap", "no defense", "l2", "dp"]),
        (["dp", "none"], 9, [80, 60], ["gap", "dp", "no defense"]),
        (["l2"], 9, [70], ["gap"]),
        (["l2"], None, [70, 71], ["gap", "n = 9", "n = 20"]),
        (["l2", "dp"], None, [70, 71, 80, 81], ["gap", "n = 9, l2", "n = 20, l2", "n = 9, dp", "n = 20, dp"]),
    ],
)
def test_bars_say_which_models_they_are_of(defenses, n_train, numbers, said):
    rows = [
        dict.fromkeys(COLUMNS, "")
        | {"study": "s", "metric": "accuracy", "seed": "all", "n_train": n, "attack": "gap", "defense": defense}
        | {"value": value + 0.01 * (n > 9), "ci_low": 0.6, "ci_high": 0.7}
        for n in (9, 20)
        for defense, value in (("none", 0.6), ("l2", 0.7), ("dp", 0.8))
    ]
    settings = {"title": "", "study": "s", "n_train": n_train, "defense": None, "defenses": defenses}
    (ax,) = bars.plot(pd.DataFrame(rows), settings | {"attacks": ["gap"]}).figure.axes
    bars_from_the_top = sorted(ax.patches, key=lambda bar: bar.get_y())
    assert [round(100 * (bar.get_width() + 0.5)) for bar in bars_from_the_top] == numbers
    assert [text.get_text().replace("\xa0", " ") for text in ax.get_yticklabels()] == said


def test_models_on_which_an_attack_has_the_same_number_have_one_bar():
    rows = [
        dict.fromkeys(COLUMNS, "")
        | {"study": "s", "metric": "accuracy", "seed": "all", "n_train": 9, "attack": attack, "defense": defense}
        | {"value": value, "ci_low": low, "ci_high": 0.9}
        for attack, defense, value, low in [
            *(("gap", defense, 0.7, 0.6) for defense in ("none", "top-1", "top-3")),
            ("max", "none", 0.8, 0.7),
            ("max", "top-1", 0.8, 0.7),
            ("max", "top-3", 0.8, 0.6),
        ]
    ]
    settings = {"title": "", "study": "s", "n_train": None, "defense": None, "defenses": [], "attacks": ["gap", "max"]}
    (ax,) = bars.plot(pd.DataFrame(rows), settings).figure.axes
    said = [text.get_text().replace("\xa0", " ").replace("\n", " ") for text in ax.get_yticklabels()]
    assert said == ["gap", "all", "max", "no defense; top 1", "top 3"]
    assert [text.get_text().strip() for text in ax.texts] == ["70.0", "80.0", "80.0"]


def test_bars_of_several_defenses_tell_their_test_accuracy_once():
    table = defended_table().assign(access="label")
    settings = {"title": "", "study": "a", "n_train": None, "defense": None, "attacks": ["shifts"]}
    drawn = bars.plot(table, settings | {"defenses": ["none", "guard"]})
    assert drawn.remarks[0] == "Test accuracy of the targets: 50.0 %."
    drawn = bars.plot(table, settings | {"defenses": ["none", "guard", "l2-1"]})
    assert drawn.remarks[0] == "Test accuracy of the targets: 50.0 % (no defense, guard); 60.0 % (l2 1)."


def sizes_table():
    """Two attacks at two sizes in two studies; the mask changes only the one that needs confidences."""
    rows = []
    for study, n, defense, attack, value in [
        ("a", 10, "none", "gap", 0.7),
        ("a", 10, "guard", "gap", 0.7),
        ("b", 20, "none", "gap", 0.6),
        ("a", 10, "none", "max-confidence", 0.8),
        ("b", 20, "none", "max-confidence", 0.7),
        ("a", 10, "guard", "max-confidence", 0.5),
    ]:
        same = {"study": study, "n_train": n, "defense": defense, "attack": attack, "seed": "all", "setting": ""}
        same["flags"] = ""
        rows.append(same | {"metric": "accuracy", "value": value, "ci_low": value - 0.1, "ci_high": value + 0.1})
    return pd.DataFrame(rows)


def test_curves_over_sizes_join_studies_and_show_masks_where_they_change_something():
    settings = {"title": "", "study": "a", "studies": ["b"], "attacks": ["gap", "max-confidence"], "defense": None}
    (ax,) = sizes.plot(sizes_table(), settings).figure.axes
    assert named(ax) == {
        "gap": ([10, 20], [0.7, 0.6]),
        "max confidence": ([10, 20], [0.8, 0.7]),
        "max confidence, guard": ([10], [0.5]),
    }
    (ax,) = sizes.plot(sizes_table(), settings | {"defense": "none"}).figure.axes
    assert len(ax.lines) == 2


def defended_table():
    """An attack and the models' own accuracies under three strengths of one defense, and under another."""
    rows = []
    for defense, train, test, accuracy in [
        ("none", 1.0, 0.5, 0.8),
        ("l2-1", 0.8, 0.6, 0.65),
        ("l2-10", 0.4, 0.4, 0.5),
        ("guard", 1.0, 0.5, 0.7),
    ]:
        same = {"study": "a", "n_train": 10, "defense": defense, "seed": "all", "flags": ""}
        for metric, attack, setting, value in [
            ("train_accuracy", "", "", train),
            ("test_accuracy", "", "", test),
            ("accuracy", "shifts", "", accuracy),
            ("accuracy", "shifts", "pixels=1", accuracy - 0.1),
        ]:
            row = {"metric": metric, "attack": attack, "setting": setting, "value": round(value, 3)}
            rows.append(same | row | {"ci_low": value - 0.1, "ci_high": value + 0.1})
    return pd.DataFrame(rows)


def test_strengths_are_an_axis_with_the_models_own_accuracy_below():
    settings = {"title": "Mine", "study": "a", "attacks": ["shifts"], "settings": ["", "pixels=1"], "n_train": None}
    settings |= {"strengths": {"none": 0.0, "l2-10": 10.0, "l2-1": 1.0}, "family": "l2", "axis": "", "scale": "linear"}
    figure = strengths.plot(defended_table(), settings).figure
    above, below = figure.axes
    assert named(above) == {
        "shifts": ([0, 1, 10], [0.8, 0.65, 0.5]),
        "shifts, pixels=1": ([0, 1, 10], [0.7, 0.55, 0.4]),
    }
    assert named(below) == {
        "train accuracy of the models": ([0, 1, 10], [1, 0.8, 0.4]),
        "their test accuracy": ([0, 1, 10], [0.5, 0.6, 0.4]),
    }
    assert below.get_xlabel() == "l2" and figure.get_suptitle() == "Mine"


def test_models_that_have_not_learned_are_not_shown_as_a_defense():
    settings = {"title": "", "study": "a", "attacks": ["shifts"], "settings": [""], "n_train": None}
    settings |= {"strengths": {"none": 0.0, "l2-10": 10.0, "l2-1": 1.0}, "family": "l2", "axis": "", "scale": "linear"}
    drawn = strengths.plot(defended_table(), settings)
    assert hollow(drawn.figure.axes[0]) == [[10, 0.5]]
    assert drawn.remarks[-1].startswith("Hollow: models that label less than half") and "l2 10." in drawn.remarks[-1]


TRADEOFF = {"title": "", "study": "a", "attacks": ["shifts"], "n_train": None, "metric": "accuracy"}


@pytest.mark.parametrize("x, places", [("test_accuracy", [0.6, 0.4]), ("gap", [0.2, 0.0])])
def test_a_tradeoff_has_a_point_for_each_strength(x, places):
    families = {"none": ["none", "", 0], "l2-10": ["l2", "10", 1], "l2-1": ["l2", "1", 0]}
    settings = TRADEOFF | {"x": x, "families": families}
    drawn = tradeoff.plot(defended_table(), settings)
    (ax,) = drawn.figure.axes
    points = ax.collections[-1]  # of the panel's own kind
    np.testing.assert_allclose(points.get_offsets(), np.column_stack([places, [0.65, 0.5]]), atol=1e-9)
    weak, strong = points.get_sizes()
    assert weak < strong and {text.get_text() for text in ax.texts} == {"1", "10"}
    assert legend(drawn.figure) == ["other defenses", "no defense", "gap attack" if x == "gap" else "chance"]
    tested = ["Test accuracy of no defense: (50 %).", "Test accuracy of l2: 1 (60 %), 10 (40 %)."]
    assert [line for line in drawn.remarks if line.startswith("Test")] == (tested if x == "gap" else [])


def test_a_tradeoff_has_a_panel_for_each_kind_with_all_others_in_grey():
    families = {"none": ["none", "", 0], "l2-1": ["l2", "1", 0], "l2-10": ["l2", "10", 1], "guard": ["guard", "", 0]}
    settings = TRADEOFF | {"x": "gap", "families": families}
    panels = tradeoff.plot(defended_table(), settings).figure.axes
    assert [panel.get_title() for panel in panels] == ["l2", "guard"]
    others = [panel.collections[0].get_offsets().tolist() for panel in panels]
    np.testing.assert_allclose(others[0], [[0.5, 0.7]])
    np.testing.assert_allclose(others[1], [[0.2, 0.65], [0, 0.5]], atol=1e-9)


def test_a_tradeoff_of_rates_has_a_logarithmic_axis_and_shows_who_finds_nobody():
    """Rates of 0 stand at the lower edge; a defense under which too many points are tied is not drawn."""
    table = defended_table()
    table["metric"] = table["metric"].replace("accuracy", "tpr_at_0.1_fpr")
    table.loc[table["defense"].eq("l2-10") & table["attack"].ne(""), ["value", "ci_low", "ci_high"]] = 0, 0, 0.2
    table.loc[table["defense"].eq("guard") & table["attack"].ne(""), ["value", "ci_low", "ci_high"]] = np.nan
    families = {"none": ["none", "", 0], "l2-1": ["l2", "1", 0], "l2-10": ["l2", "10", 1], "guard": ["guard", "", 0]}
    drawn = tradeoff.plot(table, TRADEOFF | {"x": "gap", "metric": "tpr_at_0.1_fpr", "families": families})
    (ax,) = drawn.figure.axes
    assert ax.get_yscale() == "log" and ax.get_title() == "l2"
    np.testing.assert_allclose(ax.collections[-1].get_offsets(), [[0.2, 0.65], [0, 0.05]], atol=1e-9)
    assert ax.get_ylim()[0] == pytest.approx(0.05 / 1.1)
    assert {line.get_label() for line in ax.lines} >= {"chance"} and "gap attack" not in legend(drawn.figure)
    (chance,) = (line for line in ax.lines if line.get_label() == "chance")
    assert set(chance.get_ydata()) == {0.1}
    assert "members found by shifts (%) at 10 % false positives" in drawn.figure.get_supylabel().replace("\n", " ")
    assert "At the lower edge: no member found." in drawn.remarks
    assert "Not drawn: where non-members are too few for this rate." in drawn.remarks


def test_flags_that_all_points_share_leave_no_gap_among_others():
    table = defended_table()
    table["metric"] = table["metric"].replace("accuracy", "tpr_at_0.1_fpr")
    table["flags"] = np.where(table["defense"].eq("l2-1"), f"{FLAG}; 2 false alarms allowed; 7 tied at the top", "")
    families = {"none": ["none", "", 0], "l2-1": ["l2", "1", 0]}
    drawn = tradeoff.plot(table, TRADEOFF | {"x": "gap", "metric": "tpr_at_0.1_fpr", "families": families})
    hollow_lines = [line for line in drawn.remarks if line.startswith("Hollow")]
    assert hollow_lines == [f"Hollow: {FLAG}: l2 1.", "Hollow: tied at the top: l2 1."]
    assert "Only 2 false alarms allowed." in drawn.remarks


def test_a_tradeoff_may_have_no_point():
    settings = TRADEOFF | {"x": "gap", "families": {}}
    (ax,) = tradeoff.plot(defended_table(), settings).figure.axes
    assert not ax.texts


def test_outliers_stand_beside_all_points_where_enough_are_called_members():
    rows = []
    for defense, precision, among, called in (("none", 0.7, 0.9, 12), ("l2", 0.5, 1.0, 3), ("dp", 0.5, np.nan, 0)):
        same = {"study": "a", "n_train": 10, "defense": defense, "attack": "gap", "setting": "", "flags": ""}
        for metric, value in (("precision", precision), ("outlier_precision", among), (CALLED, called)):
            row = same | {"metric": metric, "value": value, "ci_low": value - 0.1, "ci_high": value + 0.1}
            rows += [row | {"seed": seed} for seed in ("0", "1", ALL_SEEDS)]
    settings = {"title": "", "study": "a", "attacks": ["gap"], "n_train": None}
    drawn = outliers.plot(pd.DataFrame(rows), settings)
    (ax,) = drawn.figure.axes
    everywhere, among = (box.lines[0].get_xdata().tolist() for box in ax.containers)
    assert everywhere == [0.7, 0.5, 0.5] and among == [0.9]  # 6 and 0 of both seeds are less than 20
    assert [text.get_text() for text in ax.texts] == ["24", "6", "0"]
    assert "fewer than 20, their precision is not drawn" in drawn.remarks[0]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def named(ax):
    """Label -> (x, y) of the curves of an axes."""
    lines = [line for line in ax.lines if not line.get_label().startswith("_")]
    return {line.get_label(): (line.get_xdata().tolist(), line.get_ydata().tolist()) for line in lines}


def hollow(ax):
    """Where an axes has hollow markers, a list of (x, y)."""
    return [place for line in ax.lines if line.get_markerfacecolor() == "white" for place in line.get_xydata().tolist()]


FLAG = "target diverged (1 of 2)"


@pytest.mark.parametrize("module", [sweep, queries])
def test_curves_have_hollow_markers_where_they_are_flagged_and_say_why(module):
    setting = "degrees={}" if module is sweep else "budget={}"
    rows = [
        dict.fromkeys(COLUMNS, "")
        | {"study": "s", "metric": "accuracy", "seed": "all", "attack": "noise", "setting": setting.format(x)}
        | {"queries": x, "value": value, "ci_low": value, "ci_high": value, "flags": FLAG if x == 20 else ""}
        for x, value in ((10, 0.7), (20, 0.5))
    ]
    rows.append(rows[1] | {"attack": "gap", "setting": ""})
    settings = {"title": "", "study": "s", "n_train": None, "defense": None, "attacks": ["noise"], "lines": ["gap"]}
    settings |= {"axes": {}, "metric": "accuracy"}
    drawn = module.plot(pd.DataFrame(rows), settings)
    assert hollow(drawn.figure.axes[0]) == [[20, 0.5]] and legend(drawn.figure) == ["noise", "gap*"]
    assert drawn.remarks[-1] == f"Hollow, or a star in the legend: {FLAG}: all."
    drawn = module.plot(pd.DataFrame(rows).assign(flags=""), settings)
    assert hollow(drawn.figure.axes[0]) == [] and legend(drawn.figure) == ["noise", "gap"]


def test_bars_have_a_star_at_the_numbers_of_flagged_attacks():
    rows = [
        dict.fromkeys(COLUMNS, "")
        | {"study": "s", "metric": "accuracy", "seed": "all", "n_train": 9, "attack": name, "flags": flags}
        | {"value": 0.5, "ci_low": 0.5, "ci_high": 0.5}
        for name, flags in (("gap", ""), ("noise", "constant guess"))
    ]
    settings = {
        "title": "",
        "study": "s",
        "n_train": None,
        "defense": None,
        "defenses": [],
        "attacks": ["gap", "noise"],
    }
    drawn = bars.plot(pd.DataFrame(rows), settings)
    assert [text.get_text().strip() for text in drawn.figure.axes[0].texts] == ["50.0", "50.0*"]
    assert drawn.remarks[-1] == "Starred: constant guess: noise."


def test_defenses_are_marked_where_they_are_flagged():
    table = defended_table()
    table["flags"] = np.where(table["defense"].eq("l2-1"), FLAG, "")
    settings = {"title": "", "study": "a", "attacks": ["shifts"], "settings": [""], "n_train": None}
    settings |= {"strengths": {"none": 0.0, "l2-1": 1.0}, "family": "l2", "axis": "", "scale": "linear"}
    drawn = strengths.plot(table, settings)
    assert hollow(drawn.figure.axes[0]) == [[1, 0.65]] and drawn.remarks[-1] == f"Hollow: {FLAG}: l2 1."
    families = {"none": ["none", "", 0], "l2-1": ["l2", "1", 0], "l2-10": ["l2", "10", 1]}
    settings = TRADEOFF | {"x": "gap", "families": families}
    drawn = tradeoff.plot(table, settings)
    faces = drawn.figure.axes[0].collections[-1].get_facecolor()[:, :3]
    assert faces[0].tolist() == [1, 1, 1] and faces[1].tolist() != [1, 1, 1]
    assert drawn.remarks[-1] == f"Hollow: {FLAG}: l2 1."
    table = table.assign(metric=table["metric"].replace("accuracy", "precision"))
    drawn = outliers.plot(table[table["metric"].ne("train_accuracy")], settings)
    names = [text.get_text() for text in drawn.figure.axes[0].get_yticklabels()]
    assert names == ["none", "l2 1*", "l2 10", "guard"]
    assert "Test accuracy of the targets: none 50.0 %, l2 1 60.0 %, l2 10 40.0 %, guard 50.0 %." in drawn.remarks


def test_sizes_are_marked_where_they_are_flagged_and_say_which():
    table = sizes_table()
    table["flags"] = np.where(table["study"].eq("b") & table["attack"].eq("gap"), FLAG, "")
    settings = {"title": "", "study": "a", "studies": ["b"], "attacks": ["gap", "max-confidence"], "defense": None}
    drawn = sizes.plot(table, settings)
    assert hollow(drawn.figure.axes[0]) == [[20, 0.6]]
    assert drawn.remarks[-1] == f"Hollow at n = 20: {FLAG}: gap."


def test_a_users_matplotlibrc_changes_no_figure(tmp_path):
    def drawn():
        output = SimpleNamespace(png=tmp_path / "figure.png", pdf=tmp_path / "figure.pdf")
        output.caption = tmp_path / "figure.md"
        drawing = roc.plot(scored(1), SETTINGS)
        style.save(drawing, output)
        assert output.caption.read_text().splitlines() == drawing.remarks
        return output.png.read_bytes(), output.pdf.read_bytes()

    expected = drawn()
    with plt.rc_context({"font.size": 20, "axes.grid": True, "savefig.facecolor": "red", "pdf.fonttype": 3}):
        assert drawn() == expected
        assert plt.rcParams["font.size"] == 20  # nor does a figure change what a user has set
