"""The models of a finished study, and the points that they are asked about."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lmia import artifacts
from lmia.models.asked_models import TrainedModels


def models(finished, role, evaluated=None, pool=None):
    root = finished.path / "results"
    names = {"dataset": "data/digits", "split": f"splits/small/n60-none/0-1/{role}"}
    names |= {"model": f"models/small/n60-none/0-1/{role}"}
    files = SimpleNamespace(**{name: root / f"{file}.npz" for name, file in names.items()})
    params = SimpleNamespace(model={"kind": "mlp", "hidden": [32]}, seeds="0-1", evaluated=evaluated, pool=pool)
    return TrainedModels(files, params, torch.device("cpu"), threads=1)


def test_starting_points_are_none_of_those_that_are_asked_about(finished, monkeypatch):
    data, _ = artifacts.load(finished.path / "results/data/digits.npz", "dataset")
    where = {image.tobytes(): number for number, image in enumerate(data["inputs"])}
    monkeypatch.setattr("lmia.asked_points.MAX_STARTING_POINTS", 500)
    for role in ("target", "shadow0"):
        loaded = models(finished, role)
        assert loaded.provenance["device"] == "cpu"
        pools = []
        for subject in loaded:
            assert torch.equal(subject.inputs, torch.from_numpy(data["inputs"][subject.ids]))
            assert (np.diff(subject.ids) > 0).all() and not subject.network.training
            points, classes = loaded.starting_points(subject)
            numbers = [where[point.numpy().tobytes()] for point in points]
            assert len(numbers) == 500 and not set(numbers) & set(subject.ids)
            np.testing.assert_array_equal(classes, data["classes"][numbers])
            pools.append(numbers)
        assert pools[0] != pools[1]


def test_a_population_holds_neither_members_nor_non_members_of_its_model(finished):
    data, _ = artifacts.load(finished.path / "results/data/digits.npz", "dataset")
    split, _ = artifacts.load(finished.path / "results/splits/small/n60-none/0-1/target.npz", "split")
    where = {image.tobytes(): number for number, image in enumerate(data["inputs"])}
    loaded = models(finished, "target", 10)
    for row, subject in enumerate(loaded):
        points, classes = loaded.population(subject, 1797 - 120)
        numbers = [where[point.numpy().tobytes()] for point in points]
        assert set(numbers) == set(range(1797)) - {*split["members"][row], *split["nonmembers"][row]}
        np.testing.assert_array_equal(classes, data["classes"][numbers])
        with pytest.raises(ValueError, match="population: expected at most 1677, .*, got 1678"):
            loaded.population(subject, 1678)


def test_each_model_is_that_of_its_seed(finished):
    saved = np.load(finished.path / "results/models/small/n60-none/0-1/target.npz")
    for subject in models(finished, "target"):
        for name, value in subject.network.state_dict().items():
            np.testing.assert_array_equal(value.numpy(), saved[f"{subject.seed}/{name}"])


def test_no_search_starts_at_a_member_that_is_not_asked_about(finished):
    data, _ = artifacts.load(finished.path / "results/data/digits.npz", "dataset")
    split, _ = artifacts.load(finished.path / "results/splits/small/n60-none/0-1/target.npz", "split")
    where = {image.tobytes(): number for number, image in enumerate(data["inputs"])}
    loaded = models(finished, "target", 10)
    for row, subject in enumerate(loaded):
        numbers = {where[point.numpy().tobytes()] for point in loaded.starting_points(subject)[0]}
        assert len(numbers) == 1797 - 60 - 10 and not numbers & {*split["members"][row], *subject.ids}


def test_models_of_a_pool_are_asked_the_same(finished, monkeypatch):
    """Two seeds that were trained on other points stand for a pair: what is drawn is the pool's, and equal."""
    monkeypatch.setattr("lmia.asked_points.MAX_STARTING_POINTS", 500)
    split, _ = artifacts.load(finished.path / "results/splits/small/n60-none/0-1/target.npz", "split")
    asked = [(models(finished, "target", pool=pool)) for pool in (3, 3, 4)]
    asked[1]._split = {name: split[other] for name, other in (("members", "nonmembers"), ("nonmembers", "members"))}
    taken = [next(iter(of)) for of in asked]
    assert [subject.draws for subject in taken] == [3, 3, 4] and next(iter(models(finished, "target"))).draws == 0
    starts = [of.starting_points(subject) for of, subject in zip(asked, taken, strict=True)]
    np.testing.assert_array_equal(taken[0].ids, taken[1].ids)  # whoever was trained on them
    np.testing.assert_array_equal(taken[0].ids, np.sort(np.concatenate([split["members"][0], split["nonmembers"][0]])))
    assert torch.equal(starts[0][0], starts[1][0]) and not torch.equal(starts[0][0], starts[2][0])
    numbers = [next(iter(models(finished, "target", 10, pool))).ids for pool in (3, 4)]
    assert len(numbers[0]) == 20 and not np.array_equal(*numbers) and set(numbers[0]) <= set(taken[0].ids)


def test_searches_of_records_in_question_start_where_those_of_known_ones_do(finished):
    known, asked = models(finished, "target", 10), models(finished, "target", 10)
    ids = np.stack([np.setdiff1d(np.arange(1797), subject.ids)[-30:] for subject in known])
    asked._split = asked._split | {"in_question": ids}
    for row, (one, other) in enumerate(zip(known, asked, strict=True)):
        assert other.ids.tolist() == ids[row].tolist()
        starts = known.starting_points(one)[0], asked.starting_points(other)[0]
        assert torch.equal(*starts)
