"""The tables and figures of config/paper-small.yaml, but for small images, few points and less of figure 1."""

import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.workflow.conftest import ROOT
from workflow.tools.paper_tables import DATASETS, ROWS

SHAPES = {  # of what stands in for each data set, with its number of classes
    "cifar10": ((20000, 12, 12, 3), 10),
    "cifar100": ((19000, 12, 12, 3), 100),
    "mnist": ((4000, 12, 12), 10),
    "location": ((5000, 446), 30),
    "adult": ((40000, 107), 2),
    "adult-all": ((40000, 107), 2),
}


def stand_ins(folder):
    """Arrays of noise around a centre of each class, as entries of `datasets`."""
    entries, rng = {}, np.random.default_rng(0)
    for name, (shape, n_classes) in SHAPES.items():
        classes = np.arange(shape[0]) % n_classes
        centres = rng.random((n_classes, *shape[1:]), dtype=np.float32)
        values = 0.8 * centres[classes] + 0.2 * rng.random(shape, dtype=np.float32)
        np.savez(folder / f"{name}.npz", inputs=(255 * values).astype(np.uint8), classes=classes)
        entries[name] = {"kind": "npz", "path": f"{name}.npz", "layout": "channels_last", "range": [0, 255]}
        if name.startswith("adult"):
            entries[name]["scale"] = None  # of the kind that it stands in for
    return entries


@pytest.mark.slow
def test_tables_and_figures_of_the_paper_come_from_one_command(fresh):
    shutil.copytree(ROOT / "config", fresh.path / "config")
    shutil.copytree(ROOT / "docs/results", fresh.path / "docs/results")
    small = yaml.safe_load((ROOT / "config/paper-small.yaml").read_text())
    studies = [name for name, study in small["studies"].items() if study is not None]
    few = {"evaluated": 12, "seeds": [0], "training": {"max_epochs": 1}}
    overlay = {"metrics": {"resamples": 100}, "datasets": stand_ins(fresh.path), "studies": dict.fromkeys(studies, few)}
    reduce_figure_1(overlay, few)
    (fresh.path / "few.yaml").write_text(yaml.safe_dump(overlay))
    configured = ("--configfile", "config/paper-small.yaml", "few.yaml")
    fresh.snakemake("table_1", "table_2", "figure_1", "figure_2", *configured, timeout=1500)
    found = {
        name: pd.read_csv(fresh.path / f"results/exhibits/{name}/comparison.csv") for name in ("table_1", "table_2")
    }
    assert found["table_1"]["dataset"].tolist() == ["cifar100"] * 9 + ["mnist"] * 9
    not_run = found["table_2"].query("status == 'not run'")
    assert set(not_run["dataset"]) == {"texas", "purchase"} and len(not_run) == 10
    for table in found.values():
        ran = table.query("seeds > 0")
        assert ran["ours"].between(0, 100).all() and (ran["seeds"] == 1).all() and ran["ci_low"].notna().all()
    for figure in ("figure-1", "figure-2a", "figure-2b", "figure-2c"):
        assert (fresh.path / f"results/figures/{figure}.png").stat().st_size > 10_000
    masked = pd.read_csv(fresh.path / "results/exhibits/figure_1/claims.csv")
    said = [claim.partition(" (")[0] for claim in masked["claim"]]
    assert said == ["labels stay: gap", "labels stay: boundary-economical", "confidences go: max-confidence"]
    assert masked["verdict"].tolist() == ["by construction"] * 3 and masked["margin"].tolist()[:2] == [0, 0]
    verdicts = pd.read_csv(fresh.path / "results/exhibits/figure_2/claims.csv")["verdict"]
    assert len(verdicts) == 76 and set(verdicts) == {"one model pair", "not resolvable", "by construction"}
    plan = fresh.snakemake("-n", "table_1", "table_2", "figure_1", "figure_2", *configured)
    assert "compare_exhibit" not in plan and "train_model" not in plan
    write_page(fresh)


def reduce_figure_1(overlay, few):
    """Three attacks and one size besides figure 2's, with claims of their own: hundreds of jobs less.

    Figure 2 has all rules run. That figure 1 of config/paper-small.yaml can be planned, test_exhibits.py tests.
    """
    attacks = ["gap", "boundary-economical"]
    overlay["studies"]["cifar10-sizes"] = few | {"n_train": [100], "attacks": [*attacks, "max-confidence"]}
    overlay["figures"] = {"figure-1": {"attacks": attacks}}
    masked = {"study": "cifar10-sizes", "defense": "memguard"}
    claims = [
        {"says": "labels stay", "attacks": attacks, "against_defense": "none", "within": 0},
        {"says": "confidences go", "attacks": ["max-confidence"], "against": ["chance"], "within": 1},
    ]
    overlay["exhibits"] = {"figure_1": {"claims": [claim | masked for claim in claims]}}


@pytest.mark.slow
def test_figures_of_defenses_come_from_one_command(fresh):
    """Figures 3, S8 and 4; 5 and 6 are the same with more defenses."""
    shutil.copytree(ROOT / "config", fresh.path / "config")
    few = {"n_train": [100], "evaluated": 12, "training": {"max_epochs": 1}}
    defenses = ["none", "shifts-1", "shifts-4", "shifts-5"]  # that claims are about
    overlay = {
        "metrics": {"resamples": 100},
        "datasets": stand_ins(fresh.path),
        "models": {"wrn": {"depth": 10, "width": 1}},
        "studies": {"cifar10-shifts": few | {"defenses": defenses}, "cifar10-wrn": few},
    }
    (fresh.path / "few.yaml").write_text(yaml.safe_dump(overlay))
    configured = ("--configfile", "config/defenses-small.yaml", "few.yaml")
    fresh.snakemake("figure_3", "figure_4", "figure_s8", *configured, timeout=900)
    for figure in ("figure-3", "figure-4", "figure-s8"):
        assert (fresh.path / f"results/figures/{figure}.png").stat().st_size > 10_000
    checks = pd.read_csv(fresh.path / "results/exhibits/figure_3/claims.csv")
    assert (
        checks["claim"].tolist()[0]
        == "test accuracy rises: test_accuracy (shifts-5) minus test_accuracy (none), n = 100"
    )
    assert len(checks) == 5 and checks["margin"].notna().all()
    accuracy = pd.read_csv(fresh.path / "results/exhibits/figure_3/comparison.csv").set_index("defense")
    margin = accuracy["ours"]["shifts-5"] - accuracy["ours"]["none"]
    assert accuracy["paper"].to_dict() == {"none": 49.7, "shifts-5": 58.7} and set(accuracy["status"]) == {"other n"}
    assert abs(margin - checks["margin"][0]) < 60  # of all 100 non-members there, of 12 here


def write_page(checkout):
    """The page of results is written from what is there, and has every exhibit and figure."""
    notes = checkout.path / "docs/results/notes/paper.md"
    reasons = [f"- **{name}, {row}:** a stand-in" for name in DATASETS.values() for row in ROWS]
    notes.write_text(notes.read_text().replace("## Reasons\n", "\n".join(["## Reasons\n", *reasons, ""])))
    command = [sys.executable, "-m", "workflow.tools.results_page", "config/paper-small.yaml", "few.yaml"]
    subprocess.run([*command, "--machine", "a test"], cwd=checkout.path, check=True, timeout=120)
    page = (checkout.path / "docs/results/paper.md").read_text()
    noted = (checkout.path / "docs/results/notes/paper.md").read_text()
    conclusion, _, run = noted.partition("## What was run")
    shown = [conclusion.strip(), "## What was run", run.partition("## Reasons")[0].strip(), "Hardware: a test."]
    shown += ["table_1 table_2 figure_1 figure_2 --configfile config/paper-small.yaml few.yaml", "## Table 1"]
    shown += ["## Figure 2", "](../figures/paper/figure-2c.png)", "search boundaries", "not run", "## Remarks"]
    places = [page.find(text) for text in shown]
    assert -1 not in places and places[:6] == sorted(places[:6]), places
    assert (checkout.path / "docs/figures/paper/figure-1.png").exists()
    assert len(pd.read_csv(checkout.path / "docs/results/data/paper-comparison.csv")) == 18 + 35 + 1
    measured = pd.read_csv(checkout.path / "docs/results/data/paper-measures.csv", dtype={"seed": str})
    assert set(measured["seed"]) == {"0", "all"}
