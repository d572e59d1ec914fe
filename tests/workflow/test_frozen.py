"""The models of a finished run as the query scripts get them."""

from types import SimpleNamespace

import numpy as np
import torch

from lmia import artifacts
from workflow import frozen


def models(finished, role):
    root = finished.path / "results"
    files = {"dataset": "data/digits", "split": f"splits/small/n60-none/0-1/{role}"}
    files |= {"model": f"models/small/n60-none/0-1/{role}"}
    inputs = SimpleNamespace(**{name: root / f"{file}.npz" for name, file in files.items()})
    params = SimpleNamespace(model={"kind": "mlp", "hidden": [32]})
    return frozen.FrozenModels(SimpleNamespace(input=inputs, params=params), [0, 1])


def test_starting_points_are_none_of_those_that_are_asked_about(finished, monkeypatch):
    data, _ = artifacts.load(finished.path / "results/data/digits.npz", "dataset")
    where = {image.tobytes(): number for number, image in enumerate(data["inputs"])}
    monkeypatch.setattr(frozen, "POOL", 500)
    for role in ("target", "shadow0"):
        loaded = models(finished, role)
        pools = []
        for seed, _, inputs, _, ids in loaded:
            assert torch.equal(inputs, torch.from_numpy(data["inputs"][ids])) and (np.diff(ids) > 0).all()
            points, classes = loaded.pool(seed, ids)
            numbers = [where[point.numpy().tobytes()] for point in points]
            assert len(numbers) == 500 and not set(numbers) & set(ids)
            np.testing.assert_array_equal(classes, data["classes"][numbers])
            pools.append(numbers)
        assert pools[0] != pools[1]
