"""Given models that are judged by shadows of their own kind: numbers are those of the library by hand."""

import json
import shutil

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
from lmia.membership import load_membership
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
    "fit_tree": """from sklearn.tree import DecisionTreeClassifier


def fit(inputs, classes, seed, blind=False):
    if blind:
        return lambda inputs: 0 * inputs[:, 0].astype(int)
    return DecisionTreeClassifier(random_state=seed).fit(inputs, classes)
""",
    "client": """import pickle


def build(shape, n_classes, path):
    with open(path, "rb") as file:
        return pickle.load(file).predict
""",
}
N_MEMBERS, N_OTHERS, EVALUATED, SEED, SHADOWS = 120, 100, 80, 3, 2


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
        attacks = ["gap", "noise", "classifier", "difficulty"]
        config["studies"], config["audits"] = (
            {},
            {
                "network": same | {"target": "network", "attacks": ["gap", "noise", "boundary", "confidence"]},
                "forest": same | {"target": "forest", "attacks": attacks, "in_question": 60},
                "function": same | {"target": "function", "attacks": attacks},
            },
        )
        config["queries"] = {
            "original": {"kind": "original"},
            "noise": {"kind": "gaussian", "sigmas": [0.1, 0.2], "samples": 10},
            "boundary": {"kind": "hopskipjump", "budget": 60},
            "peers": {"kind": "references", "models": 2},
            "confidences": {"kind": "confidences"},
        }
        config["attacks"] = {
            "gap": {"kind": "gap", "reads": "original"},
            "noise": {"kind": "vote", "reads": "noise", "budgets": [5]},
            "classifier": {"kind": "classifier", "reads": "noise", "weight_decays": [10.0], "folds": 2},
            "boundary": {"kind": "distance", "reads": "boundary"},
            "difficulty": {"kind": "difficulty", "reads": "peers"},
            "confidence": {"kind": "true_confidence", "reads": "confidences"},
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
    joblib.dump(space["fit"](*known, 1), checkout.path / "tree.pkl", compress=False)
    checkout.configure(audits(digest((checkout.path / "forest.joblib").read_bytes())))
    checkout.snakemake()
    return checkout, inputs, classes, membership


def where(folder, study, file):
    return f"results/{folder}/{study}/n{N_MEMBERS}-none/{SEED}/{file}"


def observed(checkout, study, role, query, kind="labels", folder="answers"):
    return load_observations(checkout.path / where(folder, study, f"{role}/{query}.npz"), kind)


@pytest.mark.slow
def test_shadows_are_trained_on_halves_of_the_judged_records_and_asked_what_the_target_is(audited):
    checkout, inputs, classes, membership = audited
    for study in ("network", "forest", "function"):
        target = observed(checkout, study, "target", "noise")
        (ids,) = target.example_ids
        assert len(ids) == 2 * EVALUATED
        for number in range(SHADOWS):
            split, _ = artifacts.load(checkout.path / where("splits", study, f"shadow{number}.npz"), "split")
            by_hand = draw_shadow(ids, classes, np.arange(len(classes)), N_MEMBERS, SEED, number)
            for part, drawn in zip(("members", "nonmembers", "others"), by_hand, strict=True):
                np.testing.assert_array_equal(split[part][0], drawn)
            assert len(by_hand[0]) + len(by_hand[2]) == N_MEMBERS and membership[split["avoided"][0]].all()
            np.testing.assert_array_equal(
                observed(checkout, study, f"shadow{number}", "noise").example_ids, target.example_ids
            )


@pytest.mark.slow
def test_answers_of_shadows_are_those_of_models_that_are_trained_by_hand(audited):
    checkout, inputs, classes, _ = audited
    forest, tree = joblib.load(checkout.path / "forest.joblib"), joblib.load(checkout.path / "tree.pkl")
    for study, model in (("forest", forest), ("function", tree)):
        for number in range(SHADOWS):
            split, _ = artifacts.load(checkout.path / where("splits", study, f"shadow{number}.npz"), "split")
            rows = np.sort(np.concatenate([split["members"][0], split["others"][0]]))
            draw = int(stream(SEED, "training of a shadow", number).integers(2**31))
            by_hand = clone(model).set_params(random_state=draw).fit(inputs[rows], classes[rows])
            for query in ("original", "noise"):  # asked in jobs of their own
                asked = observed(checkout, study, f"shadow{number}", query)
                labels = by_hand.predict(inputs[asked.example_ids[0]])
                np.testing.assert_array_equal(asked.per_seed[0].labels[:, 0], labels)
    for number in range(SHADOWS):
        kept, _ = artifacts.load(checkout.path / where("models", "network", f"shadow{number}.npz"), "model")
        assert kept["train_accuracy"] == 1 > kept["test_accuracy"] and any(name.endswith("weight") for name in kept)


@pytest.mark.slow
def test_scores_and_thresholds_are_those_of_the_library(audited):
    checkout, *_ = audited
    kinds = {"noise": ("noise", "labels", "answers"), "classifier": ("noise", "labels", "answers")}
    kinds |= {"boundary": ("boundary", "distances", "distances"), "difficulty": ("peers", "references", "references")}
    kinds |= {"confidence": ("confidences", "confidences", "confidences"), "gap": ("original", "labels", "answers")}
    options = {"classifier": {"weight_decays": [10.0], "folds": 2}}
    names = {"noise": "vote", "boundary": "distance", "confidence": "true_confidence"}
    for study, attacks in {
        "network": ["gap", "noise", "boundary", "confidence"],
        "forest": ["difficulty", "classifier"],
    }.items():
        for attack in attacks:
            target, *shadows = [
                observed(checkout, study, role, *kinds[attack])
                for role in ("target", *(f"shadow{number}" for number in range(SHADOWS)))
            ]
            paths = [checkout.path / where("splits", study, f"shadow{number}.npz") for number in range(SHADOWS)]
            is_in = np.concatenate(
                [load_membership(p, of.example_ids)[0] for p, of in zip(paths, shadows, strict=True)]
            )
            together = type(target.per_seed[0]).concatenate([of.per_seed[0] for of in shadows])
            by_hand = lmia.attack(
                names.get(attack, attack), target.per_seed[0], together, is_in, **options.get(attack, {})
            )
            found, _ = artifacts.load(checkout.path / where("scores", study, f"{attack}.npz"), "scores")
            np.testing.assert_allclose(found["scores"][0, 0], by_hand.scores, rtol=1e-6)
            np.testing.assert_allclose(found["thresholds"][0, 0], by_hand.threshold, rtol=1e-6)


@pytest.mark.slow
def test_the_page_says_so_and_records_in_question_are_judged_by_the_same_shadows(audited):
    checkout, *_ = audited
    whole = json.loads((checkout.path / "results/audits/forest/report.json").read_text())
    page = (checkout.path / "results/audits/forest/report.html").read_text()
    assert whole["shadows"] == SHADOWS and whole["verdict"] in ("leaks", "cannot tell")
    assert "all by thresholds from 2 models that were trained like it, on halves of them" in page
    known, _ = artifacts.load(checkout.path / where("scores", "forest", "noise.npz"), "scores")
    asked, _ = artifacts.load(checkout.path / where("scores_in_question", "forest", "noise.npz"))
    assert asked["scores"].shape == (1, 1, 60) and asked["thresholds"][0, 0] == known["thresholds"][0, 0]
    records = pd.read_csv(checkout.path / "results/audits/forest/records.csv")
    assert len(records) == 2 * EVALUATED + 60 and records["is_member"].isna().sum() == 60
    table = read_metrics(checkout.path / "results/tables/forest.csv")
    assert {"shadow_train_accuracy", "shadow_test_accuracy"} <= set(table["metric"])
    assert not table["flags"].str.contains("trained otherwise").any()


@pytest.mark.slow
def test_references_of_shadows_are_those_of_the_target(audited):
    checkout, *_ = audited
    for number in range(SHADOWS):
        roles = [
            observed(checkout, "forest", role, "peers", "references", "references").per_seed[0]
            for role in ("target", f"shadow{number}")
        ]
        np.testing.assert_array_equal(roles[0].reference_labels, roles[1].reference_labels)
        assert (roles[0].labels != roles[1].labels).any()
    log = (checkout.path / where("logs/references", "forest", "shadow0/peers.log")).read_text()
    assert "references: " not in log  # none is trained for them


@pytest.mark.slow
def test_shadows_that_are_trained_otherwise_are_flagged_on_all_that_they_teach(audited, tmp_path):
    checkout, *_ = audited
    shutil.copytree(checkout.path, tmp_path / "it", symlinks=True)
    other = Checkout(tmp_path / "it")
    assert not other.pending()
    other.configure(lambda config: config["trainers"]["tree"].update(blind=True))
    planned = other.pending("results/tables/function.csv")
    assert planned["train_shadow"] == SHADOWS and "import_target" not in planned and planned["score_given"] == 4
    assert planned["query_labels"] == 2 * SHADOWS and planned["query_references"] == 1 + SHADOWS
    other.snakemake("results/tables/function.csv")
    table = read_metrics(other.path / "results/tables/function.csv")
    assert table.loc[table["attack"].ne(""), "flags"].str.contains("references trained otherwise").all()


@pytest.mark.slow
def test_another_number_of_shadows_makes_the_new_ones_alone(audited):
    checkout, *_ = audited
    checkout.configure(lambda config: config["audits"]["function"].update(shadows=SHADOWS + 1))
    planned = checkout.pending()
    assert planned["train_shadow"] == 1 and planned["draw_split"] == 1 and "import_target" not in planned
    checkout.configure(lambda config: config["audits"]["function"].update(shadows=SHADOWS))
    assert not checkout.pending()
