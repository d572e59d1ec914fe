"""A study of a given model, as tests of its configuration change it, and the files that it names."""

import re
from os import getcwd

import numpy as np
import pytest

from tests.workflow.config.bad_cases import changed
from workflow.config.load import ConfigError, check

STUDY = {"dataset": "records", "splits": "given", "model": "mine", "n_train": [500], "seeds": [0], "attacks": ["gap"]}
N = 200
API = {"kind": "http", "url": "http://127.0.0.1:9", "model": None, "weights": None}
KNOWN = np.r_[np.ones(60), np.zeros(80), -np.ones(60)]


def refuse(config, expected):
    """Expect that a configuration is refused by a message that begins so, "{folder}" being the working folder."""
    with pytest.raises(ConfigError, match=f"^{re.escape(expected.replace('{folder}', getcwd()))}"):
        check(config)


def given(study=None, dataset=None, target=None, **sections):
    config = changed("figures", value={})
    config["datasets"]["records"] = {"kind": "npz", "path": "records.npz", "membership": ["known"]} | (dataset or {})
    config["targets"] = {"mine": {"kind": "torch", "model": "mlp", "weights": "mine.pt"} | (target or {})}
    config["studies"]["audit"] = STUDY | (study or {})
    for section, entries in sections.items():
        config[section] = config.get(section, {}) | entries
    return config
