"""Captions say what intervals are over, and why something is flagged."""

import pandas as pd
import pytest

from lmia.figures import remarks

ROW = {"study": "s", "defense": "none", "attack": "gap", "setting": "", "metric": "accuracy", "value": 0.6}
ROW |= {"ci_low": 0.5, "ci_high": 0.7, "flags": ""}


def table(**n_seeds):
    """Rows of models of several sizes, as n100=3, over their seeds and of each."""
    rows = []
    for name, n in n_seeds.items():
        same = ROW | {"n_train": int(name[1:])}
        rows += [same | {"seed": str(seed)} for seed in range(n)] + [same | {"seed": "all"}]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    "n_seeds, said",
    [
        ({"n100": 3}, "Bands: 95 % intervals over 3 seeds."),
        ({"n100": 1}, "Bands: 95 % intervals over points of one seed."),
        (
            {"n100": 1, "n2500": 3, "n5000": 1},
            "Bands: 95 % intervals over points of one seed (n = 100; 5,000); over 3 seeds (n = 2,500).",
        ),
    ],
)
def test_intervals_are_over_seeds_or_over_the_points_of_one(n_seeds, said):
    rows = table(**n_seeds)
    assert remarks.intervals(rows[rows["seed"].eq("all")], rows, {}, "Bands") == [said]


def test_intervals_of_a_pool_are_over_its_models_and_their_examples():
    rows = table(n100=4)
    told = remarks.intervals(rows[rows["seed"].eq("all")], rows, {"pools": ["s"]}, "Bands")
    assert told == ["Bands: 95 % intervals over 4 models and their examples."]


def test_where_nothing_has_an_interval_none_is_spoken_of():
    rows = table(n100=1).assign(ci_low=float("nan"))
    assert remarks.intervals(rows[rows["seed"].eq("all")], rows, {}, "Bands") == []


def test_each_flag_is_told_once_with_all_that_have_it():
    rows = pd.DataFrame(
        ROW | {"attack": attack, "flags": flags, "n_train": n}
        for attack, n, flags in [
            ("gap", 100, "constant guess"),
            ("noise", 100, "constant guess; shadow at chance"),
            ("noise", 2500, "constant guess"),
        ]
    )
    assert remarks.flagged(rows, "Hollow") == [
        "Hollow: constant guess: all.",
        "Hollow: shadow at chance: noise.",
    ]
    assert remarks.flagged(rows, "Hollow", with_size=True) == [
        "Hollow at n = 100: constant guess: gap.",
        "Hollow at n = 100; 2,500: constant guess: noise.",
        "Hollow at n = 100: shadow at chance: noise.",
    ]
    assert remarks.flagged(rows.assign(flags=""), "Hollow") == []
