"""config/comparison-small.yaml runs in a few minutes, and calibration finds what the documentation says it does."""

import shutil

import numpy as np
import pytest

from lmia.evaluation.metrics_table import read_metrics
from tests.workflow.conftest import ROOT, make_checkout
from workflow.config.load import load


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Rows over all models of both pools: (study, attack, setting, metric) -> row; and the checkout."""
    checkout = make_checkout(tmp_path_factory.mktemp("comparison") / "it")
    shutil.copytree(ROOT / "config", checkout.path / "config")
    checkout.snakemake("--configfile", "config/comparison-small.yaml")
    table = read_metrics(checkout.path / "results/metrics.csv")
    rows = table[table["seed"].eq("all") & table["attack"].ne("")]
    return rows.set_index(["study", "attack", "setting", "metric"]).sort_index(), checkout


@pytest.mark.slow
def test_calibration_finds_members_that_plain_attacks_do_not(compared):
    rows, _ = compared
    for pool in ("digits-pool-0", "digits-pool-1"):
        auc = {name: rows.loc[(pool, name, "", "auc"), "value"] for name in ("gap", "boundary", "boundary-lira")}
        assert 0.59 < auc["gap"] < 0.65 and 0.70 < auc["boundary"] < 0.79 and 0.84 < auc["boundary-lira"] < 0.91
        plain, calibrated, by_confidence = (
            rows.loc[(pool, name, "", "tpr_at_0.01_fpr")] for name in ("boundary", "boundary-lira", "confidence-lira")
        )
        assert calibrated["value"] > 5 * plain["value"] and calibrated["ci_low"] > plain["ci_high"]
        assert calibrated["value"] > by_confidence["value"] / 2
        assert "tied at the top" in rows.loc[(pool, "noise", "", "tpr_at_0.01_fpr"), "flags"]
        few = rows.loc[(pool, "boundary-lira", "budget=50")]
        assert few.loc["auc", "queries"] < 50 and few.loc["auc", "ci_low"] > auc["boundary"]
        for name in ("boundary-lira", "noise-lira", "rmia", "confidence-lira"):
            reached = rows.loc[(pool, name, "", "transferred_fpr_at_0.01_fpr"), "value"]
            assert 0.007 < reached < 0.013, name


@pytest.mark.slow
def test_the_same_answers_tell_more_beside_the_pools_models_than_beside_relabelled_ones(compared):
    rows, _ = compared
    names = ("gap", "transfer", "dhattack", "dhattack-published", "largest-lira-offline")
    for pool in ("digits-pool-0", "digits-pool-1"):
        found = {name: rows.loc[(pool, name, "", "auc")] for name in names}
        assert found["transfer"]["ci_low"] > found["gap"]["ci_high"]
        assert found["largest-lira-offline"]["ci_low"] > found["dhattack"]["ci_high"]
        spent = [[found[name][column] for name in names] for column in ("queries_elsewhere", "relabelled")]
        assert spent == [[0, 800, 800, 800, 0], [0, 1, 4, 4, 0]]
        assert "tied at the top" in rows.loc[(pool, "dhattack-published", "", "tpr_at_0.01_fpr"), "flags"]


@pytest.mark.slow
def test_nothing_but_the_pool_is_shared_by_its_two_runs(compared):
    """Other examples, coins and beginnings: the second pool is a second look, and no copy of the first."""
    _, checkout = compared
    ids = []
    for study, block in (("digits-pool-0", "0-31"), ("digits-pool-1", "32-63")):
        split = np.load(checkout.path / f"results/splits/{study}/n200-none/{block}/target.npz")
        ids.append({*split["members"][0], *split["nonmembers"][0]} - {-1})
    assert len(ids[0]) == len(ids[1]) == 400 and len(ids[0] & ids[1]) < 200


def test_the_comparisons_have_every_calibrated_kind():
    for name in ("comparison.yaml", "comparison-small.yaml"):
        config = load(ROOT / "config" / name)
        used = {config.attacks[attack].kind for study in config.studies.values() for attack in config.attacks_of(study)}
        assert {"gap", "distance", "vote", "lira", "difference", "logistic", "rmia", "attack_p", "attack_r"} <= used
