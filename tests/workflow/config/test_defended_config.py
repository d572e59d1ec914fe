"""Configurations with defenses: what cannot be trained or drawn is refused, and how figures group what can."""

import copy as copying
import importlib
import zlib

import pytest

from tests.workflow.config.bad_cases import DEFAULT
from tests.workflow.config.defended_studies import defended
from workflow.config.load import ConfigError, check

TABLE = {"kind": "torchvision", "name": "MNIST", "download": False}
BAD_DEFENSES = {
    "another model": (
        {"defense": {"kind": "transfer", "source": "other"}, "model": "cnn"},
        "defenses.mine.source: other: has model cnn, not mlp; both need the same",
    ),
    "another shape": (
        {"defense": {"kind": "transfer", "source": "other"}, "dataset": "larger"},
        r"defenses.mine.source: other: has inputs of shape \[1, 28, 28\], digits of \[1, 8, 8\]; both need the same",
    ),
    "start from itself": (
        {"defense": {"kind": "transfer", "source": "other"}, "defenses": ["mine"]},
        r"defenses.mine.source: other: starts from itself in the end \(other\)",
    ),
    "start from the same data": (
        {"defense": {"kind": "transfer", "source": "other"}},
        "defenses.mine.source: other: other was trained on digits too, which non-members may have been members of",
    ),
    "private but for its start": (
        {"defense": {"kind": "dp_sgd", "epochs": 1, "noise": 1, "source": "other"}},
        "defenses.mine.source: other: other was trained on digits too, which epsilon does not count",
    ),
    "batch norm": (
        {"defense": {"kind": "dp_sgd", "epochs": 1, "noise": 1}, "model": "wrn", "defenses": ["none", "mine"]},
        "models.wrn.norm: batch: mixes examples, so mine cannot train it; set norm: group",
    ),
    "mean of untrained weights": (
        {"defense": {"kind": "dp_sgd", "epochs": 20, "noise": 1, "average": 0.9999}, "n_train": [200]},
        "defenses.mine.average: 0.9999: after 40 steps with 200 members, untrained weights are still 99.6% of the "
        "mean; use at most 0.927, or more epochs",
    ),
    "mean of an untrained last layer": (
        {
            "defense": {"kind": "dp_sgd", "epochs": 20, "noise": 1, "average": 0.999, "source": "other"},
            "n_train": [200],
        },
        "defenses.mine.average: 0.999: after 40 steps with 200 members, untrained weights are still 96.1% of the mean",
    ),
    "decay apart from the loss": (
        {
            "defense": {"kind": "weight_decay", "strength": 1},
            **{"defenses": ["mine"], "training": {"optimizer": "sgd"}},
        },
        "defenses.mine: decays weights apart from the loss, which adam does, and .*training.optimizer is sgd",
    ),
    "nothing left": (
        {
            "defense": {"kind": "adversarial_regularization", "strength": 1, "epochs": 1},
            **{"defenses": ["mine"], "n_train": [898], "splits": "halves"},
        },
        "defenses.mine: learns from points beside members and non-members, of which halves leave 1 of the 1797",
    ),
}


@pytest.mark.parametrize("case", BAD_DEFENSES)
def test_defenses_that_cannot_be_trained_are_refused(case):
    changes, expected = BAD_DEFENSES[case]
    config = defended(**changes)
    config["datasets"]["larger"] = TABLE
    config["models"]["wrn"] = {"kind": "wide_resnet", "depth": 10}
    with pytest.raises(ConfigError, match=expected):
        check(config)


BAD_FIGURES = {
    "two attacks": (
        {"kind": "tradeoff", "attacks": ["gap", "boundary"]},
        "figures.mine.attacks: .*: tradeoff shows one attack; name one",
    ),
    "one defense": (
        {"kind": "tradeoff", "attacks": ["gap"], "defense": "mine"},
        "figures.mine.defense: unknown key",
    ),
    "unknown family": (
        {"kind": "strengths", "family": "l1"},
        "figures.mine.family: l1: not defined under the defenses of digits-mlp; expected one of: none, l2",
    ),
    "no strength": (
        {"kind": "strengths", "family": "none"},
        "figures.mine.family: none: has no strength to draw along",
    ),
    "log of 0": (
        {"kind": "strengths", "family": "l2", "scale": "log"},
        "figures.mine.scale: log: has no place for strength 0",
    ),
    "unknown setting": (
        {"kind": "strengths", "family": "l2", "attacks": ["translation"], "settings": ["pixels=9"]},
        "figures.mine.settings: pixels=9: translation has no such setting; did you mean pixels=",
    ),
}


@pytest.mark.parametrize("case", BAD_FIGURES)
def test_figures_of_defenses_that_cannot_be_drawn_are_refused(case):
    figure, expected = BAD_FIGURES[case]
    config = defended(defense={"kind": "l2", "strength": 0.1})
    config["figures"]["mine"] = {"study": "digits-mlp"} | figure
    with pytest.raises(ConfigError, match=expected):
        check(config)
    config["figures"]["mine"] = {"study": "digits-mlp", "kind": "strengths", "family": "l2", "attacks": ["gap"]}
    check(config)


def grouped(**defenses):
    """(configuration, study) of the default study with these defenses."""
    config = copying.deepcopy(DEFAULT) | {"figures": {}}
    config["defenses"] = {"none": {"kind": "none"}} | defenses
    config["studies"]["digits-mlp"]["defenses"] = list(config["defenses"])
    checked = check(config)
    return checked, checked.studies["digits-mlp"]


PRIVATE = {
    "strict": {"kind": "dp_sgd", "epochs": 1, "epsilon": 1},
    "loose": {"kind": "dp_sgd", "epochs": 1, "epsilon": 100},
    "noisy": {"kind": "dp_sgd", "epochs": 1, "noise": 0.5},
}


def families_of(**defenses):
    checked, study = grouped(**defenses)
    return checked.families(study)


def test_families_are_ranked_from_weak_to_strong():
    norms = {"much": {"kind": "l2", "strength": 1}, "little": {"kind": "l2", "strength": 0.01}}
    assert families_of(**norms, **PRIVATE) == {
        "none": ["none", "", 0],
        "much": ["l2", "1", 1],
        "little": ["l2", "0.01", 0],
        "strict": ["dp_sgd", "1", 1],
        "loose": ["dp_sgd", "100", 0],
        "noisy": ["dp_sgd by noise", "0.5", 0],
    }


def test_no_defense_is_strength_0_only_where_that_is_weak():
    stops = {"early": {"kind": "early_stopping", "epochs": 5}, "late": {"kind": "early_stopping", "epochs": 20}}
    checked, study = grouped(**stops, **PRIVATE)
    assert checked.strengths(study, "early_stopping") == {"early": 5, "late": 20}
    assert checked.strengths(study, "dp_sgd") == {"strict": 1, "loose": 100}
    assert checked.strengths(study, "dp_sgd by noise") == {"none": 0, "noisy": 0.5}


LEVELS = """MAGNITUDES = "levels"


class Perturbation:
    unit = "level"

    def __init__(self, levels):
        self.magnitudes = levels

    def blocks(self, inputs, streams):
        pass
"""
SMOOTH = """from lmia.defenses.base import Defense as Base

STRENGTH = "amount"


class Defense(Base):
    def __init__(self, amount, times=1):
        pass
"""


def plugged(tmp_path, monkeypatch, levels=LEVELS, smooth=SMOOTH, values=(0.5, 1), amount=0.1):
    """A configuration with a perturbation and a defense of one's own, a claim and a figure of them."""
    package = tmp_path / f"hooks{zlib.crc32(f'{levels}{smooth}'.encode())}"  # sources are read once in a process
    package.mkdir()
    (package / "levels.py").write_text(levels)
    (package / "smooth.py").write_text(smooth)
    monkeypatch.syspath_prepend(tmp_path)
    config = defended(defense={"kind": f"{package.name}.smooth", "amount": amount})
    config["queries"]["levels"] = {"kind": f"{package.name}.levels", "levels": list(values)}
    config["attacks"]["level"] = {"kind": "vote", "reads": "levels"}
    claim = {"says": "more", "study": "digits-mlp", "attacks": ["level"], "against": ["gap"], "settings": ["level=0.5"]}
    config["exhibits"] = {"mine": {"title": "Mine", "claims": [claim]}}
    config["figures"]["mine"] = {"kind": "strengths", "study": "digits-mlp", "family": f"{package.name}.smooth"}
    config["figures"]["swept"] = {"kind": "sweep", "study": "digits-mlp", "attacks": ["level"], "defense": "none"}
    return config


def test_claims_name_magnitudes_and_figures_strengths_of_plug_ins(tmp_path, monkeypatch):
    checked = check(plugged(tmp_path, monkeypatch))
    assert checked.settings_of("level") == ["", "level=0.5", "level=1"]
    assert checked.figures["mine"].params(checked)["strengths"] == {"none": 0.0, "mine": 0.1}
    checked = check(plugged(tmp_path, monkeypatch, smooth=f"WEAKENS = True\n{SMOOTH}"))
    assert checked.figures["mine"].params(checked)["strengths"] == {"mine": 0.1}


BAD_HOOKS = {
    "an unknown strength": (
        {"smooth": SMOOTH.replace('"amount"', '"amonut"')},
        "defenses.mine.kind: .*.smooth: STRENGTH names amonut, which Defense does not take; did you mean amount?",
    ),
    "a strength that is not given": (
        {"smooth": SMOOTH.replace('"amount"', '"times"')},
        "defenses.mine.times: None: STRENGTH of .*.smooth names it; give it a number",
    ),
    "a text as strength": ({"amount": "much"}, "defenses.mine.amount: much: STRENGTH .*; give it a number"),
    "unknown magnitudes": (
        {"levels": LEVELS.replace('"levels"', '"level"')},
        "queries.levels.kind: .*: MAGNITUDES names level, which Perturbation does not take; did you mean levels?",
    ),
    "magnitudes that are no numbers": (
        {"values": [True]},
        "queries.levels.levels: .True.: MAGNITUDES of .*.levels names it; give it a list of numbers",
    ),
    "no unit": (
        {"levels": LEVELS.replace("unit", "name")},
        "queries.levels.kind: .*.levels: MAGNITUDES needs `unit` of Perturbation as a plain text without "
        '"="; write what the magnitudes count, as unit = "degrees"$',
    ),
    "a unit of another module": (
        {"levels": LEVELS.replace('"level"', "UNIT")},
        "queries.levels.kind: .*.levels: MAGNITUDES needs `unit` of Perturbation as a plain text",
    ),
    "a unit that settings cannot have": (
        {"levels": LEVELS.replace('"level"', '"a=b"')},
        "queries.levels.kind: .*.levels: MAGNITUDES needs `unit` of Perturbation as a plain text",
    ),
    "another magnitude": (
        {"values": [1, 2]},
        "exhibits.mine.claims.0.settings: level=0.5: level has no such setting; did you mean level=",
    ),
}


@pytest.mark.parametrize("case", BAD_HOOKS)
def test_constants_of_plug_ins_that_name_no_numbers_are_refused(case, tmp_path, monkeypatch):
    changes, expected = BAD_HOOKS[case]
    with pytest.raises(ConfigError, match=f"^{expected}") as error:
        check(plugged(tmp_path, monkeypatch, **changes))
    assert len(str(error.value).splitlines()) == 1


def test_settings_have_the_unit_that_the_perturbation_has():
    queries = [query for query in check(DEFAULT).queries.values() if query.magnitudes()]
    units = [importlib.import_module(query.module).Perturbation.unit for query in queries]
    assert len(queries) > 3 and [query.magnitudes()[0].partition("=")[0] for query in queries] == units
