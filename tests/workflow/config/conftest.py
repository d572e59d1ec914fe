"""Files that studies of given models name."""

import numpy as np
import pytest

from tests.workflow.config.given_studies import KNOWN, N


@pytest.fixture
def given_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arrays = {"inputs": np.random.default_rng(0).random((N, 8, 8)), "classes": np.arange(N) % 3, "known": KNOWN}
    arrays |= {"few": np.where(np.arange(N) < 10, 1, KNOWN.clip(-1, 0)), "all": np.arange(N) % 2}
    arrays |= {"others": KNOWN.clip(-1, 0), "some": np.where(np.arange(N) < 10, 1, KNOWN.clip(-1, 0))}
    arrays |= {"mostly": np.where(np.arange(N) < 20, 0, 1), "hardly": np.where(np.arange(N) < 20, 1, -1)}
    np.savez("records.npz", **arrays)
    for name in ("mine.pt", "mine.ts"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/client.py").write_text("def build(shape, n_classes, address=None):\n    return None\n")
    (tmp_path / "plugins/training.py").write_text("def fit(inputs, classes, seed, epochs=1):\n    return None\n")
    monkeypatch.syspath_prepend(tmp_path)
