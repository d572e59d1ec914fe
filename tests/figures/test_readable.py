"""Every kind of figure can be read: no text is cut off or lies on another, legends are whole, nothing is clipped."""

import pkgutil
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import lmia.figures
from lmia import plugins
from lmia.evaluation.metrics_table import ALL_SEEDS, CALLED, COLUMNS
from lmia.figures import style
from tests.figures.looks import faults

KINDS = [
    module.name
    for module in pkgutil.iter_modules(lmia.figures.__path__)
    if hasattr(plugins.load("figures", module.name), "plot")
]


@dataclass
class Case:
    """How much a figure has to show."""

    n_attacks: int
    n_seeds: int
    title: str
    names: str
    has_flags: bool

    @property
    def attacks(self):
        return [self.names.format(number) for number in range(self.n_attacks)]

    @property
    def flags(self):
        return ("", "constant guess", "99 of 100 searches censored; shadow at chance") if self.has_flags else ("",)


SHORT = dict(title="Digits", names="attack-{}", has_flags=False)
LONG = dict(
    title="CIFAR-10, n = 2,500: a wide residual network, trained with everything that is known to help",
    names="boundary-economical-with-augmented-copies-{}",
    has_flags=True,
)
CASES = {
    f"{n_attacks} {name}, {n_seeds} seeds": Case(n_attacks, n_seeds, **texts)
    for name, texts, numbers in (("short", SHORT, (1, 3)), ("long", LONG, (3, 12)))
    for n_attacks in numbers
    for n_seeds in (1, 3)
}
DEFENSES = ("none", "l2-1", "l2-10", "dropout-0.5", "adversarial-regularization-10")


def rows(case, metrics=("accuracy",), settings=("",), sizes=(100,), defenses=("none",), attacks=None, spread=0.02):
    """A table of everything that is named, over seeds and of each seed, with numbers close to one another."""
    rng, found = np.random.default_rng(0), []
    for n in sizes:
        for defense in defenses:
            for attack in case.attacks if attacks is None else attacks:
                for setting in settings:
                    for metric in metrics:
                        value = 0.7 + spread * rng.standard_normal() if attack else rng.uniform(0.3, 1)
                        same = {"study": "s", "n_train": n, "defense": defense, "attack": attack, "setting": setting}
                        same |= {"metric": metric, "queries": float(setting.partition("=")[2] or 50)}
                        same |= {"access": ("label", "confidence", "white-box")[len(found) % 3]}
                        same |= {"flags": case.flags[len(found) % len(case.flags)] if attack else ""}
                        ends = {"value": value, "ci_low": value - 0.05, "ci_high": min(value + 0.05, 1)}
                        found += [
                            dict.fromkeys(COLUMNS, "") | same | ends | {"seed": str(s)} for s in range(case.n_seeds)
                        ]
                        found.append(dict.fromkeys(COLUMNS, "") | same | ends | {"seed": ALL_SEEDS})
    return pd.DataFrame(found)


def models(case, defenses=("none",), sizes=(100,)):
    return rows(case, ("train_accuracy", "test_accuracy"), sizes=sizes, defenses=defenses, attacks=[""])


def options(case, **more):
    same = {"title": case.title, "study": "s", "n_train": None, "defense": None, "attacks": case.attacks, "lines": []}
    return same | more


def scored(case):
    """Of every third attack scores that are all different, few, or two."""
    rng, found = np.random.default_rng(0), {}
    for number, attack in enumerate(case.attacks):
        seeds = []
        for _ in range(case.n_seeds):
            is_member = np.arange(400) < 200
            scores = rng.standard_normal(400) + is_member
            seeds.append(((scores, scores.round(), (scores > 0).astype(float))[number % 3], is_member))
        found[attack] = seeds
    return found


def of_bars(case, defenses=DEFENSES):
    table = pd.concat([rows(case, defenses=defenses), models(case, defenses)])
    return table, options(case, defenses=[])


def of_sweep(case):
    table = rows(case, settings=("", *(f"degrees={n}" for n in range(1, 8))))
    lines = case.attacks[1:]
    return table, options(case, attacks=case.attacks[:1], lines=lines, axes={"degrees": "rotation r (degrees)"})


def of_queries(case, metric="tpr_at_0.01_fpr"):
    table = rows(case, (metric,), settings=("", "budget=5", "budget=10", "budget=2000"))
    table.loc[table.index[:3], ["value", "ci_low"]] = 0
    return table, options(case, metric=metric, attacks=case.attacks[::2], lines=case.attacks[1::2])


def of_shadows(case):
    table = rows(case, ("auc",), settings=("", *(f"shadows={n}" for n in (2, 4, 8, 60, 61, 62))))
    return table, options(case, metric="auc", all_shadows=62, pools=["s"])


def of_sizes(case):
    table = rows(case, sizes=(100, 1000, 2000, 2500, 30000), defenses=("none", "memguard"))
    return table, options(case, studies=[])


def of_strengths(case):
    defenses, settings = ("none", "l2-1", "l2-10"), ("", "pixels=1", "pixels=2")
    table = pd.concat([rows(case, settings=settings, defenses=defenses), models(case, defenses)])
    strengths = {"none": 0.0, "l2-1": 1.0, "l2-10": 10.0}
    axis = "trained on all shifts by up to so many pixels, and on their mirror images too"
    more = {"strengths": strengths, "family": "l2", "axis": axis, "scale": "linear", "settings": list(settings)}
    return table, options(case, **more)


def of_tradeoff(case, x="gap", metric="accuracy"):
    """Kinds of four strengths, as many as there are attacks, and most of them where no model learns anything."""
    kinds = [f"{case.names.format(kind)}-regularization" for kind in range(case.n_attacks)]
    families = {"none": ["none", "", 0]}
    families |= {f"{kind}-{rank}": [kind, f"{0.001 * 10**rank:g}", rank] for kind in kinds for rank in range(4)}
    attack = rows(case, (metric,), defenses=list(families), attacks=case.attacks[:1])
    table = pd.concat([attack, models(case, list(families))])
    is_model, low = table["attack"].eq(""), table["defense"].str.endswith(("1", "2", "3"))
    table.loc[low & is_model, "value"] = 0.15
    table.loc[low & ~is_model, ["value", "ci_low", "ci_high"]] = 0.5, 0.47, 0.53
    if metric != "accuracy":
        table.loc[low & ~is_model, ["value", "ci_low", "ci_high"]] = 0.01, 0, 0.02
        table.loc[table["defense"].str.endswith("3") & ~is_model, "value"] = 0
    return table, options(case, attacks=case.attacks[:1], x=x, metric=metric, families=families)


def of_outliers(case):
    defenses = [f"{case.names.format(n)}-strong" for n in range(case.n_attacks)]
    attack = case.attacks[:1]
    table = pd.concat(
        [
            rows(case, ("precision", "outlier_precision", CALLED), defenses=defenses, attacks=attack),
            models(case, defenses),
        ]
    )
    counts = table["metric"].eq(CALLED)
    table.loc[counts, "value"] = np.arange(counts.sum()) * 3
    table.loc[counts, ["ci_low", "ci_high"]] = np.nan
    return table, options(case, attacks=attack)


def of_epsilon(case):
    table = pd.concat([rows(case, ("epsilon_one_run",), defenses=DEFENSES), models(case, DEFENSES)])
    table["value"] = table["value"].where(table["defense"].ne("none"), 0.0)
    table.loc[table["defense"].eq("l2-10"), "value"] *= 4
    private = rows(case, ("epsilon",), defenses=DEFENSES[1:4], attacks=[""])
    private["value"] = private["defense"].map({"l2-1": 1, "l2-10": 8.2, "dropout-0.5": [123456, 12][case.n_seeds > 1]})
    return pd.concat([table, private], ignore_index=True), options(case, level=0.95, delta=1e-5)


def of_gallery(case):
    shape = (3, 6, 1, 4, 4)
    images = {
        name: (np.ones(shape), [0.0123456 * k for k in range(6)], "expected number of flips")
        for name in case.attacks[:4]
    }
    return np.zeros((3, 1, 4, 4)), images, {"title": case.title}


MADE = {
    "bars": [of_bars, lambda case: of_bars(case, ("none",))],
    "sweep": [of_sweep],
    "queries": [of_queries, lambda case: of_queries(case, "accuracy")],
    "shadows": [of_shadows],
    "sizes": [of_sizes],
    "roc": [lambda case: (scored(case), options(case))],
    "histogram": [lambda case: (scored(case), options(case, attacks=case.attacks[:1], observation="labels"))],
    "gallery": [of_gallery],
    "strengths": [of_strengths],
    "tradeoff": [
        of_tradeoff,
        lambda case: of_tradeoff(case, "test_accuracy"),
        lambda case: of_tradeoff(case, metric="tpr_at_0.01_fpr"),
    ],
    "outliers": [of_outliers],
    "epsilon": [of_epsilon],
}


def test_every_kind_of_figure_is_looked_at():
    assert sorted(MADE) == sorted(KINDS)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kind", KINDS)
def test_figures_can_be_read(kind, name):
    for make in MADE[kind]:
        drawn = plugins.load("figures", kind).plot(*make(CASES[name]))
        assert isinstance(drawn.figure, Figure)
        with style.look():
            assert list(faults(drawn.figure)) == []
        assert drawn.remarks and all(line.endswith(".") and "\n" not in line for line in drawn.remarks)
