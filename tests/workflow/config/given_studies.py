"""A study of a given model, as tests of its configuration change it, and the files that it names."""

import numpy as np

from tests.workflow.config.bad_cases import changed

STUDY = {"dataset": "records", "splits": "given", "model": "mine", "n_train": [500], "seeds": [0], "attacks": ["gap"]}
N = 200
API = {"kind": "http", "url": "http://127.0.0.1:9", "model": None, "weights": None}
KNOWN = np.r_[np.ones(60), np.zeros(80), -np.ones(60)]


def given(study=None, dataset=None, target=None, **sections):
    config = changed("figures", value={})
    config["datasets"]["records"] = {"kind": "npz", "path": "records.npz", "membership": ["known"]} | (dataset or {})
    config["targets"] = {"mine": {"kind": "torch", "model": "mlp", "weights": "mine.pt"} | (target or {})}
    config["studies"]["audit"] = STUDY | (study or {})
    for section, entries in sections.items():
        config[section] = config.get(section, {}) | entries
    return config
