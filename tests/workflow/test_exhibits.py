"""Tables and figures of the paper as targets, beside the paper's numbers."""

import copy as copying
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from lmia import artifacts
from lmia.evaluation.metrics_table import read_metrics
from tests.workflow.conftest import CONFIG, ROOT, put_zeros
from workflow.config.exhibit_inputs import exhibit_claims, exhibit_numbers
from workflow.config.load import ConfigError, check, load
from workflow.config.schema.query import CustomQuery
from workflow.tools import kept_results

EXHIBITS = {
    "table_1": {
        "title": "Table 1",
        "paper": {
            "small": {"n_train": 60, "accuracy": {"gap": 55.0, "boundary": 1.0}, "variants": {"rotation": 1.0}},
            "big": {"n_train": 500, "accuracy": {"gap": 60}},
        },
        "claims": [
            {
                "says": "more",
                "study": "small",
                "attacks": ["boundary"],
                "settings": ["", "budget=60"],
                "against": ["gap"],
            },
            {"says": "above chance", "study": "small", "attacks": ["gap"], "against": ["chance"], "at_least": -100},
        ],
        "figures": ["accuracy"],
    }
}


def test_an_exhibit_is_a_target_that_runs_nothing_but_itself(copy):
    copy.configure(lambda config: config.update(exhibits=EXHIBITS))
    copy.configure(lambda config: config["studies"].update(big=None))
    (copy.path / "results/figures/accuracy.png").unlink()
    assert dict(copy.pending("table_1")) == {"compare_exhibit": 1, "plot_metrics": 1}
    copy.snakemake("table_1")
    folder = copy.path / "results/exhibits/table_1"
    comparison, claims = pd.read_csv(folder / "comparison.csv"), pd.read_csv(folder / "claims.csv")
    table = read_metrics(copy.path / "results/metrics.csv")
    ours = table.query("seed == 'all' and setting == ''").set_index(["attack", "metric"])["value"]
    assert comparison["attack"].tolist() == ["gap", "boundary", "rotation", "gap"]
    assert comparison["status"].tolist()[1:] == ["differs", "variant", "not run"]
    assert comparison["ours"][1] == pytest.approx(100 * ours["boundary", "accuracy"], abs=0.01)
    assert comparison["remark"].fillna("").tolist() == ["", "economical search", "", "not in this configuration"]
    assert claims["margin"][0] == pytest.approx(100 * ours["boundary", "accuracy_over_gap"], abs=0.01)
    assert claims["margin"][2] == pytest.approx(100 * ours["gap", "accuracy"] - 50, abs=0.01)
    assert claims["claim"].tolist() == [
        "more: boundary minus gap, n = 60",
        "more: boundary (budget=60) minus gap, n = 60",
        "above chance: gap minus chance, n = 60, at least -100 points",
    ]
    assert claims["verdict"][2] == "holds" and claims["against_queries"].tolist()[:2] == [1, 1]
    assert claims["metric"].tolist() == ["accuracy"] * 3
    page = (folder / "table_1.md").read_text()
    assert page.startswith("# Table 1") and page.count("\n| ") == 6 + 5


def test_queries_of_the_paper_are_told_beside_query_sets_that_count_none():
    """As where an attack of the paper reads another kind here."""
    raw = copying.deepcopy(CONFIG) | {"exhibits": copying.deepcopy(EXHIBITS), "base": "none"}
    del raw["exhibits"]["table_1"]["paper"]["big"]
    cells = raw["exhibits"]["table_1"]["paper"]["small"]
    cells |= {"accuracy": {"rotation": 60.0, "noise": 60.0}, "queries": {"rotation": 30, "noise": 100}}
    del cells["variants"]
    remarks = {cell["attack"]: cell["remark"] for cell in exhibit_numbers(check(raw), "table_1")}
    assert remarks["rotation"] == "paper: 30 queries" and remarks["noise"] == "10 queries, paper: 100"


def test_samples_and_precision_of_plug_ins_are_told_as_those_of_kinds():
    def remarks(theirs, **options):
        return CustomQuery(kind="mine.perturbation", **options).remarks(theirs)

    assert remarks(10, samples=3) == ["3 queries, paper: 10"] and not remarks(3, samples=3)
    assert remarks(10) == remarks(10, samples="few") == remarks(10, samples=True) == ["paper: 10 queries"]
    assert remarks(None, samples=3, precision="bfloat16") == ["bfloat16"] and not remarks(None, precision="float32")
    assert not remarks(None, precision="auto")  # its labels are those of float32


def test_test_accuracy_is_the_models_own_whatever_the_gap_attack_decides(copy):
    """Where a shadow has no gap, the gap attack's threshold is that of a constant rule."""
    path = copy.path / "results/scores/small/n60-none/0-1/gap.npz"
    arrays, provenance = artifacts.load(path, "scores")
    arrays["thresholds"] = np.full_like(arrays["thresholds"], np.inf)
    artifacts.save(path, "scores", arrays, {"attack": provenance["attack"]})
    claim = {"says": "right", "study": "small", "attacks": ["test_accuracy"], "against": ["chance"]}
    copy.configure(lambda config: config.update(exhibits={"figure_0": {"title": "Figure 0", "claims": [claim]}}))
    copy.snakemake("figure_0")
    claims = pd.read_csv(copy.path / "results/exhibits/figure_0/claims.csv")
    table = read_metrics(copy.path / "results/metrics.csv").query("metric == 'test_accuracy' and seed == 'all'")
    assert claims["margin"].tolist() == pytest.approx([100 * table["value"].item() - 50], abs=0.01)


def test_remarks_say_what_is_not_as_in_the_paper():
    config = copying.deepcopy(CONFIG) | {"exhibits": copying.deepcopy(EXHIBITS)}
    config["exhibits"]["table_1"]["paper"].pop("big")
    config["exhibits"]["table_1"]["paper"]["small"]["n_train"] = 3000
    config["studies"]["small"] |= {"n_nonmembers": 30, "evaluated": 50}
    cells = exhibit_numbers(check(config), "table_1")
    assert [cell["status"] for cell in cells] == ["other n", "other n", "variant"]
    assert cells[1]["remark"] == "paper: n = 3,000; 30 + 30 points; economical search"
    config["exhibits"]["table_1"]["paper"]["small"]["queries"] = {"boundary": 2500}
    config["queries"]["boundary"]["precision"] = "bfloat16"
    cells = exhibit_numbers(check(config), "table_1")
    assert cells[1]["remark"].endswith("; economical search; 150 queries, paper: 2,500; bfloat16")
    config["queries"]["boundary"]["precision"] = "auto"
    assert exhibit_numbers(check(config), "table_1")[1]["remark"].endswith("; 150 queries, paper: 2,500")
    config["exhibits"]["table_1"]["paper"]["small"]["queries"] = {"boundary": 150}
    assert "paper: 1" not in exhibit_numbers(check(config), "table_1")[1]["remark"]
    config["studies"]["small"] |= {"n_nonmembers": None, "evaluated": 60, "splits": "halves"}
    assert exhibit_numbers(check(config), "table_1")[0]["remark"].endswith(
        "; shadow trained on the target's non-members"
    )


def test_claims_are_spelled_out_where_their_sides_differ():
    config = copying.deepcopy(CONFIG)
    config["defenses"] = {"none": {"kind": "none"}, "guard": {"kind": "memguard"}}
    config["studies"]["small"] |= {"n_train": [40, 60], "defenses": ["none", "guard"]}
    config["studies"]["other"] = copying.deepcopy(config["studies"]["small"])
    config["figures"] = {}
    same = {"says": "x", "study": "small", "n_train": [60]}
    claims = [
        same | {"attacks": ["gap", "boundary"], "against_n_train": 40},
        same | {"attacks": ["boundary"], "settings": ["budget=60"], "against_study": "other"},
        same | {"attacks": ["gap"], "defense": "guard", "against_defense": "none", "within": 1},
        same | {"attacks": ["true-confidence"], "defense": "guard", "against": ["chance"]},
        same | {"attacks": ["boundary"], "against": ["gap"], "between": [2, 5], "metric": ["auc", "tpr_at_0.1_fpr"]},
    ]
    config["exhibits"] = {"figure_1": {"title": "", "claims": claims}}
    made = exhibit_claims(check(config), "figure_1")
    assert [claim["claim"] for claim in made] == [
        "x: gap (n = 60) minus gap (n = 40)",
        "x: boundary (n = 60) minus boundary (n = 40)",
        "x: boundary (budget=60, small) minus boundary (budget=60, other), n = 60",
        "x: gap (guard) minus gap (none), n = 60, within 1 point",
        "x: true-confidence (guard) minus chance, n = 60",
        *["x: boundary minus gap, n = 60, between 2 and 5 points"] * 2,
    ]
    assert [claim["metric"] for claim in made] == ["accuracy"] * 5 + ["auc", "tpr_at_0.1_fpr"]
    assert [claim["bounds"] for claim in made[2:]] == [(0, None), (-1, 1), (0, None), (2, 5), (2, 5)]
    assert made[2]["sides"][1]["scores"] == ["results/scores/other/n60-none/0-1/boundary.npz"]
    guarded = made[3]["sides"][0]
    assert guarded["scores"] == ["results/scores/small/n60-guard/0-1/gap.npz"]
    assert guarded["splits"] == ["results/splits/small/n60-none/0-1/target.npz"] and not made[4]["sides"][1]["scores"]


def claim(**changed):
    return {"claims": [{"says": "", "study": "small", "attacks": ["boundary"], "against": ["gap"]} | changed]}


BAD = {
    "figure": ({"figures": ["acuracy"]}, "exhibits.table_1.figures: acuracy: .* did you mean accuracy?"),
    "attack": (
        {"paper": {"small": {"accuracy": {"bondary": 1}}}},
        "exhibits.table_1.paper.small.accuracy: bondary: .* did you mean boundary?",
    ),
    "study of numbers": (
        {"paper": {"smal": {}}},
        "table_1.paper: smal: not defined under studies; did you mean small?",
    ),
    "defense": (
        {"paper": {"small": {"under": {"dp": {}}}}},
        "paper.small.under: dp: not defined under the defenses of",
    ),
    "study": (claim(study="x"), "claims.0.study: x: not defined under studies"),
    "other study": (claim(against_study="x"), "claims.0.against_study: x: not defined under studies"),
    "attack of a claim": (claim(attacks=["gpa"]), "claims.0.attacks: gpa: .* did you mean gap?"),
    "against": (claim(against=["gpa"]), "claims.0.against: gpa: .* did you mean gap?"),
    "size": (claim(n_train=[5]), "claims.0.n_train: 5: small has only 60"),
    "setting": (
        claim(settings=["budget=61"]),
        "claims.0.settings: budget=61: boundary has no .* did you mean budget=60?",
    ),
    "magnitude": (
        claim(attacks=["rotation"], settings=["degree=5"]),
        "claims.0.settings: degree=5: rotation has no such setting; did you mean degrees=5?",
    ),
    "other setting": (
        claim(against_setting="budget=3"),
        'claims.0.against_setting: budget=3: gap has no such setting; expected one of: ""$',
    ),
    "defense of a claim": (claim(defense="dp"), "claims.0.defense: dp: not defined under the defenses of small"),
    "itself": (claim(against=["boundary"]), "claims.0.against: boundary: an attack against itself"),
    "no bound": (claim(at_least=float("nan")), "claims.0.at_least: nan: .* be a finite number"),
    "a truth for a number of the paper": (
        {"paper": {"small": {"under": {"none": {"gap": True}}}}},
        "paper.small.under: .*True.* should not be true or false",
    ),
    "a number of YAML 1.1": ({"paper": {"small": {"accuracy": {"gap": "1_0"}}}}, "small.accuracy: .* valid number, as"),
    "one under a defense": ({"paper": {"small": {"under": {"none": {"gap": "1_0"}}}}}, "under: .* valid number, as"),
    "metric": (claim(metric=["acc"]), "claims.0.metric: acc: expected accuracy, auc, or tpr_at_F_fpr for a rate F"),
    "no rate": (claim(metric=["tpr_at_1_fpr"]), "claims.0.metric: tpr_at_1_fpr: .* between 0 and 1, as tpr_at_0.1_fpr"),
    "a rate otherwise": (claim(metric=["auc", "tpr_at_0.10_fpr"]), "claims.0.metric: tpr_at_0.10_fpr: expected"),
    "one metric": (claim(metric="auc"), "claims.0.metric: 'auc': .* valid list"),
    "metric of a model": (
        claim(attacks=["test_accuracy"], metric=["auc"]),
        "claims.0.metric: auc: test_accuracy has none; leave metric out",
    ),
    "two bounds": (claim(within=1, between=[0, 2]), "claims.0.between: .*: within is given too, .* remove one"),
    "a bound beside another": (claim(at_least=3, within=1), "claims.0.within: 1.0: at_least is given too"),
    "bounds": (claim(between=[5, 2]), "claims.0.between: 5, 2: expected the fewer points first; swap them"),
    "one bound": (claim(between=[5]), "claims.0.between: .*at least 2 items"),
    "key": (claim(say=""), "claims.0.say: unknown key; did you mean says?"),
}


@pytest.mark.parametrize("case", BAD)
def test_exhibits_are_checked_before_any_job(case):
    entry, message = BAD[case]
    with pytest.raises(ConfigError, match=message):
        check(CONFIG | {"exhibits": {"table_1": {"title": ""} | entry}})


def test_exhibits_may_not_be_named_as_rules():
    for name in ("train_model", "all", "compare_exhibit"):
        with pytest.raises(ConfigError, match=f"exhibits.{name}: {name}: is the name of a rule"):
            check(CONFIG | {"exhibits": {name: {"title": ""}}})


def configurations():
    """Files of config/; those of thousands of jobs are slow to plan."""
    for file in sorted((ROOT / "config").glob("*.yaml")):
        marks = pytest.mark.slow if file.name in ("defenses.yaml", "paper.yaml") else ()
        yield pytest.param(file, id=file.name, marks=marks)


@pytest.mark.parametrize("file", list(configurations()))
def test_studies_can_be_run_by_the_command_in_their_first_lines(file, fresh):
    shutil.copytree(ROOT / "config", fresh.path / "config")
    [command] = [line for line in file.read_text().splitlines() if line.startswith("# snakemake ")]
    targets = command.partition("--cores ")[2].split()[1:]
    if "hashes.yaml" in targets:  # two archives need a hash that nobody published
        (fresh.path / "hashes.yaml").write_text("datasets: {}")
        refused = fresh.snakemake("-n", *targets, check=False)
        assert fresh.exit_code and "datasets.purchase.sha256: missing; nobody" in refused.replace("texas", "purchase")
        stated = {name: {"sha256": "0" * 64} for name in ("texas", "purchase")}
        (fresh.path / "hashes.yaml").write_text(yaml.safe_dump({"datasets": stated}))
    plan = fresh.snakemake("-n", *targets)
    assert re.search(r"compare_(exhibit|pool)|write_audit", plan) and "config/" in command


@pytest.fixture(scope="module")
def beside_data(tmp_path_factory):
    """A folder with config/, and data/ of the names and shapes that docs/results/configs/*.yaml read, all of it 0."""
    folder = tmp_path_factory.mktemp("beside-data")
    for name in ("config", "config.yaml", "docs"):
        (folder / name).symlink_to(ROOT / name)
    put_zeros(folder / "data")
    return folder


@pytest.mark.parametrize("file", sorted(file.name for file in (ROOT / "docs/results/configs").glob("*.yaml")))
def test_what_results_were_made_with_is_still_a_configuration(file, beside_data, monkeypatch):
    monkeypatch.chdir(beside_data)
    text = Path(f"docs/results/configs/{file}").read_text()
    [targets] = re.findall(r"snakemake --cores 2 (.*)--configfile", text)
    config = load(f"docs/results/configs/{file}")
    assert set(targets.split()) <= {*config.exhibits, *(f"results/tables/{study}.csv" for study in config.studies)}


def test_all_rows_that_a_page_keeps_are_of_its_configuration(beside_data, monkeypatch):
    """A new option that is not null where it is not stated makes them others' rows, and the page loses them."""
    monkeypatch.chdir(beside_data)
    checked = []
    for file in sorted(kept_results.DATA.glob("*.csv")):
        rows = pd.read_csv(file, dtype=str, keep_default_na=False)
        if "recipe" in rows:
            page, _, kind = file.stem.rpartition("-")
            n = int(rows["seed"].ne("all").sum()) if "seed" in rows else len(rows)
            current = kept_results.kept(load(f"docs/results/configs/{page}.yaml"), page, kind)
            assert len(current) == n, f"{file.name}: {n - len(current)} rows of other settings"
            checked.append(file.stem)
    assert {f"paper-{kind}" for kind in kept_results.KEYS} <= set(checked)
