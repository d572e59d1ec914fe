"""Points that targets label for an attacker, and the models that are trained on them: what they may depend on."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lmia import artifacts
from lmia.asked_points import starting_ids
from lmia.journal import Journal
from lmia.models import mlp
from lmia.models.asked_models import TrainedModels
from lmia.models.checkpoints import restore, to_arrays
from lmia.models.relabelled_models import RelabelledModels, relabelled_ids
from lmia.models.voting import COPIES, SIGMA, Voting
from lmia.split_rows import told_classes
from lmia.splits import draw_block, draw_examples
from workflow.harness.job import BadInput
from workflow.scripts.query_relabelled import query_relabelled
from workflow.scripts.relabel import relabel
from workflow.scripts.train_model import train_models

N_TRAIN, N, POOL, POINTS, SEEDS = 10, 60, 4, 25, [4, 5]
MODEL = {"kind": "mlp", "hidden": [6], "initialization": "torch"}
TRAINING = {"learning_rate": 0.01, "batch_size": 5, "min_delta": 0.0, "patience": 5, "max_epochs": 3}


@given(st.integers(0, 30), st.integers(1, 20), st.integers(0, 99), st.data())
def test_points_lie_beside_the_pool_and_more_include_fewer(spare, n_train, pool, data):
    size = 2 * n_train + spare + 1
    n, examples = data.draw(st.integers(1, spare + 1)), draw_examples(size, 2 * n_train, pool)
    ids = relabelled_ids(size, examples, pool, n)
    assert len(ids) == n and (np.diff(ids) > 0).all() and not np.isin(ids, examples).any()
    assert np.isin(relabelled_ids(size, examples, pool, 1 + (n - 1) // 2), ids).all()
    with pytest.raises(ValueError, match=f"^relabelled: expected at most {spare + 1}, the points beside the "):
        relabelled_ids(size, examples, pool, spare + 2)


def test_pools_draw_points_of_their_own_and_not_those_where_searches_start():
    one, other = (relabelled_ids(1000, np.arange(100), pool, 200) for pool in (0, 1))
    assert (one != other).any()
    starts = starting_ids(1000, np.arange(100), np.arange(0), 0)
    assert not np.array_equal(starts[:200], one)


def write(folder, turned=False, canaries=False, votes=False):
    """Files of a data set and of the pair SEEDS of a pool; turned: each has the members of the other."""
    folder.mkdir()
    numbers = np.random.default_rng(0)
    data = {"inputs": numbers.random((N, 4), np.float32), "classes": np.arange(N) % 3}
    split, arrays = draw_block("pool", N, N_TRAIN, SEEDS, "target", pool=POOL), {}
    if turned:
        split = {"members": split["nonmembers"], "nonmembers": split["members"]}
    if canaries:
        ids = draw_examples(N, 2 * N_TRAIN, POOL)[:3]
        split |= {"canaries": ids, "canary_classes": (data["classes"][ids] + 1) % 3}
        split["canary_inputs"] = numbers.random((3, 4), np.float32)
    for seed in SEEDS:
        torch.manual_seed(seed)
        arrays |= to_arrays(mlp.build((4,), 3, hidden=[6]), seed)
    if votes:
        arrays |= {COPIES: np.array([5, 5]), SIGMA: np.array([0.3, 0.3])}
    for kind, saved in (("dataset", data), ("split", split), ("model", arrays)):
        artifacts.save(folder / f"{kind}.npz", kind, saved, {"seeds": SEEDS})
    return SimpleNamespace(**{name: folder / f"{name}.npz" for name in ("dataset", "split", "model")})


def targets(files, evaluated=None):
    params = SimpleNamespace(model=MODEL, seeds="4-5", evaluated=evaluated, pool=POOL)
    return TrainedModels(files, params, torch.device("cpu"), 1)


def labelled(files, output, n=POINTS):
    relabel(targets(files), files.split, output, POOL, n, "mine", Journal())
    return artifacts.load(output, "split")[0]


def trained(files, split, output, role="relabelled0"):
    params = {"model": MODEL, "training": TRAINING, "defense": {"kind": "none"}, "role": role, "seeds": "4-5"}
    given = {"dataset": str(files.dataset), "split": str(split)}
    params = type("Params", (dict,), {"__getattr__": dict.__getitem__})(params)
    train_models(given, output, params, torch.device("cpu"), Journal(), "mine")
    return artifacts.load(output, "model")[0]


def test_each_target_labels_the_same_points_beside_its_pool(tmp_path):
    files = write(tmp_path / "files")
    split, data = labelled(files, tmp_path / "split.npz"), artifacts.load(files.dataset)[0]
    examples = draw_examples(N, 2 * N_TRAIN, POOL)
    assert split["members"].tolist() == [relabelled_ids(N, examples, POOL, POINTS).tolist()] * 2
    assert split["nonmembers"].tolist() == [examples.tolist()] * 2
    weights, build = artifacts.load(files.model)[0], mlp.build
    for row, seed in enumerate(SEEDS):
        network = restore(build((4,), 3, hidden=[6]), weights, seed)
        said = network(torch.from_numpy(data["inputs"][split["members"][row]])).argmax(1)
        np.testing.assert_array_equal(split["labels"][row], said)
        given = told_classes(data["classes"], split, row)
        np.testing.assert_array_equal(given[split["members"][row]], said)
        np.testing.assert_array_equal(
            np.delete(given, split["members"][row]), np.delete(data["classes"], split["members"][row])
        )
    assert (split["labels"][0] != split["labels"][1]).any()
    with pytest.raises(BadInput, match=r"^studies\.mine: relabelled: expected at most 40, .*, got 41; lower it"):
        labelled(files, tmp_path / "more.npz", 41)


def test_relabelling_sees_nothing_of_a_target_but_its_labels(tmp_path):
    """Neither its members, nor the true classes of what it labels, change a bit of the models that are trained."""
    plain, turned = write(tmp_path / "plain"), write(tmp_path / "turned", turned=True)
    splits = [labelled(files, tmp_path / f"{name}.npz") for name, files in (("plain", plain), ("turned", turned))]
    assert splits[0].keys() == splits[1].keys()
    for name in splits[0]:
        np.testing.assert_array_equal(splits[0][name], splits[1][name])
    data, provenance = artifacts.load(turned.dataset)
    data["classes"][splits[1]["members"][0]] = np.arange(POINTS) % 3
    artifacts.save(turned.dataset, "dataset", data, {"seeds": provenance["seeds"]})
    models = [
        trained(files, tmp_path / f"{name}.npz", tmp_path / f"{name}-model.npz")
        for name, files in (("plain", plain), ("turned", turned))
    ]
    assert models[0].keys() == models[1].keys()
    for name in models[0]:
        np.testing.assert_array_equal(models[0][name], models[1][name])
    other, _ = artifacts.load(tmp_path / "plain.npz")
    artifacts.save(tmp_path / "other.npz", "split", other | {"labels": (other["labels"] + 1) % 3}, {})
    changed = trained(plain, tmp_path / "other.npz", tmp_path / "other-model.npz")
    assert any((changed[name] != models[0][name]).any() for name in changed if "/" in name)  # but on labels they do


def test_models_that_have_learned_nothing_are_flagged(tmp_path):
    files = write(tmp_path / "files")
    split, provenance = labelled(files, tmp_path / "split.npz"), {}
    split["labels"][0] = 1  # one target says the same of all
    artifacts.save(tmp_path / "split.npz", "split", split, provenance)
    found = trained(files, tmp_path / "split.npz", tmp_path / "model.npz")
    assert found["flags"].tolist()[0] == "constant" and "flag" not in found


def test_models_of_a_target_differ_in_their_seeds_alone(tmp_path):
    files = write(tmp_path / "files")
    labelled(files, tmp_path / "split.npz")
    first, again, second = (
        trained(files, tmp_path / "split.npz", tmp_path / f"{n}.npz", f"relabelled{role}")
        for n, role in enumerate((0, 0, 1))
    )
    weight = next(name for name in first if name.startswith("4/"))
    np.testing.assert_array_equal(first[weight], again[weight])
    assert (first[weight] != second[weight]).any() and (first[weight] != first["5" + weight[1:]]).any()
    assert first["train_accuracy"].shape == first["test_accuracy"].shape == first["epochs"].shape == (2,)


def test_canaries_stay_what_they_are(tmp_path):
    files = write(tmp_path / "files", canaries=True)
    split, given = labelled(files, tmp_path / "split.npz"), artifacts.load(files.split)[0]
    for name in ("canaries", "canary_classes", "canary_inputs"):
        np.testing.assert_array_equal(split[name], given[name])
    found = trained(files, tmp_path / "split.npz", tmp_path / "model.npz")
    data, (network, *_) = artifacts.load(files.dataset)[0], [restore(mlp.build((4,), 3, hidden=[6]), found, 4)]
    ordinary = np.setdiff1d(split["nonmembers"][0], split["canaries"])
    right = network(torch.from_numpy(data["inputs"][ordinary])).argmax(1).numpy() == data["classes"][ordinary]
    assert found["test_accuracy"][0] == pytest.approx(right.mean())


def test_models_answer_as_their_target_does(tmp_path):
    files = write(tmp_path / "files", votes=True)
    models = targets(files)
    relabelled = RelabelledModels(models, [files.model, files.model])
    for subject in models:
        found = list(relabelled.of(subject))
        assert len(found) == 2 and all(isinstance(network, Voting) and not network.training for network in found)
        with torch.no_grad():
            assert torch.equal(found[1](subject.inputs), subject.network(subject.inputs))
    plain = write(tmp_path / "plain")
    (network,) = RelabelledModels(targets(plain), [plain.model]).of(next(iter(targets(plain))))
    assert not isinstance(network, Voting)


@pytest.mark.parametrize("votes", [False, True])
def test_losses_are_those_of_the_true_classes_under_the_relabelled_model(tmp_path, votes):
    files = write(tmp_path / "files", canaries=True, votes=votes)
    labelled(files, tmp_path / "split.npz")
    own = trained(files, tmp_path / "split.npz", tmp_path / "own.npz")
    if votes:
        own |= {COPIES: np.array([5, 5]), SIGMA: np.array([0.3, 0.3])}
        artifacts.save(tmp_path / "own.npz", "model", own, {"seeds": SEEDS})
    models = targets(files, evaluated=8)
    query_relabelled(models, RelabelledModels(models, [tmp_path / "own.npz"]), tmp_path / "found.npz")
    found = artifacts.load(tmp_path / "found.npz", "relabelled")[0]
    for row, subject in enumerate(models):
        logits = restore(mlp.build((4,), 3, hidden=[6]), own, subject.seed)(subject.inputs).detach()
        expected = torch.nn.functional.cross_entropy(logits, torch.from_numpy(subject.classes), reduction="none")
        np.testing.assert_allclose(found["losses"][row], expected, rtol=1e-5)
        np.testing.assert_array_equal(found["labels"][row], subject.network(subject.inputs).argmax(1))
        np.testing.assert_array_equal(found["classes"][row], subject.classes)
        assert found["example_ids"][row].tolist() == subject.ids.tolist() and len(subject.ids) == 16
