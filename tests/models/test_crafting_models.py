"""Models that queries are crafted from: which know what, and whose queries a target is asked."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lmia import artifacts
from lmia.journal import Journal
from lmia.models import mlp
from lmia.models.checkpoints import to_arrays
from lmia.models.crafting_models import CraftedQueries, CraftingModels, fold_of
from lmia.splits import draw_block
from workflow.scripts.craft_queries import craft

N_TRAIN, N, POOL = 10, 60, 4
MODEL = {"kind": "mlp", "hidden": [6], "initialization": "torch"}
BLOCKS = {"6-9": [6, 7, 8, 9], "0-1": [0, 1]}  # in another order than their pairs


def write(folder, blocks, role, changed=()):
    """Files of a data set and of models and splits in a folder; changed: models whose weights are others."""
    folder.mkdir(exist_ok=True)
    numbers = np.random.default_rng(0)
    data = {"inputs": numbers.random((N, 4), np.float32), "classes": np.arange(N) % 3}
    artifacts.save(folder / "data.npz", "dataset", data, {})
    files = SimpleNamespace(dataset=folder / "data.npz", splits=[], models=[])
    for name, seeds in blocks.items():
        role_of_block = name if role is None else role
        split, arrays = draw_block("pool", N, N_TRAIN, seeds, role_of_block, pool=POOL), {}
        for row, seed in enumerate(seeds):
            torch.manual_seed(100 * (name == "surrogate1") + seed + 1000 * (seed in changed))
            arrays |= to_arrays(mlp.build((4,), 3, hidden=[6]), seed)
            if seed in changed:  # what it was trained on as well, and its partner
                parts = [part[row].copy() for part in split.values()]
                if len(parts[0]) == len(parts[1]):
                    split["members"][row], split["nonmembers"][row] = parts[1], parts[0]
        for kind, given, paths in (("split", split, files.splits), ("model", arrays, files.models)):
            artifacts.save(path := folder / f"{kind}-{name}.npz", kind, given, {"seeds": seeds})
            paths.append(path)
    return files


def models_of(files, crafted_from, evaluated=None):
    params = SimpleNamespace(model=MODEL, crafted_from=crafted_from, pool=POOL, evaluated=evaluated)
    return CraftingModels(files, params, torch.device("cpu"), 1)


def test_surrogates_are_one_fold_that_knows_nothing(tmp_path):
    files = write(tmp_path, {"surrogate0": [POOL], "surrogate1": [POOL]}, None)
    models = models_of(files, "surrogates")
    ((networks, knows),) = models.folds()
    assert len(networks) == 2 and knows.shape == (2, 2 * N_TRAIN) and not knows.any()
    assert not torch.equal(next(networks[0].parameters()), next(networks[1].parameters()))
    fewer = models_of(files, "surrogates", evaluated=3)
    assert len(fewer.ids) == 6 and np.isin(fewer.ids, models.ids).all()
    np.testing.assert_array_equal(fewer.inputs, artifacts.load(files.dataset)[0]["inputs"][fewer.ids])


@pytest.mark.parametrize("crafted_from", ["surrogates", "pool"])
def test_canaries_are_what_models_are_given(tmp_path, crafted_from):
    files = write(tmp_path, *{"surrogates": ({"surrogate0": [POOL]}, None), "pool": (BLOCKS, "target")}[crafted_from])
    right = models_of(files, crafted_from)
    for path in files.splits:
        arrays, provenance = artifacts.load(path)
        canaries = {"canaries": right.ids[:2], "canary_classes": (right.classes[:2] + 1) % 3}
        canaries["canary_inputs"] = 1 - right.inputs[:2].numpy()
        artifacts.save(path, "split", arrays | canaries, {"seeds": provenance["seeds"]})
    given = models_of(files, crafted_from)
    assert given.classes.tolist() == [*(right.classes[:2] + 1) % 3, *right.classes[2:]]
    np.testing.assert_array_equal(given.inputs[:2], 1 - right.inputs[:2])
    np.testing.assert_array_equal(given.inputs[2:], right.inputs[2:])


def test_a_fold_of_a_pool_has_whole_pairs_in_their_order(tmp_path):
    models = models_of(write(tmp_path, BLOCKS, "target"), "pool")
    folds = list(models.folds())
    assert [len(networks) for networks, _ in folds] == [4, 2]
    assert [fold_of(model) for model in (0, 1, 6, 7, 8, 9)] == [0, 0, 1, 1, 0, 0]
    for fold, seeds in zip(folds, ([0, 1, 8, 9], [6, 7]), strict=True):
        knows = draw_block("pool", N, N_TRAIN, seeds, "target", pool=POOL)["members"]
        np.testing.assert_array_equal(fold[1], [np.isin(models.ids, row) for row in knows])
        assert (fold[1][::2] != fold[1][1::2]).all()


@pytest.mark.parametrize("changed", [(0, 1), (8, 9), (6, 7)])
def test_a_target_is_asked_nothing_that_its_own_half_of_the_pool_has_made(tmp_path, changed):
    """Neither its weights nor its membership, nor those of any model of its half, change a bit of what it is asked."""
    spec = {"kind": "yoqo", "online": True, "steps": 4, "rate": 0.05, "alpha": None, "end": None, "clip": True}
    queries = []
    for name, of in (("before", ()), ("after", changed)):
        models = models_of(write(tmp_path / name, BLOCKS, "target", of), "pool")
        craft(models, tmp_path / f"{name}.npz", spec, Journal())
        queries.append(CraftedQueries(tmp_path / f"{name}.npz"))
    for seed in (0, 1, 6, 7, 8, 9):
        subject = SimpleNamespace(seed=seed, ids=models.ids)
        same = np.array_equal(*(of.of(subject) for of in queries))
        assert same == (fold_of(seed) == fold_of(changed[0]))
    assert queries[0].magnitudes == [4.0] and queries[0].unit == "steps"
    with pytest.raises(ValueError, match="expected queries for 3 examples of model 6"):
        queries[0].of(SimpleNamespace(seed=6, ids=np.arange(3)))
