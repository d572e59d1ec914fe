"""Configurations with defenses: what cannot be trained or drawn is refused, and how figures group what can."""

import copy as copying

import pytest

from workflow.config.load import ConfigError, check

from .test_config import DEFAULT


def defended(**studies_defense):
    """The default study with a defense, and a second study with options of its own."""
    config = copying.deepcopy(DEFAULT)
    config["defenses"] = {"none": {"kind": "none"}, "mine": studies_defense.pop("defense")}
    config["studies"]["digits-mlp"]["defenses"] = ["none", "mine"]
    config["studies"]["other"] = config["studies"]["digits-mlp"] | {"defenses": ["none"], "attacks": []}
    config["studies"]["other"] |= studies_defense
    for figure in config["figures"].values():
        figure["defense"] = "none" if figure["study"] == "digits-mlp" and figure["kind"] != "gallery" else None
    return config


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
    "private but for its start": (
        {"defense": {"kind": "dp_sgd", "epochs": 1, "noise": 1, "source": "other"}},
        "defenses.mine.source: other: other was trained on digits too, which epsilon does not count",
    ),
    "batch norm": (
        {"defense": {"kind": "dp_sgd", "epochs": 1, "noise": 1}, "model": "wrn", "defenses": ["none", "mine"]},
        "models.wrn.norm: batch: mixes examples, so mine cannot train it; set norm: group",
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
