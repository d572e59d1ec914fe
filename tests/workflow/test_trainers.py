"""Models trained like a given one by a user's own code: comparisons with them, and what another training would cost."""

import json
import shutil

import joblib
import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

from lmia import artifacts
from lmia.evaluation.metrics_table import read_metrics
from lmia.streams import stream
from lmia.targets.opened import digest
from tests.workflow.conftest import Checkout, make_checkout

PLUG_INS = {
    "net": """from torch import nn


def build(shape, n_classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(shape[0], 48), nn.ReLU(), nn.Linear(48, n_classes))
""",
    "fit": """import torch
from torch import nn

from plugins import net


def fit(inputs, classes, seed, n_classes, epochs=60, decay=0.0, blind=False):
    if blind:
        return lambda inputs: 0 * inputs[:, 0].astype(int)
    network = net.build(inputs.shape[1:], n_classes)  # by torch's global random numbers, which the seed decides
    optimizer = torch.optim.AdamW(network.parameters(), 0.01, weight_decay=decay)
    inputs, classes = torch.from_numpy(inputs), torch.from_numpy(classes)
    for _ in range(epochs):
        for rows in torch.randperm(len(inputs)).split(50):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(inputs[rows]), classes[rows]).backward()
            optimizer.step()
    return network
""",
}
N_MEMBERS = 150
DRAW = int(stream(3, "training of a given model").integers(2**31))  # of what the study's seed trains


def records():
    draw = np.random.default_rng(0)
    inputs, classes = load_digits(return_X_y=True)
    inputs, classes = inputs[:900] / 16, classes[:900]
    inputs = (inputs + 0.25 * draw.standard_normal(inputs.shape)).clip(0, 1).astype(np.float32)
    membership = np.full(len(inputs), -1)
    order = draw.permutation(len(inputs))
    membership[order[:N_MEMBERS]], membership[order[N_MEMBERS : 2 * N_MEMBERS]] = 1, 0
    return inputs, classes, membership


def audits(trust):
    def edit(config):
        config["datasets"] = {"records": {"kind": "npz", "path": "records.npz", "membership": ["is_member"]}}
        config["models"] = {"net": {"kind": "plugins.net"}}
        config["trainers"] = {"mine": {"kind": "plugins.fit"}, "decay": {"kind": "plugins.fit", "decay": 3.0}}
        forest = {"kind": "sklearn", "file": "forest.joblib", "trust": trust}
        config["targets"] = {
            "mine": {"kind": "torch", "model": "net", "weights": "mine.pt", "trainer": "mine"},
            "decayed": {"kind": "torch", "model": "net", "trainer": "decay"},
            "forest": forest,
            "pruned": forest | {"settings": {"min_samples_leaf": 12}},
        }
        study = {"dataset": "records", "splits": "given", "n_train": [N_MEMBERS], "seeds": [3]}
        config["studies"] = {name: study | {"model": name} for name in config["targets"]}
        config["studies"]["mine"]["alternatives"] = ["decayed"]
        config["studies"]["forest"]["alternatives"] = ["pruned"]
        config["queries"] = {"original": {"kind": "original"}, "peers": {"kind": "references", "models": 6}}
        config["attacks"] = {
            "gap": {"kind": "gap", "reads": "original"},
            "difficulty": {"kind": "difficulty", "reads": "peers"},
        }
        config["figures"], config["metrics"]["fprs"] = {}, [0.1]

    return edit


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """A checkout after a run."""
    checkout = make_checkout(tmp_path_factory.mktemp("trainers") / "it")
    inputs, classes, membership = records()
    np.savez(checkout.path / "records.npz", inputs=inputs, classes=classes, is_member=membership)
    (checkout.path / "plugins").mkdir()
    for name, text in PLUG_INS.items():
        (checkout.path / f"plugins/{name}.py").write_text(text)
    forest = RandomForestClassifier(30, random_state=1).fit(inputs[membership == 1], classes[membership == 1])
    joblib.dump(forest, checkout.path / "forest.joblib")
    network, of_plug_in = build_by_hand(inputs, classes, membership)
    torch.save(network.state_dict(), checkout.path / "mine.pt")
    checkout.configure(audits(digest((checkout.path / "forest.joblib").read_bytes())))
    checkout.snakemake("audit")
    return checkout, of_plug_in, (inputs, classes, membership)


def build_by_hand(inputs, classes, membership):
    """(a network that the user has trained, the fit of the plug-in)."""
    space = {}
    exec(PLUG_INS["net"], space)
    source = PLUG_INS["fit"].replace("from plugins import net\n", "").replace("net.build", "build")
    exec(source, space)
    torch.manual_seed(7)
    return space["fit"](inputs[membership == 1], classes[membership == 1], 0, 10), space["fit"]


def where(folder, study, file="target.npz"):
    return f"results/{folder}/{study}/n{N_MEMBERS}-none/3/{file}"


@pytest.mark.slow
def test_references_are_what_the_trainer_makes_of_their_records(audited):
    checkout, fit, (inputs, classes, _) = audited
    arrays, _ = artifacts.load(checkout.path / where("references", "mine", "target/peers.npz"), "references")
    (ids,), (labels,), (is_in,) = (arrays[name] for name in ("example_ids", "reference_labels", "is_in"))
    assert labels.shape == is_in.shape == (2 * N_MEMBERS, 6)
    right = labels == classes[ids][:, None]
    assert right[is_in].mean() > 0.98 > right[~is_in].mean() + 0.05  # the networks of the plug-in overfit as it does


@pytest.mark.slow
def test_a_model_without_weights_is_trained_on_its_known_members(audited):
    checkout, fit, (inputs, classes, membership) = audited
    model, _ = artifacts.load(checkout.path / where("models", "decayed"), "model")
    with torch.random.fork_rng():
        torch.manual_seed(DRAW)
        split, _ = artifacts.load(checkout.path / where("splits", "decayed"), "split")
        members = split["members"][0]
        by_hand = fit(inputs[members], classes[members], DRAW, 10, decay=3.0)
    for name, value in by_hand.state_dict().items():
        np.testing.assert_array_equal(model[f"3/{name}"], value.numpy())
    given, _ = artifacts.load(checkout.path / where("models", "mine"), "model")
    assert model["train_accuracy"] < given["train_accuracy"]


@pytest.mark.slow
def test_an_estimator_with_other_settings_is_trained_again_the_same_in_every_job(audited):
    checkout, _, (inputs, classes, membership) = audited
    forest = joblib.load(checkout.path / "forest.joblib").set_params(min_samples_leaf=12, random_state=DRAW)
    split, _ = artifacts.load(checkout.path / where("splits", "pruned"), "split")
    forest.fit(inputs[split["members"][0]], classes[split["members"][0]])
    arrays, _ = artifacts.load(checkout.path / where("answers", "pruned", "target/original.npz"), "answers")
    (ids,) = arrays["example_ids"]
    np.testing.assert_array_equal(arrays["labels"][0, :, 0], forest.predict(inputs[ids]))


@pytest.mark.slow
def test_the_page_shows_what_another_training_costs(audited):
    checkout, *_ = audited
    for name, other in (("mine", "decayed"), ("forest", "pruned")):
        report = json.loads((checkout.path / f"results/audits/{name}/report.json").read_text())
        own, beside = report["alternatives"]
        assert (own["model"], beside["model"]) == (name, other)
        found = json.loads((checkout.path / f"results/audits/{other}/report.json").read_text())
        assert beside["test_accuracy"] == found["model"]["test_accuracy"] and found["alternatives"] == []
        assert own["accuracy_of_all"][0] > beside["accuracy_of_all"][0]  # both hide members by learning less
        page = (checkout.path / f"results/audits/{name}/report.html").read_text()
        assert "What another training costs" in page and other in page
        assert "What another training costs" not in (checkout.path / f"results/audits/{other}/report.html").read_text()


@pytest.mark.slow
def test_references_that_are_trained_otherwise_are_flagged(audited, tmp_path):
    checkout, *_ = audited
    assert not read_metrics(checkout.path / "results/tables/mine.csv")["flags"].str.contains("trained otherwise").any()
    shutil.copytree(checkout.path, tmp_path / "it", symlinks=True)
    other = Checkout(tmp_path / "it")
    other.configure(lambda config: config["trainers"]["mine"].update(blind=True))
    planned = other.pending("audit")
    assert planned["query_references"] == 1 and "import_target" not in planned and "query_labels" not in planned
    other.snakemake("audit")
    table = read_metrics(other.path / "results/tables/mine.csv")
    of_attack = table.loc[table["attack"].eq("difficulty"), "flags"]
    assert of_attack.str.contains("references trained otherwise").all()
    assert not table.loc[table["attack"].eq("gap"), "flags"].str.contains("trained otherwise").any()
