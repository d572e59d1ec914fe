"""Crafted queries through the workflow: whose gradients make them, who is asked them, and what makes them again."""

import numpy as np
import pytest
import torch

from lmia import artifacts, plugins
from lmia.asked_points import evaluated_pool_ids
from lmia.crafting import oslo
from lmia.evaluation.metrics_table import read_metrics
from lmia.models.checkpoints import restore
from lmia.queries.fixed_queries import ask_crafted
from lmia.splits import draw_examples
from tests.workflow.conftest import CONFIG, make_checkout

BLOCKS, POOL, THRESHOLDS = ["2-5", "0-1"], 3, [0.7, 0.5, 0.2]
OSLO = {"kind": "oslo", "thresholds": THRESHOLDS, "levels": 5, "steps": 2, "sources": 2, "validators": 1}
ATTACKS = {
    "gap": {"kind": "gap", "reads": "original"},
    "count": {"kind": "vote", "reads": "oslo", "with_input": False},
    "regression": {"kind": "logistic", "reads": "oslo"},
    "above": {"kind": "difference", "reads": "oslo"},
    "once": {"kind": "kept", "reads": "yoqo"},
}


def pool(config):
    """The small study as a pool of three pairs that is asked crafted queries."""
    config["studies"]["small"] |= {"splits": "pool", "pool": POOL, "seeds": BLOCKS, "evaluated": 20}
    config["queries"] |= {"oslo": OSLO, "yoqo": {"kind": "yoqo", "steps": 5}}
    config |= {"attacks": ATTACKS, "figures": {}}
    config["metrics"]["fprs"] = [0.1]


@pytest.fixture(scope="module")
def crafted(tmp_path_factory):
    checkout = make_checkout(tmp_path_factory.mktemp("crafted") / "it")
    checkout.configure(pool)
    checkout.snakemake()
    return checkout


def networks(checkout, path):
    arrays, provenance = artifacts.load(checkout.path / "results/models" / path, "model")
    build = plugins.bind("models", "build", CONFIG["models"]["mlp"])
    return {seed: restore(build((1, 8, 8), 10), arrays, seed) for seed in provenance["seeds"]}


@pytest.mark.slow
def test_queries_and_answers_are_those_of_a_notebook(crafted):
    examples = draw_examples(1797, 120, POOL)
    made = crafted.load("results/crafted/small/n60-none/oslo.npz")
    np.testing.assert_array_equal(made["example_ids"], evaluated_pool_ids(examples, POOL, 20))
    surrogates = []
    for number in range(3):
        split = crafted.load(f"results/splits/small/n60-none/{POOL}/surrogate{number}.npz")
        assert split["members"].shape == (1, 60) and not np.isin(split["members"], examples).any()
        surrogates.append(networks(crafted, f"small/n60-none/{POOL}/surrogate{number}.npz")[POOL])
    data = crafted.load("results/data/digits.npz")
    inputs, classes = (data[name][made["example_ids"]] for name in ("inputs", "classes"))
    options = {name: value for name, value in OSLO.items() if name != "kind"}
    given = (surrogates, np.zeros((3, 40), bool), torch.from_numpy(inputs), classes)
    queries, reached = oslo.Crafting(**options).craft(*given)
    np.testing.assert_array_equal(made["inputs"], queries[None])
    np.testing.assert_array_equal(made["reached"], reached[None])
    for block in BLOCKS:
        answers = crafted.load(f"results/answers/small/n60-none/{block}/target/oslo.npz")
        assert answers["magnitudes"].shape[1] == 1 + len(THRESHOLDS)
        for row, network in enumerate(networks(crafted, f"small/n60-none/{block}/target.npz").values()):
            asked = ask_crafted(network, torch.from_numpy(inputs), torch.from_numpy(queries))[0]
            np.testing.assert_array_equal(answers["labels"][row], asked)
    crossed = crafted.load("results/crafted/small/n60-none/yoqo.npz")
    assert crossed["inputs"].shape == (2, 40, 1, 1, 8, 8) and (crossed["inputs"][0] != crossed["inputs"][1]).any()
    table = read_metrics(crafted.path / "results/metrics.csv").query("seed == 'all' and metric == 'auc'")
    rows = table[table["setting"].eq("")].set_index("attack")
    assert rows["queries"].to_dict() == {"gap": 1, "count": 4, "regression": 4, "above": 4, "once": 2}
    assert rows["access"].eq("label").all()


@pytest.mark.slow
def test_an_edit_crafts_what_depends_on_it_and_no_more(crafted):
    assert not crafted.pending()
    tables = {"compare_pool": 1, "tabulate_study": 1, "tabulate_metrics": 1}
    scores = {"score_pool": 2, "measure_attack": 2, "measure_pool": 1} | tables

    def planned(change):
        crafted.configure(change)
        found = crafted.pending()
        crafted.configure(pool)
        return found

    assert planned(lambda config: config["attacks"]["regression"].update(inverse_penalty=2)) == scores
    three = {"score_pool": 6, "measure_attack": 6, "measure_pool": 3} | tables
    fewer = planned(lambda config: config["queries"]["oslo"].update(thresholds=[0.5]))
    assert fewer == {"craft_queries": 1, "query_labels": 2} | three
    more = planned(lambda config: config["queries"]["oslo"].update(sources=3))
    assert more == {"craft_queries": 1, "query_labels": 2, "draw_split": 1, "train_model": 1} | three
    # A new pair is asked what the others are; only queries that are made from the pool itself are made anew.
    grown = planned(lambda config: config["studies"]["small"].update(seeds=[*BLOCKS, "6-7"]))
    assert {rule: grown[rule] for rule in ("craft_queries", "draw_split", "train_model", "query_labels")} == {
        "craft_queries": 1,
        "draw_split": 1,
        "train_model": 1,
        "query_labels": 5,  # gap and OSLO of the new pair, and YOQO of all
    }
