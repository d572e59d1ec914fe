"""A study with a defense, as tests of its configuration change it."""

import copy as copying

from tests.workflow.config.bad_cases import DEFAULT


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
