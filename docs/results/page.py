"""Write a page of results beside the paper, docs/<name>.md, with its tables and figures, from a finished study.

Run from the repository root, with the files that were given to Snakemake's --configfile:
python docs/results/page.py config/paper-small.yaml
python docs/results/page.py config/deviations.yaml --name deviations
What is to be said about the numbers stands in docs/results/<name>-notes.md, and ends the page.
"""

import argparse
import os
import platform
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from lmia import artifacts  # noqa: E402
from lmia.exhibits import to_markdown, transfer_cost  # noqa: E402
from lmia.tables import read_metrics  # noqa: E402
from workflow.config import check, read_layers  # noqa: E402
from workflow.entries import attacks_of, trained_cell  # noqa: E402

STAGES = {
    "data": "prepare data",
    "splits": "draw splits",
    "models": "train",
    "answers": "ask fixed queries",
    "distances": "search boundaries",
    "white_box": "follow gradients",
    "confidences": "read confidences",
    "scores": "score",
    "measures": "measure",
}

MODEL = ["study", "n_train", "defense"]
KEPT = [*MODEL, "seed", "attack", "setting", "queries", "metric", "value", "ci_low", "ci_high", "flags"]
HEADINGS = {"mnist": "MNIST", "cifar100": "CIFAR-100", "wrn": "WRN-28-2"}
BY_CONSTRUCTION = "(by construction)"


def main(files, name, machine):
    config = load(files)
    folders = [ROOT / "results/exhibits" / exhibit for exhibit in config.exhibits]
    command = f"python docs/results/page.py {' '.join(files)}" + (f" --name {name}" if name != "results" else "")
    page = [f"# {HEADINGS.get(name, name.capitalize())}\n\nMade by `{command}`, on {machine}.\n"]
    page.append(summary(keep(folders, name)))
    measured = measures(config)
    keep_measures(measured, name)
    for folder in folders:
        text = (folder / f"{folder.name}.md").read_text().replace("# ", "## ", 1)
        page.append(text + pictures(config.exhibits[folder.name].figures))
    page.append("## All attacks\n\n" + attacks(measured, f"results/{prefix(name)}attacks.csv"))
    page.append("## The models\n\n" + models(config))
    page.append("## What the shadow's threshold costs\n\n" + thresholds(config))
    page.append("## What it took\n\n" + costs(config))
    notes = ROOT / f"docs/results/{name}-notes.md"
    page += [notes.read_text()] if notes.exists() else []
    (ROOT / f"docs/{name}.md").write_text("\n".join(page))


def load(files):
    """The configuration that Snakemake makes of these files."""
    return check(read_layers(files)[0])


def prefix(name):
    """Of the files of a page."""
    return "" if name == "results" else f"{name}-"


def keep(folders, name):
    """Copy the exhibits' tables beside the page, each as one; returns file name -> table."""
    tables = {}
    for kind in ("comparison", "checks"):
        table = pd.concat([pd.read_csv(folder / f"{kind}.csv") for folder in folders], ignore_index=True)
        if len(table):
            table.to_csv(ROOT / f"docs/results/{prefix(name)}{kind}.csv", index=False)
            tables[kind] = table
    return tables


def summary(tables):
    """How many numbers and claims came out how, and how to read that."""
    texts = []
    if "comparison" in tables:
        texts.append(
            f"Numbers of the paper: {counted(tables['comparison']['status'])}. A number is reproduced within 2 points "
            "of the paper's if its interval (95 %, over seeds, or over points for one seed) is within 4; it differs if "
            "further off with the paper's outside the interval; else this scale does not resolve it. Variants are a "
            "second reading of a number that is counted already."
        )
    if "checks" in tables:
        checks = tables["checks"]
        measured = checks[~checks["claim"].str.contains(BY_CONSTRUCTION, regex=False)]["verdict"]
        texts.append(
            f"Claims: {counted(measured)}; {len(checks) - len(measured)} more hold by construction. They hold or fail "
            f"where the whole interval does; of {len(measured)} intervals at 95 %, some miss by chance."
        )
    return "\n\n".join(texts) + "\n"


def counted(column):
    return ", ".join(f"{n} {value}" for value, n in column.value_counts().items())


def pictures(figures):
    """Figures as links, copied beside the page."""
    target = ROOT / "docs/figures/paper"
    for figure in figures:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / f"results/figures/{figure}.png", target)
    return "".join(f"\n![{figure}](figures/paper/{figure}.png)" for figure in figures) + "\n" * bool(figures)


def runs(config):
    """(what tells models apart, path of their folder under a stage's) of all blocks of models that are attacked."""
    for name, study in config.studies.items():
        if not study.attacks:
            continue
        for n in study.n_train:
            for cell in dict.fromkeys(trained_cell(config, f"n{n}-{defense}") for defense in study.defenses):
                for block in study.seeds:
                    key = {"study": name, "n_train": n, "defense": cell.partition("-")[2]}
                    yield key, f"{name}/{cell}/{block}"


def measures(config):
    """Rows of all studies' tables, as `lmia.tables.read_metrics` gives them."""
    return pd.concat(
        [read_metrics(ROOT / f"results/tables/{name}.csv") for name, study in config.studies.items() if study.attacks],
        ignore_index=True,
    )


def keep_measures(table, name):
    """Copy accuracy and AUC of every attack, setting and seed beside the page."""
    rows = table[table["attack"].ne("") & table["metric"].isin(["accuracy", "auc"])]
    rows[KEPT].to_csv(ROOT / f"docs/results/{prefix(name)}attacks.csv", index=False, float_format="%.4g")


def attacks(table, file):
    """Accuracy of every attack as it is meant to be run, in %, beside epsilon of private models."""
    table = table.query("seed == 'all' and setting == ''")
    accuracy = table[table["metric"].eq("accuracy")].assign(column=lambda rows: rows["attack"], value=in_percent)
    epsilon = table[table["metric"].eq("epsilon")].assign(column="epsilon")
    rows = pd.concat([accuracy, epsilon])
    table = rows.groupby([*MODEL, "column"], sort=False)["value"].first().unstack("column")
    table = table[list(dict.fromkeys(rows["column"]))]
    text = f"Accuracies in %, means over seeds; [{file}]({file}) has every seed and setting, with intervals.\n\n"
    return text + to_markdown(table.reset_index(), [*MODEL, *table.columns])


def in_percent(rows):
    return 100 * rows["value"]


def models(config):
    """Accuracies of targets and shadows, in %, and epochs, means over seeds."""
    rows = []
    for key, folder in runs(config):
        for role in ("target", "shadow0"):
            model, _ = artifacts.load(ROOT / f"results/models/{folder}/{role}.npz", "model")
            for train, test, epochs in zip(
                *(model[name] for name in ("train_accuracy", "test_accuracy", "epochs")), strict=True
            ):
                row = key | {"role": role.rstrip("0"), "train": 100 * train, "test": 100 * test}
                rows.append(row | {"epochs": float(epochs)})
    table = pd.DataFrame(rows).groupby([*MODEL, "role"], sort=False).mean().unstack("role")
    table.columns = [f"{role} {what}" for what, role in table.columns]
    return "Accuracies in %.\n\n" + to_markdown(table.reset_index(), [*MODEL, *table.columns])


def thresholds(config):
    """Points that thresholds lose on their way from shadow to target, means over seeds."""
    rows = []
    for key, folder in runs(config):
        members = artifacts.load(ROOT / f"results/splits/{folder}/target.npz", "split")[0]["members"]
        for attack in attacks_of(config, config.studies[key["study"]]):
            scored, _ = artifacts.load(ROOT / f"results/scores/{folder}/{attack}.npz", "scores")
            arrays = scored["scores"][:, 0], scored["thresholds"][:, 0], scored["example_ids"], members
            for scores, threshold, ids, inside in zip(*arrays, strict=True):
                cost = 100 * transfer_cost(scores, np.isin(ids, inside), threshold)
                rows.append(key | {"attack": attack, "points": cost})
    table = pd.DataFrame(rows).groupby([*MODEL, "attack"], sort=False).mean()["points"].unstack("attack")
    text = (
        "Accuracy with a threshold from the target's other half minus accuracy with the shadow's, in points: what is "
        "lost because shadow and target differ. Below 0, half of the target's points choose worse than the shadow.\n\n"
    )
    return text + to_markdown(table.reset_index(), [*MODEL, *table.columns])


def costs(config):
    """CPU minutes of every stage and study, from the workflow's own benchmarks."""
    rows = []
    for stage, label in STAGES.items():
        for file in sorted((ROOT / "results/benchmarks" / stage).rglob("*.tsv")):
            study = file.relative_to(ROOT / "results/benchmarks" / stage).parts[0]
            if study in config.studies:
                spent = pd.read_csv(file, sep="\t", na_values="-").iloc[0]
                rows.append({"study": study, "stage": label, "cpu": spent["cpu_time"] / 60})
    table = pd.DataFrame(rows).pivot_table(index="study", columns="stage", values="cpu", aggfunc="sum", fill_value=0.0)
    table = table[[label for label in STAGES.values() if label in table]]
    table = table.assign(all=table.sum(axis=1)).reset_index()
    text = "CPU minutes, the start of each job included; of a job that was interrupted, its last attempt alone."
    return f"{text}\n\n{to_markdown(table, list(table))}"


def this_machine():
    """The processor's name and the number of cores."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", help="configuration files")
    parser.add_argument("--name", default="results")
    parser.add_argument("--machine", default=this_machine())
    main(**vars(parser.parse_args()))
