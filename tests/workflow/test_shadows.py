"""Given models that are judged by shadows of their own kind: numbers are those of the library by hand."""

import json
import pickle
import shutil
from itertools import product

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

import lmia
from lmia import artifacts
from lmia.attacks.observation_files import load_observations
from lmia.evaluation.metrics_table import read_metrics
from lmia.splits import draw_shadow
from lmia.streams import stream
from lmia.targets.opened import digest
from tests.workflow.conftest import Checkout, make_checkout

PLUG_INS = {
    "net": """from torch import nn


def build(shape, n_classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(shape[0], 48), nn.ReLU(), nn.Linear(48, n_classes))
""",
    "fit_net": """import torch
from torch import nn

from plugins import net


def fit(inputs, classes, seed, n_classes, epochs=60):
    network = net.build(inputs.shape[1:], n_classes)
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    inputs, classes = torch.from_numpy(inputs), torch.from_numpy(classes)
    for _ in range(epochs):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(inputs), classes).backward()
        optimizer.step()
    return network
""",
    "fit_tree": """import os

from sklearn.tree import DecisionTreeClassifier


def fit(inputs, classes, seed, blind=False):
    if blind:
        return lambda inputs: 0 * inputs[:, 0].astype(int)
    other = int(os.environ.get("OTHER_MACHINE", 0))
    return DecisionTreeClassifier(random_state=seed + other).fit(inputs, classes)
""",
    "client": """import pickle


def build(shape, n_classes, path):
    with open(path, "rb") as file:
        return pickle.load(file).predict
""",
}
N_MEMBERS, N_OTHERS, EVALUATED, SEED, SHADOWS = 120, 100, 80, 3, 4
ATTACKS = {"network": ["gap", "boundary"], "forest": ["noise", "difficulty"], "function": ["gap", "noise"]}
READ = {  # attack -> (its kind, query set, what that yields, folder)
    "gap": ("gap", "original", "labels", "answers"),
    "noise": ("vote", "noise", "labels", "answers"),
    "boundary": ("distance", "boundary", "distances", "distances"),
    "difficulty": ("difficulty", "peers", "references", "references"),
}


def audits(trust):
    def edit(config):
        config["datasets"] = {"records": {"kind": "npz", "path": "records.npz", "membership": ["is_member"]}}
        config["models"] = {"net": {"kind": "plugins.net"}}
        config["trainers"] = {"net": {"kind": "plugins.fit_net"}, "tree": {"kind": "plugins.fit_tree"}}
        config["targets"] = {
            "network": {"kind": "torch", "model": "net", "weights": "mine.pt", "trainer": "net"},
            "forest": {"kind": "sklearn", "file": "forest.joblib", "trust": trust},
            "function": {"kind": "plugins.client", "path": "tree.pkl", "trainer": "tree"},
        }
        same = {"dataset": "records", "n_train": N_MEMBERS, "seed": SEED, "evaluated": EVALUATED, "shadows": SHADOWS}
        config["studies"] = {}
        config["audits"] = {name: same | {"target": name, "attacks": attacks} for name, attacks in ATTACKS.items()}
        config["audits"]["forest"]["in_question"] = 60
        config["queries"] = {
            "original": {"kind": "original"},
            "noise": {"kind": "gaussian", "sigmas": [0.1, 0.2], "samples": 10},
            "boundary": {"kind": "hopskipjump", "budget": 60},
            "peers": {"kind": "references", "models": 4},
        }
        config["attacks"] = {
            "gap": {"kind": "gap", "reads": "original"},
            "noise": {"kind": "vote", "reads": "noise", "budgets": [5]},
            "boundary": {"kind": "distance", "reads": "boundary"},
            "difficulty": {"kind": "difficulty", "reads": "peers"},
        }
        config["figures"], config["metrics"]["fprs"] = {}, [0.1]

    return edit


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """(checkout after a run, inputs, classes, membership)."""
    checkout = make_checkout(tmp_path_factory.mktemp("shadows") / "it")
    draw = np.random.default_rng(0)
    inputs, classes = load_digits(return_X_y=True)
    inputs, classes = inputs[:700] / 16, classes[:700]
    inputs = (inputs + 0.25 * draw.standard_normal(inputs.shape)).clip(0, 1).astype(np.float32)
    membership, order = np.full(len(inputs), -1), draw.permutation(len(inputs))
    membership[order[:N_MEMBERS]], membership[order[N_MEMBERS : N_MEMBERS + N_OTHERS]] = 1, 0
    np.savez(checkout.path / "records.npz", inputs=inputs, classes=classes, is_member=membership)
    (checkout.path / "plugins").mkdir()
    space = {}
    for name, text in PLUG_INS.items():
        (checkout.path / f"plugins/{name}.py").write_text(text)
        exec(text.replace("from plugins import net\n", "").replace("net.build", "build"), space)
        if name == "fit_net":
            torch.manual_seed(0)
            network = space["fit"](inputs[membership == 1], classes[membership == 1], 0, 10)
    known = inputs[membership == 1], classes[membership == 1]
    joblib.dump(RandomForestClassifier(20, random_state=1).fit(*known), checkout.path / "forest.joblib")
    torch.save(network.state_dict(), checkout.path / "mine.pt")
    (checkout.path / "tree.pkl").write_bytes(pickle.dumps(space["fit"](*known, 1)))
    checkout.configure(audits(digest((checkout.path / "forest.joblib").read_bytes())))
    checkout.snakemake()
    return checkout, inputs, classes, membership


def where(folder, study, file):
    return f"results/{folder}/{study}/n{N_MEMBERS}-none/{SEED}/{file}"


def observed(checkout, study, role, attack):
    _, query, kind, folder = READ[attack]
    return load_observations(checkout.path / where(folder, study, f"{role}/{query}.npz"), kind)


def split_of(checkout, study, number):
    return artifacts.load(checkout.path / where("splits", study, f"shadow{number}.npz"), "split")[0]


@pytest.mark.slow
def test_a_shadow_that_another_machine_trains_otherwise_ends_the_job_that_asks_it(audited, tmp_path, monkeypatch):
    shutil.copytree(audited[0].path, tmp_path / "it", symlinks=True)
    other, answers = Checkout(tmp_path / "it"), where("answers", "function", "shadow0/original.npz")
    (other.path / answers).unlink()
    shutil.rmtree(other.path / "results/.store")  # or the answers would be taken from there
    monkeypatch.setenv("OTHER_MACHINE", "1")
    text = other.snakemake(answers, check=False)
    assert other.exit_code == 1
    assert "the given model cannot be asked: trained again, of the same seed, the model labels" in text
    monkeypatch.setenv("OTHER_MACHINE", "0")
    other.snakemake(answers)
    assert (other.path / answers).read_bytes() == (audited[0].path / answers).read_bytes()


@pytest.mark.slow
def test_shadows_are_trained_on_halves_of_the_judged_records_and_asked_what_the_target_is(audited):
    checkout, inputs, classes, membership = audited
    for study, attack in product(ATTACKS, range(2)):
        name = ATTACKS[study][attack]
        (ids,) = observed(checkout, study, "target", name).example_ids
        assert len(ids) == 2 * EVALUATED
        for number in range(SHADOWS):
            split = split_of(checkout, study, number)
            by_hand = draw_shadow(ids, classes, np.arange(len(classes)), N_MEMBERS, SEED, number)
            for part, drawn in zip(("members", "nonmembers", "others"), by_hand, strict=True):
                np.testing.assert_array_equal(split[part][0], drawn)
            assert len(by_hand[0]) + len(by_hand[2]) == N_MEMBERS
            np.testing.assert_array_equal(split["avoided"][0], np.setdiff1d(np.flatnonzero(membership == 1), ids))
            np.testing.assert_array_equal(observed(checkout, study, f"shadow{number}", name).example_ids[0], ids)


@pytest.mark.slow
def test_answers_of_shadows_are_those_of_models_that_are_trained_by_hand(audited):
    """Also where each job that asks trains them again."""
    checkout, inputs, classes, _ = audited
    forest = joblib.load(checkout.path / "forest.joblib")
    tree = pickle.loads((checkout.path / "tree.pkl").read_bytes())
    for study, model, attacks in (("forest", forest, ["noise"]), ("function", tree, ["gap", "noise"])):
        for number in range(SHADOWS):
            split = split_of(checkout, study, number)
            rows = np.sort(np.concatenate([split["members"][0], split["others"][0]]))
            draw = int(stream(SEED, "training of a shadow", number).integers(2**31))
            by_hand = clone(model).set_params(random_state=draw).fit(inputs[rows], classes[rows])
            for attack in attacks:
                asked = observed(checkout, study, f"shadow{number}", attack)
                labels = by_hand.predict(inputs[asked.example_ids[0]])
                np.testing.assert_array_equal(asked.per_seed[0].labels[:, 0], labels)
    for number in range(SHADOWS):
        kept, _ = artifacts.load(checkout.path / where("models", "network", f"shadow{number}.npz"), "model")
        assert kept["train_accuracy"] == 1 > kept["test_accuracy"] and any(name.endswith("weight") for name in kept)


@pytest.mark.slow
def test_scores_and_thresholds_are_those_of_the_library(audited):
    checkout, *_ = audited
    for study in ("network", "forest"):
        for attack in ATTACKS[study]:
            roles = ["target", *(f"shadow{number}" for number in range(SHADOWS))]
            target, *shadows = [observed(checkout, study, role, attack) for role in roles]
            is_in = [
                np.isin(of.example_ids[0], split_of(checkout, study, number)["members"][0])
                for number, of in enumerate(shadows)
            ]
            together = type(target.per_seed[0]).concatenate([of.per_seed[0] for of in shadows])
            by_hand = lmia.attack(READ[attack][0], target.per_seed[0], together, np.concatenate(is_in))
            found, _ = artifacts.load(checkout.path / where("scores", study, f"{attack}.npz"), "scores")
            np.testing.assert_allclose(found["scores"][0, 0], by_hand.scores, rtol=1e-6)
            np.testing.assert_allclose(found["thresholds"][0, 0], by_hand.threshold, rtol=1e-6)


@pytest.mark.slow
def test_the_page_says_so_and_records_in_question_are_judged_by_the_same_shadows(audited):
    checkout, *_ = audited
    whole = json.loads((checkout.path / "results/audits/forest/report.json").read_text())
    page = (checkout.path / "results/audits/forest/report.html").read_text()
    assert whole["shadows"] == SHADOWS and whole["verdict"] in ("leaks", "cannot tell")
    assert f"all by thresholds from {SHADOWS} models that were trained like it, on halves of them" in page
    known, _ = artifacts.load(checkout.path / where("scores", "forest", "noise.npz"), "scores")
    asked, _ = artifacts.load(checkout.path / where("scores_in_question", "forest", "noise.npz"), "scores_in_question")
    assert asked["scores"].shape == (1, 1, 60) and asked["thresholds"][0, 0] == known["thresholds"][0, 0]
    records = pd.read_csv(checkout.path / "results/audits/forest/records.csv")
    assert len(records) == 2 * EVALUATED + 60 and records["is_member"].isna().sum() == 60
    table = read_metrics(checkout.path / "results/tables/forest.csv")
    assert {"shadow_train_accuracy", "shadow_test_accuracy"} <= set(table["metric"])
    assert not table["flags"].str.contains("trained otherwise").any()


@pytest.mark.slow
def test_references_of_shadows_are_those_of_the_target(audited):
    checkout, *_ = audited
    of_target = observed(checkout, "forest", "target", "difficulty").per_seed[0]
    for number in range(SHADOWS):
        of_shadow = observed(checkout, "forest", f"shadow{number}", "difficulty").per_seed[0]
        np.testing.assert_array_equal(of_shadow.reference_labels, of_target.reference_labels)
        np.testing.assert_array_equal(of_shadow.is_in, of_target.is_in)
        assert (of_shadow.labels != of_target.labels).any()


@pytest.mark.slow
def test_shadows_that_are_trained_otherwise_are_flagged_on_all_that_they_teach(audited, tmp_path):
    checkout, *_ = audited
    shutil.copytree(checkout.path, tmp_path / "it", symlinks=True)
    other = Checkout(tmp_path / "it")
    other.configure(lambda config: config["trainers"]["tree"].update(blind=True))
    planned = other.pending("results/tables/function.csv")
    assert planned["train_shadow"] == SHADOWS and "import_target" not in planned
    assert planned["query_labels"] == 2 * SHADOWS and planned["score_given"] == 2
    other.snakemake("results/tables/function.csv")
    table = read_metrics(other.path / "results/tables/function.csv")
    assert table.loc[table["attack"].ne(""), "flags"].str.contains("references trained otherwise").all()


@pytest.mark.slow
def test_another_number_of_shadows_makes_the_new_ones_alone(audited):
    checkout, *_ = audited
    checkout.configure(lambda config: config["audits"]["function"].update(shadows=SHADOWS + 1))
    planned = checkout.pending()
    assert planned["train_shadow"] == planned["draw_split"] == 1 and planned["query_labels"] == 2
    assert planned["score_given"] == 2 and "import_target" not in planned
    checkout.configure(lambda config: config["audits"]["function"].update(shadows=SHADOWS))
    assert not checkout.pending()
