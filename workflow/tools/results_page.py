"""Write a page of results, docs/results/<name>.md, from a finished study, with its tables and figures.

Run from the repository root, with the files that were given to Snakemake's --configfile:
python -m workflow.tools.results_page docs/results/configs/paper.yaml
python -m workflow.tools.results_page docs/results/configs/mnist.yaml --name mnist
The text of the page is docs/results/notes/<name>.md: the conclusion, `## What was run` and `## Remarks`.
"""

import argparse
import os
import platform
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lmia import artifacts
from lmia.evaluation.metrics_table import read_metrics
from lmia.evaluation.paper_comparison import to_markdown, transfer_cost
from lmia.membership import load_membership
from workflow.config.load import check, read_layers
from workflow.config.result_files import trained_cell
from workflow.config.schema.configuration import Config

Table = Any  # a pandas DataFrame, whose own hints hold every type that an entry may have
ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs/results"

STAGES = {
    "data": "prepare data",
    "splits": "draw splits",
    "models": "train",
    "answers": "query labels",
    "distances": "search boundaries",
    "white_box": "query white-box",
    "confidences": "query confidences",
    "scores": "score",
    "measures": "measure",
}

MODEL = ["study", "n_train", "defense"]
KEPT = [*MODEL, "seed", "attack", "setting", "queries", "metric", "value", "ci_low", "ci_high", "flags"]
TITLES = {
    "paper": "The paper's tables and figures",
    "defenses": "Defenses with 1,000 members",
    "deviations": "What each choice is worth",
    "private-training": "Private training",
    "masked-confidences": "Masked confidences",
    "mnist": "MNIST",
    "cifar100": "CIFAR-100",
    "wide-resnet": "Figure 4: a wide residual network",
}
RUN, REMARKS = "What was run", "Remarks"
BY_CONSTRUCTION = "(by construction)"
LOST = """\
Points that an attack loses because shadow and target differ.
They are the accuracy with a threshold from the target's other half, minus the accuracy with the shadow's threshold.
Below 0, half of the target's points choose a worse threshold than the shadow does.

"""
MINUTES = """\
CPU minutes, with the start of each job.
Of an interrupted job only the last attempt is counted.

"""


def main(files: Sequence[str], name: str, machine: str) -> None:
    config = load(files)
    folders = [ROOT / "results/exhibits" / exhibit for exhibit in config.exhibits]
    measured = measures(config)
    keep_measures(measured, name)
    sections = [summary(keep(folders, name))]
    for folder in folders:
        text = (folder / f"{folder.name}.md").read_text().replace("# ", "## ", 1)
        sections.append(text + pictures(config.exhibits[folder.name].figures))
    sections.append("## All attacks\n\n" + attacks(measured, f"data/{name}-attacks.csv"))
    sections.append("## The models\n\n" + models(config))
    sections.append("## What the shadow's threshold costs\n\n" + thresholds(config))
    sections.append("## CPU time\n\n" + costs(config))
    how = rebuild(list(config.exhibits), files, name, machine)
    (PAGES / f"{name}.md").write_text(page(name, notes(name), how, sections))


def load(files: Sequence[str]) -> Config:
    """The configuration that Snakemake makes of these files."""
    return check(read_layers(files)[0])


def notes(name: str) -> dict[str, str]:
    """Heading -> text of the page's notes; the conclusion is under ""."""
    file = PAGES / f"notes/{name}.md"
    conclusion, *sections = (file.read_text() if file.exists() else "").split("\n## ")
    parts = (section.partition("\n") for section in sections)
    return {"": conclusion.strip()} | {heading.strip(): text.strip() for heading, _, text in parts}


def page(name: str, noted: dict[str, str], how: str, sections: Sequence[str]) -> str:
    """The text of a page: conclusion, what was run and how to rebuild it, tables and figures, remarks."""
    title = TITLES.get(name, name.replace("-", " ").capitalize())
    before = [f"# {title}", noted[""], f"## {RUN}", noted.get(RUN, ""), how]
    after = [f"## {REMARKS}", noted[REMARKS]] if REMARKS in noted else []
    return "\n\n".join(part.strip() for part in [*before, *sections, *after] if part.strip()) + "\n"


def rebuild(exhibits: Sequence[str], files: Sequence[str], name: str, machine: str) -> str:
    """The commands that make the results and then this page."""
    own = "" if name == "paper" else f" --name {name}"
    return f"""\
Hardware: {machine}.
These commands rebuild the results and this page:

```
snakemake --cores 2 {" ".join(exhibits)} --configfile {" ".join(files)}
python -m workflow.tools.results_page {" ".join(files)}{own}
```"""


def keep(folders: Sequence[Path], name: str) -> dict[str, Table]:
    """Copy the exhibits' tables beside the page, each as one; returns kind of table -> table."""
    tables = {}
    for kind in ("comparison", "claims"):
        table = pd.concat([pd.read_csv(folder / f"{kind}.csv") for folder in folders], ignore_index=True)
        if len(table):
            table.to_csv(PAGES / f"data/{name}-{kind}.csv", index=False)
            tables[kind] = table
    return tables


def summary(tables: dict[str, Table]) -> str:
    """How many numbers and claims came out how."""
    texts = ["## Numbers and claims\n\n"]
    if "comparison" in tables:
        texts.append(f"- Numbers of the paper: {counted(tables['comparison']['status'])}.\n")
    if "claims" in tables:
        claims = tables["claims"]
        measured = claims[~claims["claim"].str.contains(BY_CONSTRUCTION, regex=False)]["verdict"]
        others = f"; {n} more hold by construction" if (n := len(claims) - len(measured)) else ""
        texts.append(f"- Claims: {counted(measured)}{others}.\n")
    texts.append("\n[How to read a page of results](index.md#how-to-read-a-page) defines these words.\n")
    return "".join(texts)


def counted(column: Any) -> str:
    """How often each value is there."""
    return ", ".join(f"{n} {value}" for value, n in column.value_counts().items())


def pictures(figures: Sequence[str]) -> str:
    """Figures as links, copied beside the pages, each above its caption."""
    target, texts = ROOT / "docs/figures/paper", []
    for figure in figures:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / f"results/figures/{figure}.png", target)
        caption = (ROOT / f"results/figures/{figure}.txt").read_text()
        texts.append(f"\n![{figure}](../figures/paper/{figure}.png)\n\n{caption}")
    return "".join(texts)


def runs(config: Config) -> Iterator[tuple[dict[str, Any], str]]:
    """(what tells models apart, path of their folder under a stage's) of all blocks of models that are attacked."""
    for name, study in config.studies.items():
        if not study.attacks:
            continue
        for n in study.n_train:
            for cell in dict.fromkeys(trained_cell(config, f"n{n}-{defense}") for defense in study.defenses):
                for block in study.seeds:
                    key = {"study": name, "n_train": n, "defense": cell.partition("-")[2]}
                    yield key, f"{name}/{cell}/{block}"


def measures(config: Config) -> Table:
    """Rows of all studies' tables, as `read_metrics` gives them."""
    return pd.concat(
        [read_metrics(ROOT / f"results/tables/{name}.csv") for name, study in config.studies.items() if study.attacks],
        ignore_index=True,
    )


def keep_measures(table: Table, name: str) -> None:
    """Copy accuracy and AUC of every attack, setting and seed beside the page."""
    rows = table[table["attack"].ne("") & table["metric"].isin(["accuracy", "auc"])]
    rows[KEPT].to_csv(PAGES / f"data/{name}-attacks.csv", index=False, float_format="%.4g")


def attacks(table: Table, file: str) -> str:
    """Accuracy of every attack as it is meant to be run, in %, beside epsilon of private models."""
    table = table.query("seed == 'all' and setting == ''")
    accuracy = table[table["metric"].eq("accuracy")]
    accuracy = accuracy.assign(column=accuracy["attack"], value=100 * accuracy["value"])
    epsilon = table[table["metric"].eq("epsilon")].assign(column="epsilon")
    rows: Table = pd.concat([accuracy, epsilon])
    table = rows.groupby([*MODEL, "column"], sort=False)["value"].first().unstack("column")
    table = table[list(dict.fromkeys(rows["column"]))]
    text = f"Accuracies in %, means over seeds.\n[{file}]({file}) has every seed and setting, with intervals.\n\n"
    return text + to_markdown(table.reset_index(), [*MODEL, *table.columns])


def models(config: Config) -> str:
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
    means: Table = pd.DataFrame(rows).groupby([*MODEL, "role"], sort=False).mean()
    table = means.unstack("role")
    table.columns = [f"{role} {what}" for what, role in table.columns]
    return "Accuracies in %.\n\n" + to_markdown(table.reset_index(), [*MODEL, *table.columns])


def thresholds(config: Config) -> str:
    """Points that thresholds lose on their way from shadow to target, means over seeds."""
    rows = []
    for key, folder in runs(config):
        for attack in config.attacks_of(config.studies[key["study"]]):
            scored, _ = artifacts.load(ROOT / f"results/scores/{folder}/{attack}.npz", "scores")
            is_member = load_membership(ROOT / f"results/splits/{folder}/target.npz", scored["example_ids"])
            for scores, threshold, known in zip(
                scored["scores"][:, 0], scored["thresholds"][:, 0], is_member, strict=True
            ):
                cost = 100 * transfer_cost(scores, known, threshold)
                rows.append(key | {"attack": attack, "points": cost})
    means: Table = pd.DataFrame(rows).groupby([*MODEL, "attack"], sort=False).mean()
    table = means["points"].unstack("attack")
    return LOST + to_markdown(table.reset_index(), [*MODEL, *table.columns])


def costs(config: Config) -> str:
    """CPU minutes of every stage and study, from the workflow's own benchmarks."""
    rows = []
    for stage, label in STAGES.items():
        for file in sorted((ROOT / "results/benchmarks" / stage).rglob("*.tsv")):
            study = file.relative_to(ROOT / "results/benchmarks" / stage).parts[0]
            if study in config.studies:
                spent = pd.read_csv(file, sep="\t", na_values="-").iloc[0]
                rows.append({"study": study, "stage": label, "cpu": spent["cpu_time"] / 60})
    table: Table = pd.DataFrame(rows).pivot_table(
        index="study", columns="stage", values="cpu", aggfunc="sum", fill_value=0.0
    )
    table = table[[label for label in STAGES.values() if label in table]]
    table = table.assign(all=table.sum(axis=1)).reset_index()
    return MINUTES + to_markdown(table, list(table))


def this_machine() -> str:
    """The processor's name and the number of cores."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", help="configuration files")
    parser.add_argument("--name", default="paper")
    parser.add_argument("--machine", default=this_machine())
    main(**vars(parser.parse_args()))
