"""A pool through the workflow: its numbers are those of a notebook, and what is there is not made again."""

import numpy as np
import pytest

import lmia
from lmia import artifacts
from lmia.calibration import difference
from lmia.evaluation import epsilon
from lmia.evaluation.metrics_table import read_metrics
from lmia.streams import seed_list

ATTACKS = {
    "gap": {"kind": "gap", "reads": "original"},
    "boundary": {"kind": "distance", "reads": "boundary"},
    "relative": {"kind": "difference", "reads": "boundary", "budgets": [60], "shadows": [2]},
    "guarded": {"kind": "difference", "reads": "confidences"},
}
BLOCKS = ["2-5", "0-1"]


def pool(config):
    """The small study as a pool of three pairs."""
    config["studies"]["small"] |= {"splits": "pool", "pool": 2, "seeds": BLOCKS, "defenses": ["none", "guard"]}
    config["defenses"] = {"none": {"kind": "none"}, "guard": {"kind": "memguard"}}
    config |= {"attacks": ATTACKS, "figures": {}}
    config["metrics"]["fprs"] = [0.1]


@pytest.fixture(scope="module")
def pooled(tmp_path_factory):
    from tests.workflow.conftest import make_checkout

    checkout = make_checkout(tmp_path_factory.mktemp("pool") / "it")
    checkout.configure(pool)
    checkout.snakemake()
    return checkout


def observed(checkout, cell="n60-none", folder="distances", query="boundary", blocks=BLOCKS):
    """(observations of all K models, membership (K, n))."""
    found, bits = {}, {}
    for block in blocks:
        models = seed_list(block)
        arrays, _ = artifacts.load(checkout.path / f"results/{folder}/small/{cell}/{block}/target/{query}.npz")
        split, _ = artifacts.load(checkout.path / f"results/splits/small/n60-none/{block}/target.npz", "split")
        for row, model in enumerate(models):
            bits[model] = np.isin(arrays["example_ids"][row], split["members"][row])
            if folder == "distances":
                given = (arrays["distance"][row], arrays["n_queries"][row], arrays["classes"][row], None)
                found[model] = lmia.Distances(*given)
            else:
                given = (arrays["probabilities"][row], arrays["classes"][row], arrays["phi"][row])
                found[model] = lmia.Confidences(*given)
            assert np.array_equal(arrays["example_ids"][row], arrays["example_ids"][0])
    return [found[model] for model in sorted(found)], np.stack([bits[model] for model in sorted(found)])


def scores(checkout, attack, cell="n60-none", way=0, blocks=BLOCKS):
    found = [
        artifacts.load(checkout.path / f"results/scores/small/{cell}/{block}/{attack}.npz", "scores")[0]["scores"]
        for block in sorted(blocks)
    ]
    return np.concatenate(found)[:, way]


@pytest.mark.slow
def test_scores_and_metrics_are_those_of_a_notebook(pooled):
    distances, is_member = observed(pooled)
    assert is_member.shape == (6, 120) and (is_member[::2] != is_member[1::2]).all()
    for attack, kind, way, options in [
        ("relative", "difference", 0, {}),
        ("relative", "difference", 2, {"shadows": 2}),
        ("boundary", "distance", 0, {}),
    ]:
        expected = lmia.attack_pool(kind, distances, is_member, **options)
        np.testing.assert_array_equal(scores(pooled, attack, way=way), expected)
    table = read_metrics(pooled.path / "results/metrics.csv").query("seed == 'all' and defense == 'none'")
    rows = table[table["setting"].eq("")].set_index(["attack", "metric"])
    for attack in ("relative", "boundary"):
        told = lmia.evaluate_pool(scores(pooled, attack), is_member, fprs=[0.1], n_resamples=100)
        for metric in told.index:
            found = rows.loc[(attack, metric)]
            assert [found["value"], found["ci_low"], found["ci_high"]] == pytest.approx(
                told.loc[metric, ["value", "ci_low", "ci_high"]].tolist()
            )
    differences = (pooled.path / "results/differences/small/n60-none.csv").read_text().splitlines()
    assert len(differences) == 1 + 6 * 2 and "boundary,relative,auc" in "".join(differences)
    assert set(read_metrics(pooled.path / "results/metrics.csv")["seed"]) == {"0", "1", "2", "3", "4", "5", "all"}


@pytest.mark.slow
def test_a_mask_lies_on_targets_and_not_on_what_is_known_of_shadows(pooled):
    masked, is_member = observed(pooled, "n60-guard", "confidences", "confidences")
    plain, _ = observed(pooled, "n60-none", "confidences", "confidences")
    rule = difference.Calibration()
    for target in (0, 3):
        shadows = [model for model in range(6) if model // 2 != target // 2]
        expected = rule.score(masked[target], [plain[shadow] for shadow in shadows], is_member[shadows])
        np.testing.assert_array_equal(scores(pooled, "guarded", "n60-guard")[target], expected)
    assert (scores(pooled, "guarded", "n60-guard") != scores(pooled, "guarded")).any()


@pytest.mark.slow
def test_what_is_there_is_not_made_again(pooled):
    """A new attack on old answers trains and asks nothing; a new pair is trained and asked alone."""
    assert not pooled.pending()
    pooled.configure(lambda config: config["attacks"].update(above={"kind": "difference", "reads": "boundary"}))
    tables = {"compare_pool": 2, "tabulate_study": 1, "tabulate_metrics": 1}
    assert pooled.pending() == {"score_pool": 4, "measure_attack": 4, "measure_pool": 2} | tables
    pooled.configure(pool)
    pooled.configure(lambda config: config["studies"]["small"].update(seeds=[*BLOCKS, "6-7"]))
    new = {"draw_split": 1, "train_model": 1, "query_labels": 1, "search_boundary": 1, "query_confidences": 2}
    new |= {"measure_models": 2, "score_pool": 24, "measure_attack": 24, "measure_pool": 8}
    assert pooled.pending() == new | tables
    pooled.configure(pool)
    pooled.configure(lambda config: config["studies"]["small"].update(epsilon={"delta": 0.01}))
    assert pooled.pending() == {"bound_epsilon": 8, "tabulate_study": 1, "tabulate_metrics": 1}


@pytest.mark.slow
def test_likelihood_ratios_need_a_pool_of_eight_and_are_those_of_a_notebook(pooled):
    def ratios(config):
        config["attacks"] = {"ratio": {"kind": "lira", "reads": "boundary", "shadows": [4]}}
        config["studies"]["small"].pop("epsilon", None)

    pooled.configure(ratios)
    assert "lira" in pooled.snakemake("-n", check=False) and pooled.exit_code == 1
    blocks = [*BLOCKS, "6-7"]
    pooled.configure(lambda config: config["studies"]["small"].update(seeds=blocks, defenses=["none"]))
    pooled.snakemake()
    distances, is_member = observed(pooled, blocks=blocks)
    for way, options in enumerate(({}, {"shadows": 4})):
        expected = lmia.attack_pool("lira", distances, is_member, **options)
        np.testing.assert_array_equal(scores(pooled, "ratio", way=way, blocks=blocks), expected)
    rows = read_metrics(pooled.path / "results/metrics.csv").query("seed == 'all' and metric == 'accuracy'")
    assert (rows["value"] > 0.5).all() and (rows["ci_high"] > rows["ci_low"]).all()


@pytest.fixture(scope="module")
def with_canaries(tmp_path_factory):
    return run_with_canaries(tmp_path_factory, "mislabelled")


@pytest.fixture(scope="module")
def with_noise(tmp_path_factory):
    return run_with_canaries(tmp_path_factory, "out_of_distribution")


def run_with_canaries(tmp_path_factory, kind):
    from tests.workflow.conftest import make_checkout

    checkout = make_checkout(tmp_path_factory.mktemp("canaries") / "it")
    checkout.configure(pool)

    def edit(config):
        config["studies"]["small"] |= {"canaries": 20, "epsilon": {"delta": 0.01, "level": 0.9}, "defenses": ["none"]}
        config["studies"]["small"]["canary_kind"] = kind
        config["metrics"]["fprs"] = [0.2]

    checkout.configure(edit)
    checkout.snakemake()
    return checkout


@pytest.mark.slow
@pytest.mark.parametrize("study", ["with_canaries", "with_noise"])
def test_canaries_are_learned_by_those_who_were_trained_on_them(study, request):
    """Everybody is asked about the canary's label: who was trained on it gives it, and few others do."""
    checkout = request.getfixturevalue(study)
    _, is_member = observed(checkout)
    answers, split = (
        artifacts.load(checkout.path / f"results/{path}")[0]
        for path in ("answers/small/n60-none/0-1/target/original.npz", "splits/small/n60-none/0-1/target.npz")
    )
    is_canary = np.isin(answers["example_ids"][0], split["canaries"])
    assert is_canary.sum() == 20
    np.testing.assert_array_equal(answers["classes"][0, is_canary], split["canary_classes"])
    is_right = answers["labels"][..., 0] == answers["classes"]
    own, others = is_right[:, is_canary][is_member[:2, is_canary]], is_right[:, is_canary][~is_member[:2, is_canary]]
    assert own.mean() > others.mean() + 0.4
    table = read_metrics(checkout.path / "results/metrics.csv").query("seed == 'all' and attack == 'gap'")
    values = table.set_index("metric")["value"]
    assert values["canary_auc"] > values["auc"]


@pytest.mark.slow
def test_bounds_on_epsilon_are_those_of_a_notebook(with_canaries):
    _, is_member = observed(with_canaries)
    blocks = [f"results/scores/small/n60-none/{block}/relative.npz" for block in reversed(BLOCKS)]
    scored = [artifacts.load(with_canaries.path / block, "scores")[0] for block in blocks]
    split, _ = artifacts.load(with_canaries.path / "results/splits/small/n60-none/0-1/target.npz")
    is_canary = np.isin(scored[0]["example_ids"][0], split["canaries"])
    shares = np.concatenate([of["shares"] for of in scored])[:, 0]
    guessed = [epsilon.guess(*of) for of in zip(scores(with_canaries, "relative")[:, is_canary], shares, strict=True)]
    runs = [epsilon.count(*of) for of in zip(guessed, is_member[:, is_canary], strict=True)]
    rows = read_metrics(with_canaries.path / "results/metrics.csv").query("attack == 'relative' and setting == ''")
    values = rows.set_index(["metric", "seed"])["value"]
    bounds = [epsilon.one_run_bound(run, 0.01, 0.9) for run in runs]
    assert [values["epsilon_one_run", str(model)] for model in range(6)] == pytest.approx(bounds)
    assert values["epsilon_one_run", "all"] == pytest.approx(epsilon.best_of(runs, 0.01, 0.9))
    assert values["epsilon_by_rates", "all"] > 0 and max(bounds) > 0
