"""The models of a finished run as the query scripts get them."""

from types import SimpleNamespace

import numpy as np
import torch

from lmia import artifacts
from workflow import frozen


def models(finished, role, evaluated=None):
    root = finished.path / "results"
    files = {"dataset": "data/digits", "split": f"splits/small/n60-none/0-1/{role}"}
    files |= {"model": f"models/small/n60-none/0-1/{role}"}
    inputs = SimpleNamespace(**{name: root / f"{file}.npz" for name, file in files.items()})
    params = SimpleNamespace(model={"kind": "mlp", "hidden": [32]}, evaluated=evaluated)
    job = SimpleNamespace(input=inputs, params=params, config={"device": "cpu"}, threads=1)
    return frozen.FrozenModels(job, [0, 1])


def test_starting_points_are_none_of_those_that_are_asked_about(finished, monkeypatch):
    data, _ = artifacts.load(finished.path / "results/data/digits.npz", "dataset")
    where = {image.tobytes(): number for number, image in enumerate(data["inputs"])}
    monkeypatch.setattr(frozen, "POOL", 500)
    for role in ("target", "shadow0"):
        loaded = models(finished, role)
        assert loaded.provenance["device"] == "cpu"
        pools = []
        for seed, _, inputs, _, ids in loaded:
            assert torch.equal(inputs, torch.from_numpy(data["inputs"][ids])) and (np.diff(ids) > 0).all()
            points, classes = loaded.pool(seed, ids)
            numbers = [where[point.numpy().tobytes()] for point in points]
            assert len(numbers) == 500 and not set(numbers) & set(ids)
            np.testing.assert_array_equal(classes, data["classes"][numbers])
            pools.append(numbers)
        assert pools[0] != pools[1]


def test_fewer_points_are_some_of_more_and_as_many_of_each_kind(finished):
    split, _ = artifacts.load(finished.path / "results/splits/small/n60-none/0-1/target.npz", "split")
    points = {n: [ids for *_, ids in models(finished, "target", n)] for n in (20, 40, None, 1000)}
    for row, members in enumerate(split["members"]):
        assert [np.isin(of[row], members).sum() for of in points.values()] == [20, 40, 60, 60]
        assert [len(of[row]) for of in points.values()] == [40, 80, 120, 120]
        assert set(points[20][row]) < set(points[40][row]) < set(points[None][row])


def test_no_search_starts_at_a_member_that_is_not_asked_about(finished):
    data, _ = artifacts.load(finished.path / "results/data/digits.npz", "dataset")
    split, _ = artifacts.load(finished.path / "results/splits/small/n60-none/0-1/target.npz", "split")
    where = {image.tobytes(): number for number, image in enumerate(data["inputs"])}
    loaded = models(finished, "target", 10)
    for row, (seed, *_, ids) in enumerate(loaded):
        numbers = {where[point.numpy().tobytes()] for point in loaded.pool(seed, ids)[0]}
        assert len(numbers) == 1797 - 60 - 10 and not numbers & {*split["members"][row], *ids}
