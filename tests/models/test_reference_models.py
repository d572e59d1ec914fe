"""Shadows beside the models that are asked: of each point, those that were not trained on it."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lmia import artifacts
from lmia.models import mlp
from lmia.models.asked_models import TrainedModels
from lmia.models.checkpoints import to_arrays
from lmia.models.reference_models import ReferenceModels

SEEDS, SIZE = (4, 5), 12
# Of two seeds: the asked shadow's points are 0 to 7; the others were trained on half of them, on two, and on none.
ASKED = np.array([[0, 1, 2, 3], [4, 5, 6, 7]])
TRAINED_ON = {"first": [[0, 1, 4, 5], [0, 1, 2, 3]], "second": [[0, 2, 10, 11], [6, 7, 8, 9]], "third": [[8, 9]] * 2}


@pytest.fixture
def files(tmp_path):
    """Artifacts by name: the data set, and splits and models of the asked shadow and of three others."""
    inputs = np.random.default_rng(0).random((SIZE, 3), np.float32)
    artifacts.save(tmp_path / "dataset.npz", "dataset", {"inputs": inputs, "classes": np.arange(SIZE) % 2}, {})
    for name, members in {"asked": ASKED, **TRAINED_ON}.items():
        split = {"members": np.array(members), "nonmembers": 7 - np.array(members) if name == "asked" else ASKED}
        artifacts.save(tmp_path / f"{name}-split.npz", "split", split, {})
        arrays = {}
        for seed in SEEDS:
            torch.manual_seed(seed + 10 * len(name))
            arrays |= to_arrays(mlp.build((3,), 2, hidden=[4]), seed)
        artifacts.save(tmp_path / f"{name}-model.npz", "model", arrays, {})
    return tmp_path


def references(files, most, names=tuple(TRAINED_ON)):
    """(models that are asked, references of theirs)."""
    asked = SimpleNamespace(dataset=files / "dataset.npz", split=files / "asked-split.npz")
    asked.model = files / "asked-model.npz"
    spec = {"kind": "mlp", "hidden": [4], "initialization": "torch"}
    params = SimpleNamespace(model=spec, seeds="4-5", evaluated=None, pool=None)
    models = TrainedModels(asked, params, torch.device("cpu"), threads=1)
    paths = ([files / f"{name}-{kind}.npz" for name in names] for kind in ("model", "split"))
    return models, ReferenceModels(models, *paths, most)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_point_has_the_first_references_that_were_not_trained_on_it(files, most):
    models, beside = references(files, most)
    for row, subject in enumerate(models):
        groups = beside.without(subject)
        assert sorted(np.concatenate([rows for rows, _ in groups])) == list(range(8)) and len(subject.ids) == 8
        for rows, networks in groups:
            for example in subject.ids[rows]:
                names = [name for name, members in TRAINED_ON.items() if example not in members[row]][:most]
                assert len(networks) == len(names)
                for network, name in zip(networks, names, strict=True):
                    saved = np.load(files / f"{name}-model.npz")
                    assert not network.training
                    for weight, value in network.state_dict().items():
                        np.testing.assert_array_equal(value.numpy(), saved[f"{subject.seed}/{weight}"])


def test_a_point_that_all_were_trained_on_has_none(files):
    models, beside = references(files, 1, ("first", "second"))
    seen = [{0}, set()]
    for subject, expected in zip(models, seen, strict=True):
        rows = np.concatenate([rows for rows, _ in beside.without(subject)])
        assert set(subject.ids) - set(subject.ids[rows]) == expected


def test_models_and_points_of_those_who_are_asked_stay_what_they_are(files):
    models, _ = references(files, 1)
    for row, subject in enumerate(models):
        assert subject.seed == SEEDS[row] == models.seeds[row] and subject.ids.tolist() == list(range(8))
        saved = np.load(files / "asked-model.npz")
        for weight, value in subject.network.state_dict().items():
            np.testing.assert_array_equal(value.numpy(), saved[f"{subject.seed}/{weight}"])
