"""What figures say of themselves."""

from itertools import combinations
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from lmia.evaluation.metrics_table import COLUMNS
from lmia.figures import bars, gallery, histogram, outliers, queries, roc, sizes, strengths, style, sweep, tradeoff


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


SETTINGS = {"title": "Mine", "attacks": ["boundary"], "observation": "distances"}


def scored(n_seeds):
    one = np.array([0, 0.5, np.inf, 0, 0.2, 0.3]), np.array([True, True, True, False, False, False])
    return {"boundary": [one] * n_seeds}


@pytest.mark.parametrize("n_seeds", [1, 3])
@pytest.mark.parametrize("module, said", [(histogram, "3 seeds pooled"), (roc, "mean of 3 seeds")])
def test_titles_stay_and_what_is_joined_over_seeds_is_said(module, said, n_seeds):
    (ax,) = module.plot(scored(n_seeds), SETTINGS).axes
    assert ax.get_title(loc="left") == "Mine"
    assert (said in ax.get_xlabel() + ax.get_ylabel()) == (n_seeds == 3)


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
    figure = roc.plot(scored(1), SETTINGS | {"title": title})
    if TITLES[title]:
        figure.draw_without_rendering()
    else:
        with pytest.raises((ValueError, RecursionError)):
            figure.draw_without_rendering()


def test_units_of_plug_ins_are_drawn_as_they_are():
    gallery.plot(
        np.zeros((1, 1, 2, 2)), {"mine": (np.zeros((1, 1, 1, 2, 2)), [1.0], "$_$")}, SETTINGS
    ).draw_without_rendering()
    row = dict.fromkeys(COLUMNS, "") | {"study": "s", "metric": "accuracy", "seed": "all", "n_train": 9, "value": 0.7}
    row |= {"ci_low": 0.6, "ci_high": 0.8, "attack": "boundary", "setting": "$_$=1"}
    settings = SETTINGS | {"study": "s", "n_train": None, "defense": None, "lines": [], "axes": {}}
    figure = sweep.plot(pd.DataFrame([row]), settings)
    assert figure.axes[0].get_xlabel() == "$_$"
    figure.draw_without_rendering()


@pytest.mark.parametrize("observation, said", [("distances", "distance to"), ("labels", "boundary score")])
def test_a_histogram_says_what_it_shows_by_what_the_attack_reads(observation, said):
    (ax,) = histogram.plot(scored(1), SETTINGS | {"observation": observation}).axes
    assert ax.get_xlabel().startswith(said)


def test_a_histogram_counts_what_its_bars_do_not_show():
    (ax,) = histogram.plot(scored(1), SETTINGS).axes
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["members, 33 % at 0, 1 censored", "non-members, 33 % at 0"]


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
    (ax,) = bars.plot(pd.DataFrame(rows), settings).axes
    assert len({bar.get_hatch() or "" for bar in ax.patches}) == 3 and "crossed: needs gradients" in ax.get_xlabel()
    (ax,) = bars.plot(pd.DataFrame(rows[:2]), settings | {"attacks": ["gap", "shokri"]}).axes
    assert "crossed" not in ax.get_xlabel()


@pytest.mark.parametrize(
    "defenses, n_train, numbers, said",
    [
        ([], 9, [60, 70, 80], " from the top: no defense; l2; dp"),
        (["dp", "none"], 9, [80, 60], " from the top: dp; no defense"),
        (["l2"], 9, [70], "hatched: needs confidences"),
        (["l2"], None, [70, 71], " from the top: n = 9; n = 20"),
        (["l2", "dp"], None, [70, 71, 80, 81], " from the top: n = 9, l2; n = 20, l2; n = 9, dp; n = 20, dp"),
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
    (ax,) = bars.plot(pd.DataFrame(rows), settings | {"attacks": ["gap"]}).axes
    bars_from_the_top = sorted(ax.patches, key=lambda bar: bar.get_y())
    assert [round(100 * (bar.get_width() + 0.5)) for bar in bars_from_the_top] == numbers
    assert ax.get_xlabel().replace("\n", " ").endswith(said)


def test_bars_of_several_defenses_tell_their_test_accuracy():
    table = defended_table().assign(access="label")
    settings = {"title": "", "study": "a", "n_train": None, "defense": None}
    (ax,) = bars.plot(table, settings | {"defenses": ["none", "guard"], "attacks": ["shifts"]}).axes
    assert ax.get_xlabel().replace("\n", " ").endswith("from the top: no defense, test 50.0 %; guard, test 50.0 %")


def test_no_text_of_bars_is_cut_off():
    """A long title, eight defenses and a remark, beside the longest of the names on the left."""
    defenses = ["none", "memguard", "top-1", "top-3", "top-5", "tenths", "hundredths", "thousandths"]
    cell = {"study": "s", "seed": "all", "n_train": 2500, "value": 0.7, "ci_low": 0.6, "ci_high": 0.9}
    told = {"accuracy": "boundary-economical", "test_accuracy": ""}
    rows = [
        dict.fromkeys(COLUMNS, "") | cell | {"metric": metric, "attack": attack, "defense": defense}
        for metric, attack in told.items()
        for defense in defenses
    ]
    rows[0]["flags"] = "99 of 100 searches censored; constant guess (3 of 3)"
    settings = {"study": "s", "n_train": None, "defense": None, "defenses": [], "attacks": ["boundary-economical"]}
    figure = bars.plot(pd.DataFrame(rows), settings | {"title": "CIFAR-10, n = 2,500: transfer from CIFAR-100"})
    figure.draw_without_rendering()
    (ax,), width = figure.axes, figure.bbox.width
    for text in (ax._left_title, ax.xaxis.label, *ax.get_yticklabels()):
        box = text.get_window_extent()
        assert 0 <= box.x0 and box.x1 <= width, text.get_text()


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
    (ax,) = sizes.plot(sizes_table(), settings).axes
    curves = {line.get_label(): (line.get_xdata().tolist(), line.get_ydata().tolist()) for line in ax.lines}
    assert curves == {
        "gap": ([10, 20], [0.7, 0.6]),
        "max confidence": ([10, 20], [0.8, 0.7]),
        "max confidence, guard": ([10], [0.5]),
    }
    (ax,) = sizes.plot(sizes_table(), settings | {"defense": "none"}).axes
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
    above, below = strengths.plot(defended_table(), settings).axes
    curves = {line.get_label(): (line.get_xdata().tolist(), line.get_ydata().tolist()) for line in above.lines}
    assert curves == {"shifts": ([0, 1, 10], [0.8, 0.65, 0.5]), "shifts, pixels=1": ([0, 1, 10], [0.7, 0.55, 0.4])}
    assert below.lines[0].get_ydata().tolist() == [0.5, 0.6, 0.4] and below.get_xlabel() == "l2"
    assert above.get_title(loc="left") == "Mine"


@pytest.mark.parametrize("x, places", [("test_accuracy", [0.5, 0.6, 0.4]), ("gap", [0.5, 0.2, 0.0])])
def test_a_tradeoff_has_a_point_for_each_strength(x, places):
    families = {"none": ["none", "", 0], "l2-1": ["l2", "1", 0], "l2-10": ["l2", "10", 1]}
    settings = {"title": "", "study": "a", "attacks": ["shifts"], "n_train": None, "x": x, "families": families}
    (ax,) = tradeoff.plot(defended_table(), settings).axes
    points = [collection for collection in ax.collections if collection.get_label() in ("none", "l2")]
    found = np.concatenate([collection.get_offsets() for collection in points])
    np.testing.assert_allclose(found, np.column_stack([places, [0.8, 0.65, 0.5]]), atol=1e-9)
    sizes_of = points[1].get_sizes()
    said = {"", "1", "10"} if x == "test_accuracy" else {"50 %", "1, 60 %", "10, 40 %"}
    assert sizes_of[0] < sizes_of[1] and {text.get_text() for text in ax.texts} == said
    assert any(line.get_label() == "gap attack" for line in ax.lines) == (x == "gap")


def test_what_stands_beside_points_of_a_tradeoff_can_be_read():
    table, names = defended_table(), [f"l2-{number}" for number in range(8)]
    rows = table[table["defense"].eq("l2-1")]
    table = pd.concat([rows.assign(defense=name, value=rows["value"] + 0.002 * n) for n, name in enumerate(names)])
    families = {name: ["l2", name, n] for n, name in enumerate(names)}
    settings = {"title": "", "study": "a", "attacks": ["shifts"], "n_train": None, "x": "gap", "families": families}
    (ax,) = tradeoff.plot(table, settings).axes
    ax.figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in ax.texts]
    assert len(boxes) == 8 and not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_a_tradeoff_may_have_no_point():
    settings = {"title": "", "study": "a", "attacks": ["shifts"], "n_train": None, "x": "gap", "families": {}}
    (ax,) = tradeoff.plot(defended_table(), settings).axes
    assert not ax.texts and not ax.collections


def test_outliers_stand_beside_all_points():
    rows = []
    for defense, precision, among in (("none", 0.7, 0.9), ("l2", 0.5, float("nan"))):
        same = {"study": "a", "n_train": 10, "defense": defense, "seed": "all", "attack": "gap", "setting": ""}
        same["flags"] = ""
        for metric, value in (("precision", precision), ("outlier_precision", among)):
            rows.append(same | {"metric": metric, "value": value, "ci_low": value - 0.1, "ci_high": value + 0.1})
    settings = {"title": "", "study": "a", "attacks": ["gap"], "n_train": None}
    (ax,) = outliers.plot(pd.DataFrame(rows), settings).axes
    assert [bar.get_width() for bar in ax.patches][:3] == [0.7, 0.5, 0.9] and np.isnan(ax.patches[3].get_width())
    assert [text.get_text() for text in ax.get_yticklabels()] == ["none", "l2"]
    assert [text.get_text() for text in ax.texts] == ["nothing called a member"]


def stars(ax):
    """Where an axes has stars, a list of (x, y)."""
    return [place for line in ax.lines if line.get_marker() == "*" for place in line.get_xydata().tolist()]


FLAG = "target diverged (1 of 2)"


@pytest.mark.parametrize("module", [sweep, queries])
def test_curves_have_a_star_where_they_are_flagged_and_say_why(module):
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
    (ax,) = module.plot(pd.DataFrame(rows), settings).axes
    assert stars(ax) == [[20, 0.5]] and [text.get_text() for text in ax.texts] == ["gap*"]
    assert ax.get_xlabel().endswith(f"\n* {FLAG}: noise, gap")
    (ax,) = module.plot(pd.DataFrame(rows).assign(flags=""), settings).axes
    assert stars(ax) == [] and "*" not in ax.get_xlabel() + ax.texts[0].get_text()


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
    (ax,) = bars.plot(pd.DataFrame(rows), settings).axes
    assert [text.get_text() for text in ax.texts] == ["50.0", "50.0*"]
    assert ax.get_xlabel().endswith("\n* constant guess: noise")


def test_defenses_have_a_star_where_they_are_flagged():
    table = defended_table()
    table["flags"] = np.where(table["defense"].eq("l2-10"), FLAG, "")
    settings = {"title": "", "study": "a", "attacks": ["shifts"], "settings": [""], "n_train": None}
    settings |= {"strengths": {"none": 0.0, "l2-10": 10.0, "l2-1": 1.0}, "family": "l2", "axis": "", "scale": "linear"}
    above, below = strengths.plot(table, settings).axes
    assert stars(above) == [[10, 0.5]] and below.get_xlabel() == f"l2\n* {FLAG}: l2 10"
    families = {"none": ["none", "", 0], "l2-1": ["l2", "1", 0], "l2-10": ["l2", "10", 1]}
    settings = {"title": "", "study": "a", "attacks": ["shifts"], "n_train": None, "x": "gap", "families": families}
    (ax,) = tradeoff.plot(table, settings).axes
    assert stars(ax) == [[0, 0.5]] and ax.get_xlabel().endswith(f"* {FLAG}: l2 10")
    table = table.assign(metric=table["metric"].replace("accuracy", "precision"))
    (ax,) = outliers.plot(table[table["metric"].ne("train_accuracy")], settings).axes
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names == ["none, test 50.0 %", "l2 1, test 60.0 %", "l2 10*, test 40.0 %", "guard, test 50.0 %"]
    table = sizes_table()
    table["flags"] = np.where(table["study"].eq("b") & table["attack"].eq("gap"), FLAG, "")
    settings = {"title": "", "study": "a", "studies": ["b"], "attacks": ["gap", "max-confidence"], "defense": None}
    (ax,) = sizes.plot(table, settings).axes
    assert stars(ax) == [[20, 0.6]] and ax.get_xlabel().endswith(f"* {FLAG}: gap")


def test_a_users_matplotlibrc_changes_no_figure(tmp_path):
    def drawn():
        output = SimpleNamespace(png=tmp_path / "figure.png", pdf=tmp_path / "figure.pdf")
        style.save(roc.plot(scored(1), SETTINGS), output)
        return output.png.read_bytes(), output.pdf.read_bytes()

    expected = drawn()
    with plt.rc_context({"font.size": 20, "axes.grid": True, "savefig.facecolor": "red", "pdf.fonttype": 3}):
        assert drawn() == expected
        assert plt.rcParams["font.size"] == 20  # nor does a figure change what a user has set
