"""Studies with defenses that train otherwise: what is trained, from what, and what is told of it."""

import shutil

import numpy as np
import pytest

from lmia.evaluation.metrics_table import read_metrics
from tests.workflow.conftest import Checkout

pytestmark = pytest.mark.slow

MODELS = "results/models/small/n60-{}/0-1/target.npz"
MEASURES = "results/measures/small/n60-none/0-1/boundary.csv"
GUARANTEES = "results/model_measures/small/n60-private/0-1.csv"
DEFENSES = {
    "none": {"kind": "none"},
    "weak": {"kind": "l2", "strength": 0.01},
    "strong": {"kind": "l2", "strength": 1.0},
    "private": {"kind": "dp_sgd", "epochs": 2, "epsilon": 4.0, "batch_size": 20},
    "game": {"kind": "adversarial_regularization", "strength": 1.0, "epochs": 2},
    "tuned": {"kind": "transfer", "source": "elsewhere"},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory, finished):
    """A copy of the finished run with a model of each defense."""
    path = tmp_path_factory.mktemp("trained") / "copy"
    shutil.copytree(finished.path, path, symlinks=True)
    checkout = Checkout(path)

    def defended(config):
        config["defenses"] = DEFENSES
        small = config["studies"]["small"]
        config["datasets"]["others"] = config["datasets"]["digits"] | {"seed": 1}
        config["studies"]["elsewhere"] = small | {"dataset": "others", "seeds": [5], "attacks": []}
        small["defenses"] = list(DEFENSES)
        small["outliers"] = {"fraction": 0.1, "neighbours": 3}
        config["figures"] = {}

    checkout.configure(defended)
    checkout.snakemake(*(MODELS.format(name) for name in DEFENSES), GUARANTEES, MEASURES)
    return checkout


def test_another_strength_trains_its_own_models_alone(trained):
    def stronger(config):
        config["defenses"]["strong"]["strength"] = 2.0

    before = (trained.path / "config.yaml").read_text()
    targets = [MODELS.format(name) for name in DEFENSES]
    assert not trained.pending(*targets)
    trained.configure(stronger)
    try:
        assert trained.pending(*targets) == {"train_model": 1}
        assert trained.pending(MODELS.format("strong")) == {"train_model": 1}
    finally:
        (trained.path / "config.yaml").write_text(before)


def test_private_models_tell_their_epsilon(trained):
    table = read_metrics(trained.path / GUARANTEES)
    rows = table[table["metric"] == "epsilon"]
    assert len(rows) == 2 and rows["value"].between(3.98, 4.0).all() and (rows["ci_low"] == rows["value"]).all()
    assert table[table["metric"] == "delta"]["value"].tolist() == [1 / 60] * 2
    model = trained.load(MODELS.format("private"), "model")
    assert model["epsilon"].tolist() == rows["value"].tolist() and (model["epochs"] == 2).all()


def test_transfer_starts_at_the_target_of_its_study(trained):
    own = trained.load(MODELS.format("tuned"), "model")
    given = trained.load("results/models/elsewhere/n60-none/5/target.npz", "model")
    for seed in (0, 1):
        assert np.array_equal(own[f"{seed}/1.weight"], given["5/1.weight"])
        assert not np.array_equal(own[f"{seed}/3.weight"], given["5/3.weight"])


def test_defenses_differ_where_they_should(trained):
    weights = {name: np.abs(trained.load(MODELS.format(name), "model")["0/3.weight"]).mean() for name in DEFENSES}
    assert weights["strong"] < weights["weak"] < weights["none"]
    assert len(set(weights.values())) == len(weights)
    assert (trained.load(MODELS.format("game"), "model")["epochs"] == 2).all()


def test_attacks_are_measured_on_outliers_alone(trained):
    """Precision and recall among the tenth of 120 points that stand furthest from their third neighbour."""
    found = trained.load("results/outliers/small/n60-none/0-1.npz", "outliers")
    scored = trained.load("results/scores/small/n60-none/0-1/boundary.npz", "scores")
    members = trained.load("results/splits/small/n60-none/0-1/target.npz", "split")["members"]
    table = read_metrics(trained.path / MEASURES)
    for row in (0, 1):
        outliers = found["example_ids"][row][np.argsort(found["distances"][row])[-12:]]
        assert set(outliers) == set(found["example_ids"][row][found["is_outlier"][row]])
        guessed = scored["example_ids"][row][scored["scores"][row, 0] >= scored["thresholds"][row, 0]]
        hits = len(set(outliers) & set(guessed) & set(members[row]))
        rows = table[(table["seed"] == str(row)) & (table["setting"] == "")].set_index("metric")["value"]
        assert rows["outlier_precision"] == pytest.approx(hits / len(set(outliers) & set(guessed)))
        assert rows["outlier_recall"] == pytest.approx(hits / len(set(outliers) & set(members[row])))
