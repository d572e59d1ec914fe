"""Relabelled models through the workflow: who labels what, what is spent, and what an edit makes again."""

import numpy as np
import pytest
import torch

from lmia import artifacts, plugins
from lmia.attacks import dhattack
from lmia.attacks.observation_files import load_observations
from lmia.boundary.fixed_directions import as_levels, points_of, search_directions
from lmia.evaluation.metrics_table import SPENT, read_metrics
from lmia.models.checkpoints import restore
from lmia.models.relabelled_models import relabelled_ids
from lmia.splits import draw_examples
from lmia.streams import stream
from tests.workflow.conftest import CONFIG, make_checkout

BLOCKS, POOL, POINTS = ["2-5", "0-1"], 3, 90
LARGEST = {"kind": "directions", "directions": ["largest"], "levels": 8, "relabelled": 2}
ATTACKS = {
    "gap": {"kind": "gap", "reads": "original"},
    "by-transfer": {"kind": "transfer", "reads": "losses"},
    "deviating": {"kind": "dhattack", "reads": "largest", "budgets": [2]},
    "relative": {"kind": "difference", "reads": "largest"},
    "share": {"kind": "rmia", "reads": "confidences"},
    "alone": {"kind": "distance", "reads": "boundary", "threshold": "random_inputs"},
}


def pool(config):
    """The small study as a pool of three pairs whose targets label points for models of their own."""
    config["studies"]["small"] |= {"splits": "pool", "pool": POOL, "seeds": BLOCKS, "relabelled": POINTS}
    config["queries"] |= {"losses": {"kind": "relabelled"}, "largest": LARGEST}
    config["queries"]["confidences"]["population"] = 30
    config["queries"]["boundary"] |= {"budget": 60, "random_inputs": 4}
    config |= {"attacks": ATTACKS, "figures": {}}
    config["metrics"]["fprs"] = [0.1]


@pytest.fixture(scope="module")
def relabelled(tmp_path_factory):
    checkout = make_checkout(tmp_path_factory.mktemp("relabelled") / "it")
    checkout.configure(pool)
    checkout.snakemake()
    return checkout


def networks(checkout, role, block):
    arrays, provenance = artifacts.load(checkout.path / f"results/models/small/n60-none/{block}/{role}.npz", "model")
    build = plugins.bind("models", "build", CONFIG["models"]["mlp"])
    return {seed: restore(build((1, 8, 8), 10), arrays, seed) for seed in provenance["seeds"]}


@pytest.mark.slow
def test_labels_losses_and_levels_are_those_of_a_notebook(relabelled):
    data = relabelled.load("results/data/digits.npz")
    examples = draw_examples(1797, 120, POOL)
    points = relabelled_ids(1797, examples, POOL, POINTS)
    inputs = torch.from_numpy(data["inputs"][examples])
    (own,) = points_of(["largest"], inputs, stream(0, "unused"))
    for block in BLOCKS:
        split = relabelled.load(f"results/splits/small/n60-none/{block}/relabelled.npz")
        losses = relabelled.load(f"results/relabelled/small/n60-none/{block}/target/losses.npz")
        levels = relabelled.load(f"results/distances/small/n60-none/{block}/target/largest.npz")
        models = [networks(relabelled, role, block) for role in ("target", "relabelled0", "relabelled1")]
        for row, seed in enumerate(models[0]):
            target, first, _ = (of[seed] for of in models)
            assert split["members"][row].tolist() == points.tolist()
            said = target(torch.from_numpy(data["inputs"][points])).argmax(1)
            np.testing.assert_array_equal(split["labels"][row], said)
            assert losses["example_ids"][row].tolist() == examples.tolist()
            expected = torch.nn.functional.cross_entropy(
                first(inputs), torch.from_numpy(data["classes"][examples]), reduction="none"
            )
            np.testing.assert_allclose(losses["losses"][row], expected.detach(), rtol=1e-4, atol=1e-6)
            for place, of in enumerate(models):
                asked = (of[seed], inputs, data["classes"][examples], [own])
                distance, n_queries, _ = search_directions(*asked, levels=8)
                found = as_levels(distance[:, 0], inputs, own, 8)
                np.testing.assert_array_equal(levels["relabelled_levels"][row, :, place], found)
                np.testing.assert_array_equal(levels["relabelled_queries"][row, :, place], n_queries[:, 0])
    path = relabelled.path / "results/distances/small/n60-none/0-1/target/largest.npz"
    observed = load_observations(path, "distances").per_seed
    scored = relabelled.load("results/scores/small/n60-none/0-1/deviating.npz")
    for row, target in enumerate(observed):
        np.testing.assert_array_equal(scored["scores"][row, 0], dhattack.Attack().score(target))
        np.testing.assert_array_equal(scored["scores"][row, 1], dhattack.Attack().score(target.cut(2)))


@pytest.mark.slow
def test_rows_say_what_was_spent(relabelled):
    table = read_metrics(relabelled.path / "results/metrics.csv").query("metric == 'auc' and setting == ''")
    for _, rows in table.groupby("seed"):
        rows = rows.set_index("attack")
        assert rows["relabelled"].to_dict() == dict.fromkeys(ATTACKS, 0) | {"by-transfer": 1, "deviating": 2}
        elsewhere = {"by-transfer": POINTS, "deviating": POINTS, "share": 30, "alone": 4 * 61}
        assert rows["queries_elsewhere"].to_dict() == dict.fromkeys(ATTACKS, 0) | elsewhere
        assert rows.drop("share")["access"].eq("label").all() and rows["queries"]["by-transfer"] == 1
        assert 1 < rows["queries"]["deviating"] == rows["queries"]["relative"] <= 4
    of_models = read_metrics(relabelled.path / "results/metrics.csv").query("metric == 'test_accuracy'")
    assert of_models[[*SPENT]].isna().all(axis=None)


@pytest.mark.slow
def test_an_edit_relabels_and_trains_what_depends_on_it_and_no_more(relabelled):
    assert not relabelled.pending()

    def planned(change):
        relabelled.configure(change)
        found = relabelled.pending()
        relabelled.configure(pool)
        rules = ("relabel", "train_model", "train_relabelled", "query_relabelled", "search_directions", "query_labels")
        return {rule: found[rule] for rule in rules if found[rule]}

    asked = {"query_relabelled": 2, "search_directions": 2}
    more = planned(lambda config: config["studies"]["small"].update(relabelled=100))
    assert more == {"relabel": 2, "train_relabelled": 4, **asked}
    third = planned(lambda config: config["queries"]["largest"].update(relabelled=3))
    assert third == {"train_relabelled": 2, "search_directions": 2}
    assert planned(lambda config: config["attacks"]["deviating"].update(published=True)) == {}
    grown = planned(lambda config: config["studies"]["small"].update(seeds=[*BLOCKS, "6-7"]))
    assert grown == {
        **{"relabel": 1, "train_model": 1, "train_relabelled": 2},
        **{"query_relabelled": 1, "search_directions": 1, "query_labels": 1},
    }
