"""A model that exists already through the workflow: its numbers are those of a notebook, and wrong inputs end early."""

import hashlib
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

import lmia
from lmia import artifacts
from lmia.attacks.known_records import halves
from lmia.data.equal_inputs import number_inputs
from lmia.evaluation.metrics_table import read_metrics
from lmia.membership import load_membership
from tests.targets.billing import FAULTS, Server
from tests.workflow.conftest import make_checkout

PLUG_IN = """from torch import nn


class Net(nn.Module):
    def __init__(self, n_features, n_classes):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(n_features, 64), nn.BatchNorm1d(64), nn.ReLU())
        self.head = nn.Linear(64, n_classes)

    def forward(self, inputs):
        return self.head(self.body((inputs - 0.3) / 0.4))


def build(shape, n_classes):
    return Net(shape[0], n_classes)
"""
N_MEMBERS = 150
ATTACKS = {
    "gap": {"kind": "gap", "reads": "original"},
    "noise": {"kind": "vote", "reads": "noise"},
    "rotation": {"kind": "classifier", "reads": "noise", "folds": 3},
    "boundary": {"kind": "distance", "reads": "boundary", "budgets": [60]},
    "true-confidence": {"kind": "true_confidence", "reads": "confidences"},
}


def audit(config):
    """The small study's attacks on a model that is there, from its weights and from TorchScript."""
    config["datasets"] = {"records": {"kind": "npz", "path": "records.npz", "membership": ["is_member"]}}
    config["models"] = {"net": {"kind": "plugins.net"}}
    config["targets"] = {"mine": {"kind": "torch", "model": "net", "weights": "mine.pt"}}
    study = {"dataset": "records", "splits": "given", "n_train": [N_MEMBERS], "seeds": [3]}
    config["studies"] = {"audit": study | {"model": "mine"}}
    config["attacks"], config["figures"] = ATTACKS, {}
    config["metrics"]["fprs"] = [0.1]


def fitted(inputs, classes, n_epochs=60):
    """A network of the plug-in's that another program has trained."""
    space = {}
    exec(PLUG_IN, space)
    torch.manual_seed(0)
    network = space["build"](inputs.shape[1:], 10)
    optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9)
    for _ in range(n_epochs):
        for rows in torch.randperm(len(inputs)).split(50):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(inputs[rows]), classes[rows]).backward()
            optimizer.step()
    return network.eval()


@pytest.fixture(scope="module")
def placed(tmp_path_factory):
    """(checkout with a given model, network, inputs, classes, membership)."""
    checkout = make_checkout(tmp_path_factory.mktemp("given") / "it")
    draw = np.random.default_rng(0)
    inputs, classes = load_digits(return_X_y=True)
    inputs = (inputs / 16 + 0.3 * draw.standard_normal(inputs.shape)).clip(0, 1).astype(np.float32)
    membership = np.full(len(inputs), -1)
    order = draw.permutation(len(inputs))
    membership[order[:N_MEMBERS]], membership[order[N_MEMBERS : 2 * N_MEMBERS]] = 1, 0
    rows = np.flatnonzero(membership == 1)
    network = fitted(torch.from_numpy(inputs[rows]), torch.from_numpy(classes[rows]))
    inputs[order[0]] = inputs[order[N_MEMBERS]]  # somebody was mistaken in one of these two
    (checkout.path / "plugins").mkdir()
    (checkout.path / "plugins/net.py").write_text(PLUG_IN)
    np.savez(checkout.path / "records.npz", inputs=inputs, classes=classes, is_member=membership)
    torch.save(network.state_dict(), checkout.path / "mine.pt")
    checkout.configure(audit)
    return checkout, network, inputs, classes, membership


@pytest.fixture(scope="module")
def audited(placed):
    """The same after a run."""
    placed[0].snakemake()
    return placed


def where(folder, file="target.npz"):
    return f"results/{folder}/audit/n{N_MEMBERS}-none/3/{file}"


@pytest.mark.slow
def test_numbers_are_those_of_a_notebook(audited):
    checkout, network, inputs, classes, membership = audited
    split, _ = artifacts.load(checkout.path / where("splits"), "split")
    assert len(split["members"][0]) == len(split["nonmembers"][0]) == N_MEMBERS - 1  # the mistaken one is in neither
    assert (membership[split["members"][0]] == 1).all() and (membership[split["nonmembers"][0]] == 0).all()
    scored, _ = artifacts.load(checkout.path / where("scores", "noise.npz"), "scores")
    (ids,) = scored["example_ids"]
    assert sorted(ids) == sorted([*split["members"][0], *split["nonmembers"][0]])
    (is_member,) = load_membership(checkout.path / where("splits"), scored["example_ids"])
    half = halves(is_member, 3)
    with torch.inference_mode():
        probabilities = network(torch.from_numpy(inputs[ids])).softmax(1).numpy()
    asked, right = lmia.Confidences(probabilities, classes[ids]), probabilities.argmax(1) == classes[ids]
    found, _ = artifacts.load(checkout.path / where("scores", "true-confidence.npz"), "scores")
    expected = np.empty(len(ids))
    for own in (0, 1):
        rows, others = half == own, half != own
        known = lmia.attack(
            "true_confidence", asked.take(np.flatnonzero(rows)), asked.take(np.flatnonzero(others)), is_member[others]
        )
        expected[rows] = known.scores
        np.testing.assert_allclose(found["thresholds"][0, 0, rows], known.threshold, rtol=1e-5)
    np.testing.assert_allclose(found["scores"][0, 0], expected, rtol=1e-5)

    table = read_metrics(checkout.path / "results/metrics.csv").query("seed == 'all'").set_index(["attack", "metric"])
    main = table[table["setting"].eq("")]
    rows = main["value"]
    assert rows["gap", "accuracy"] == pytest.approx((right[is_member].mean() + 1 - right[~is_member].mean()) / 2)
    assert rows["", "train_accuracy"] == pytest.approx(right[is_member].mean())
    assert rows["", "test_accuracy"] == pytest.approx(right[~is_member].mean())
    assert rows["boundary", "accuracy"] > rows["gap", "accuracy"] > 0.5
    assert {"audit"} == set(table["study"]) and {"mine"} == set(table["model"])
    is_rate = table.index.get_level_values("metric").str.startswith("tpr_at")
    assert (
        not table["flags"][~is_rate].any()
        and table["flags"][is_rate].str.fullmatch(r"(\d false alarms allowed)?").all()
    )
    for attack in ATTACKS:
        low, high = main.loc[(attack, "accuracy"), ["ci_low", "ci_high"]]
        assert low < rows[attack, "accuracy"] < high
    log = (checkout.path / where("logs/splits", "target.log")).read_text()
    assert f"{N_MEMBERS - 1} members and {N_MEMBERS - 1} non-members are known" in log
    assert "2 known examples are left out, whose inputs are those of another" in log
    log = (checkout.path / where("logs/models", "target.log")).read_text()
    assert f"train_accuracy on {N_MEMBERS - 1} known records: 1.0000; is that what you know of the model?" in log


@pytest.mark.slow
def test_a_model_in_torchscript_gives_the_same(audited):
    checkout, network, *_ = audited
    torch.jit.save(torch.jit.trace(network, torch.rand(2, 64)), checkout.path / "mine.ts")
    trust = hashlib.sha256((checkout.path / "mine.ts").read_bytes()).hexdigest()
    before = {attack: artifacts.load(checkout.path / where("scores", f"{attack}.npz"))[0] for attack in ATTACKS}
    checkout.configure(
        lambda config: config["targets"].update(mine={"kind": "torchscript", "file": "mine.ts", "trust": trust})
    )
    checkout.snakemake()
    for attack, arrays in before.items():
        again, _ = artifacts.load(checkout.path / where("scores", f"{attack}.npz"))
        np.testing.assert_array_equal(again["scores"], arrays["scores"])
        np.testing.assert_array_equal(again["thresholds"], arrays["thresholds"])
    checkout.configure(audit)


CLIENT = """import torch
from plugins.net import build as network


def build(shape, n_classes, weights):
    model = network(shape, n_classes)
    model.load_state_dict(torch.load(weights, weights_only=True))
    model.eval()

    def predict(inputs):
        with torch.inference_mode():
            return model(torch.from_numpy(inputs)).argmax(1).numpy()

    return predict
"""


@pytest.mark.slow
def test_a_function_of_a_plug_in_gives_the_same_labels(audited):
    checkout, *_ = audited
    (checkout.path / "plugins/client.py").write_text(CLIENT)
    asked = [attack for attack, entry in ATTACKS.items() if entry["reads"] != "confidences"]
    before = {attack: artifacts.load(checkout.path / where("scores", f"{attack}.npz"))[0] for attack in asked}

    def remote(config):
        config["targets"]["mine"] = {"kind": "plugins.client", "weights": "mine.pt"}
        del config["attacks"]["true-confidence"]

    checkout.configure(remote)
    checkout.snakemake()
    for attack, arrays in before.items():
        again, _ = artifacts.load(checkout.path / where("scores", f"{attack}.npz"))
        np.testing.assert_array_equal(again["scores"], arrays["scores"])
    checkout.configure(audit)


@pytest.mark.slow
def test_a_model_behind_an_address_gives_the_same_labels_and_is_paid_once(audited):
    checkout, network, inputs, *_ = audited
    asked = [attack for attack, entry in ATTACKS.items() if entry["reads"] != "confidences"]
    before = {attack: artifacts.load(checkout.path / where("scores", f"{attack}.npz"))[0] for attack in asked}

    def label(given):
        with torch.inference_mode():
            return network(torch.tensor(given)).argmax(1).tolist()

    server = Server(FAULTS, label=label)

    def remote(config):
        config["targets"]["mine"] = {"kind": "http", "url": server.url, "batch": 200, "timeout": 5, "per_second": 10**5}
        del config["attacks"]["true-confidence"]

    try:
        checkout.configure(remote)
        checkout.snakemake()
        for attack, arrays in before.items():
            again, _ = artifacts.load(checkout.path / where("scores", f"{attack}.npz"))
            np.testing.assert_array_equal(again["scores"], arrays["scores"])
        billed, lost = sum(server.billed.values()), sum(size for size in server.sizes if size) // 4
        assert len(server.billed) <= billed <= len(server.billed) + lost
        shutil.rmtree(checkout.path / "results/.store")
        for folder in ("answers", "distances"):
            shutil.rmtree(checkout.path / f"results/{folder}")
        checkout.snakemake()
        assert sum(server.billed.values()) == billed
    finally:
        server.close()
    checkout.configure(audit)


@pytest.mark.slow
def test_an_edit_makes_again_what_depends_on_it(audited):
    checkout, network, inputs, classes, membership = audited
    checkout.snakemake()
    assert not checkout.pending()
    checkout.configure(lambda config: config["attacks"]["noise"].update(budget=9))
    again = {"score_given": 1, "measure_attack": 1, "tabulate_study": 1, "tabulate_metrics": 1, "write_audit": 1}
    assert checkout.pending() == again
    checkout.configure(lambda config: config["attacks"].update(ATTACKS))

    other = {name: value + 1e-3 for name, value in network.state_dict().items()}
    torch.save(other, checkout.path / "mine.pt")
    pending = checkout.pending()
    assert pending["import_target"] == 1 and pending["score_given"] == len(ATTACKS) and not pending["draw_split"]
    torch.save(network.state_dict(), checkout.path / "mine.pt")

    turned = np.where(membership < 0, membership, 1 - membership)
    np.savez(checkout.path / "records.npz", inputs=inputs, classes=classes, is_member=turned)
    assert checkout.pending()["draw_split"] == 1
    np.savez(checkout.path / "records.npz", inputs=inputs, classes=classes, is_member=membership)


@pytest.mark.slow
def test_records_in_question_are_told_beside_known_ones_of_which_nothing_changes(audited):
    """Some of them were in training after all; one has the inputs of a known record."""
    checkout, _, inputs, classes, membership = audited
    truth, draw = membership.copy(), np.random.default_rng(1)
    alone = np.bincount(same := number_inputs(inputs))[same] == 1
    hidden = np.concatenate([draw.permutation(np.flatnonzero(alone & (truth == kind)))[:40] for kind in (1, 0)])
    twins = inputs.copy()
    twins[hidden[0]] = twins[np.flatnonzero(truth == 0)[-1]]
    forgotten = np.where(np.isin(np.arange(len(truth)), hidden), -1, np.where(truth < 0, 0, truth))
    np.savez(checkout.path / "records.npz", inputs=twins, classes=classes, is_member=forgotten)
    checkout.snakemake()
    known = checkout.results(
        "answers/**/*", "distances/**/*", "scores/**/*", "measures/**/*", "tables/*", "metrics.csv"
    )
    told = pd.read_csv(checkout.path / "results/audits/audit/records.csv", dtype=str)

    checkout.configure(lambda config: config["studies"]["audit"].update(in_question=500))
    pending = {"draw_split": 1, "query_labels": 2, "search_boundary": 1, "score_in_question": 4, "write_audit": 1}
    assert checkout.pending() == pending
    checkout.snakemake()
    assert not checkout.pending() and known.items() <= checkout.results("**/*").items()
    records = pd.read_csv(checkout.path / "results/audits/audit/records.csv", dtype=str)
    asked = records[records["is_member"].isna()]
    pd.testing.assert_frame_equal(records.drop(asked.index).reset_index(drop=True), told)
    assert asked["record"].astype(int).tolist() == sorted(hidden[1:])
    probability = asked["probability"].astype(float)[truth[asked["record"].astype(int)] == 1]
    assert probability.mean() > asked["probability"].astype(float).drop(probability.index).mean() + 0.1
    whole = json.loads((checkout.path / "results/audits/audit/report.json").read_text())
    assert whole["in_question"] == {"records": 79, "exposed": (asked["exposed"] == "1").sum()}
    log = (checkout.path / where("logs/splits", "in-question.log")).read_text()
    assert "79 records are in question; 1 are not, as they have the inputs of a known one" in log
    checkout.snakemake("verify")

    checkout.configure(lambda config: config["studies"]["audit"].update(in_question=20))
    assert checkout.pending() == pending
    np.savez(checkout.path / "records.npz", inputs=inputs, classes=classes, is_member=membership)
    checkout.configure(audit)


@pytest.mark.slow
def test_where_no_member_is_known_records_in_question_are_compared_with_others(placed):
    checkout, _, inputs, classes, membership = placed
    asked = np.random.default_rng(2).permutation(np.flatnonzero(membership == 0))[:40]
    asked = np.concatenate([np.flatnonzero(membership == 1), asked])
    known = np.where(np.isin(np.arange(len(membership)), asked), -1, 0)
    np.savez(checkout.path / "records.npz", inputs=inputs, classes=classes, is_member=known)

    def without_members(config):
        config["studies"]["audit"].update(in_question=500, evaluated=700, attacks=["gap", "noise", "boundary"])
        config["queries"]["boundary"]["random_inputs"] = 9
        config["attacks"]["boundary"]["threshold"] = "random_inputs"

    checkout.configure(without_members)
    checkout.snakemake()
    assert not checkout.pending()
    checkout.snakemake("verify")
    records = pd.read_csv(checkout.path / "results/audits/audit/records.csv")
    whole = json.loads((checkout.path / "results/audits/audit/report.json").read_text())
    assert whole["known_others"] == 700 and whole["verdict"] == "cannot tell"
    n_twins = len(asked) - len(records)  # somebody was mistaken in one of two with equal inputs
    assert n_twins <= 1 and set(records["record"]) <= set(asked) and records["is_member"].isna().all()
    in_training = records.loc[membership[records["record"]] == 1, "p_value"]
    assert in_training.mean() < records["p_value"].drop(in_training.index).mean()
    files = {role: f"distances/audit/n{N_MEMBERS}-none/3/{role}/boundary.npz" for role in ("target", "in-question")}
    of = {role: artifacts.load(checkout.path / "results" / file)[0] for role, file in files.items()}
    distances = {role: arrays["distance"][0, :, 0, -1] for role, arrays in of.items()}
    above = (distances["target"] >= distances["in-question"][:, None]).sum(1)
    own = records.set_index("record").loc[of["in-question"]["example_ids"][0]]
    assert (own["p_value"] <= np.minimum(1, 3 * (1 + above) / 701) + 1e-6).all()  # of three attacks
    threshold = np.sort(of["target"]["random_distance"][0, :, -1])[4]  # the median of nine
    assert (own["called_by_boundary"] == (distances["in-question"] >= threshold)).all()
    (said,) = (attack["by_random_inputs"] for attack in whole["attacks"] if attack["by_random_inputs"])
    assert said["false_alarms"][0] == (distances["target"] >= threshold).mean()
    np.savez(checkout.path / "records.npz", inputs=inputs, classes=classes, is_member=membership)
    checkout.configure(lambda config: config["studies"]["audit"].pop("attacks"))
    checkout.configure(lambda config: config["queries"]["boundary"].pop("random_inputs"))
    checkout.configure(audit)


@pytest.mark.slow
def test_where_nothing_is_known_there_are_decisions_and_no_number_on_how_good_they_are(placed):
    checkout, network, inputs, classes, membership = placed
    np.savez(checkout.path / "records.npz", inputs=inputs, classes=classes, is_member=np.full(len(inputs), -1))

    def without_any(config):
        config["studies"]["audit"].update(in_question=60, attacks=["boundary"])
        config["queries"]["boundary"]["random_inputs"] = 9
        config["attacks"]["boundary"]["threshold"] = "random_inputs"

    checkout.configure(without_any)
    checkout.snakemake()
    assert not checkout.pending()
    checkout.snakemake("verify")
    records = pd.read_csv(checkout.path / "results/audits/audit/records.csv")
    whole = json.loads((checkout.path / "results/audits/audit/report.json").read_text())
    asked, _ = artifacts.load(checkout.path / where("distances", "in-question/boundary.npz"), "distances")
    threshold = np.sort(asked["random_distance"][0, :, -1])[4]  # the median of nine
    distance = asked["distance"][0, :, 0, -1]
    assert records["record"].tolist() == asked["example_ids"][0].tolist() and len(records) == 60
    assert (records["called_by_boundary"] == (distance >= threshold)).all() and records["is_member"].isna().all()
    assert set(records) == {"record", "is_member", "score_of_boundary", "called_by_boundary"}
    assert whole["kind"] == "decisions" and whole["verdict"] is None
    (attack,) = whole["attacks"]
    assert attack["called"] == (distance >= threshold).sum() and attack["random_inputs"] == 9
    with torch.inference_mode():
        right = network(torch.from_numpy(inputs[records["record"]])).argmax(1).numpy() == classes[records["record"]]
    assert whole["model"]["accuracy_in_question"][0] == pytest.approx(right.mean())
    np.savez(checkout.path / "records.npz", inputs=inputs, classes=classes, is_member=membership)
    checkout.configure(lambda config: config["studies"]["audit"].pop("attacks"))
    checkout.configure(lambda config: config["queries"]["boundary"].pop("random_inputs"))
    checkout.configure(audit)


WRONG = {
    "is the input scaled": (
        lambda inputs, classes, known: (inputs, (classes + 1) % 10, known),
        r"targets.mine, on inputs of shape \[64\]: \d+\.\d % of \d+ known members are labelled rightly, \d+\.\d % "
        r"would be by chance: is the input scaled as in training, and are the classes in its order\?",
    ),
    "are the two exchanged": (
        lambda inputs, classes, known: (inputs, classes, np.choose(known + 1, [-1, 1, 0])),
        r"targets.mine, on inputs of shape \[64\]: \d+\.\d % of \d+ known members are labelled rightly, and "
        r"\d+\.\d % of \d+ known non-members: are the two exchanged\? If not, members are harder, or labelled worse: ",
    ),
    "built for as many classes": (
        lambda inputs, classes, known: (inputs, np.minimum(classes, 8), known),
        r"targets.mine, on inputs of shape \[64\]: head.weight: expected shape \(9, 64\), as the model is built, got "
        r"\(10, 64\)",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", WRONG)
def test_a_model_that_does_not_know_its_records_ends_before_any_attack(audited, case):
    checkout, _, inputs, classes, membership = audited
    change, expected = WRONG[case]
    changed, labels, known = change(inputs, classes, membership)
    np.savez(checkout.path / "records.npz", inputs=changed, classes=labels, is_member=known)
    text = checkout.snakemake(check=False)
    assert checkout.exit_code == 1 and re.search(f"^ *{expected}", text, re.M), text
    np.savez(checkout.path / "records.npz", inputs=inputs, classes=classes, is_member=membership)


@pytest.mark.slow
def test_members_that_differ_by_themselves_are_flagged_on_every_number(audited):
    """All members are darker than any other record: so every number may be that difference."""
    checkout, _, inputs, classes, membership = audited
    darker = np.where(membership[:, None] == 1, inputs, inputs * 0.9 + 0.1)
    np.savez(checkout.path / "records.npz", inputs=darker, classes=classes, is_member=membership)
    checkout.snakemake()
    table = read_metrics(checkout.path / "results/metrics.csv")
    flag = "target members and non-members differ by themselves (AUC "
    assert table["flags"].str.startswith(flag).all()
    np.savez(checkout.path / "records.npz", inputs=inputs, classes=classes, is_member=membership)


REFUSING = """from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier


def build(shape, n_classes, message):
    pixels, digits = load_digits(return_X_y=True)
    model = KNeighborsClassifier(1).fit(pixels / 16, digits)

    def predict(inputs):
        if (abs(inputs * 16 - (inputs * 16).round()) > 0.01).any():
            raise {error}(message)
        return model.predict(inputs)

    return predict
"""


@pytest.mark.slow
@pytest.mark.parametrize("error", ["ValueError", "ConnectionError", "KeyError"])
def test_a_function_that_refuses_what_is_asked_says_so_in_one_line(tmp_path, error):
    """With the line of its own code that raised the error, whatever it is."""
    checkout = make_checkout(tmp_path / "it")
    (checkout.path / "plugins").mkdir()
    (checkout.path / "plugins/picky.py").write_text(REFUSING.replace("{error}", error))
    inputs, classes = load_digits(return_X_y=True)
    membership = np.arange(len(inputs)) % 3 - 1
    np.savez(checkout.path / "records.npz", inputs=inputs / 16, classes=classes, is_member=membership)

    def picky(config):
        audit(config)
        config["models"], config["targets"] = (
            {},
            {"mine": {"kind": "plugins.picky", "message": "pixels are sixteenths"}},
        )
        config["attacks"] = {name: ATTACKS[name] for name in ("gap", "noise", "boundary")}
        config["studies"]["audit"] |= {"n_train": [1000], "evaluated": 60}

    checkout.configure(picky)
    printed, results = checkout.snakemake(check=False), checkout.path / "results/logs"
    logs = [*results.glob("answers/**/noise.log"), *results.glob("distances/**/*.log")]
    assert len(logs) == 2 and checkout.exit_code == 1, printed
    for log in (log.read_text() for log in logs):
        told = rf"^the given model cannot be asked: {error}: '?pixels are sixteenths'? \(plugins/picky.py, line \d+\)$"
        assert "Traceback" not in log and re.search(told, log, re.M), log
