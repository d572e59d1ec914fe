"""Write a page of results, docs/results/<name>.md, from what is kept of finished studies, with its tables and figures.

Run from the repository root, with the files that were given to Snakemake's --configfile:
python -m workflow.tools.results_page docs/results/configs/paper.yaml
python -m workflow.tools.results_page docs/results/configs/mnist.yaml --name mnist
It first keeps what results/ has of these studies (`kept_results`), so a page can be written without results/ too.
The text of the page is docs/results/notes/<name>.md: the conclusion, `## What was run`, `## Reasons` and `## Remarks`.
"""

import argparse
import os
import platform
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from lmia import plugins
from lmia.evaluation.claims import BY_CONSTRUCTION, CLAIMS, judge_margins
from lmia.evaluation.paper_comparison import COMPARISON, compare_number, to_markdown, to_page
from lmia.figures.style import save
from workflow.config.exhibit_inputs import exhibit_claims, exhibit_numbers
from workflow.config.load import load
from workflow.config.schema.configuration import Config
from workflow.harness.fingerprint import ROOT
from workflow.tools.kept_results import MODEL, STAGES, keep, kept, measures_over_seeds
from workflow.tools.paper_tables import counts, read_reasons, reasons, side_by_side, undefended

Table = Any  # a pandas DataFrame, whose own hints hold every type that an entry may have
PAGES = ROOT / "docs/results"

KEPT = [*MODEL, "seed", "attack", "setting", "queries", "metric", "value", "ci_low", "ci_high", "flags"]
TITLES = {
    "paper": "The paper's tables and figures",
    "first-runs": "First runs of the paper's tables and figures",
    "defenses": "Defenses with 1,000 members",
    "deviations": "What each choice is worth",
    "private-training": "Private training",
    "masked-confidences": "Masked confidences",
    "mnist": "MNIST",
    "wide-resnet": "Figure 4: a wide residual network",
}
RUN, REASONS, REMARKS = "What was run", "Reasons", "Remarks"
PAPER_TABLES = ("table_1", "table_2")
MARKED = """\
Accuracy in %, with 95 % intervals; ✓ reproduced, ✗ differs, ? not resolvable, 1 pair: of one pair of models.
[How to read a page of results](index.md#how-to-read-a-page) defines these words.
"""
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
    config = load(*files)
    keep(config, name)
    measured = measures_over_seeds(config, name)
    comparison, claims = compared(config, measured, name), claimed(config, name)
    noted = notes(name)
    first = [first_screen(comparison, noted), summary({"comparison": comparison, "claims": claims})]
    sections = []
    for exhibit, entry in config.exhibits.items():
        parts = [table[table["artifact"].eq(exhibit)] for table in (comparison, claims)]
        text = to_page(entry.title, *parts).replace("# ", "## ", 1) + pictures(config, entry.figures, measured)
        sections.append(text if "\n\n" in text else f"{text}\nNo seed of it was run yet.\n")
    sections.append("## All attacks\n\n" + attacks(measured, f"data/{name}-measures.csv"))
    sections.append("## The models\n\n" + models(config, name))
    sections.append("## What the shadow's threshold costs\n\n" + thresholds(config, name))
    sections.append("## CPU time\n\n" + costs(config, name))
    how = rebuild(list(config.exhibits), files, name, machine)
    (PAGES / f"{name}.md").write_text(page(name, noted, first, how, sections))


def notes(name: str) -> dict[str, str]:
    """Heading -> text of the page's notes; the conclusion is under ""."""
    file = PAGES / f"notes/{name}.md"
    conclusion, *sections = (file.read_text() if file.exists() else "").split("\n## ")
    parts = (section.partition("\n") for section in sections)
    return {"": conclusion.strip()} | {heading.strip(): text.strip() for heading, _, text in parts}


def page(name: str, noted: dict[str, str], first: Sequence[str], how: str, sections: Sequence[str]) -> str:
    """The text of a page: conclusion and first tables, what was run and how to rebuild it, further tables, remarks."""
    title = TITLES.get(name, name.replace("-", " ").capitalize())
    before = [f"# {title}", noted[""], *first, f"## {RUN}", noted.get(RUN, ""), how]
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


def compared(config: Config, measured: Table, name: str) -> Table:
    """The paper's numbers beside the kept ones, also written beside the page."""
    rows = []
    for exhibit in config.exhibits:
        for cell in exhibit_numbers(config, exhibit):
            found = measured[measured["study"].eq(Path(cell["table"] or "").stem)]
            is_kept = found["attack"].eq(cell["attack"]) & found["defense"].eq(cell["defense"])
            if cell["table"] and not is_kept.any():
                cell |= {"remark": "no seed of it was run yet"}
            rows.append(compare_number(found if is_kept.any() else None, cell))
    table = pd.DataFrame(rows, columns=COMPARISON)
    if len(table):
        table.to_csv(PAGES / f"data/{name}-comparison.csv", index=False)
    return table


def claimed(config: Config, name: str) -> Table:
    """The claims of all exhibits by the kept margins of the configuration's seeds, also written beside the page."""
    margins, parts = kept(config, name, "margins"), [pd.DataFrame(columns=CLAIMS)]
    for exhibit in config.exhibits:
        claims = exhibit_claims(config, exhibit)
        wanted = {(claim["claim"], claim["metric"], seed) for claim in claims for seed in claim["seeds"]}
        rows = margins[margins["artifact"].eq(exhibit)]
        of = rows[["claim", "metric", "seed"]].itertuples(index=False, name=None)
        parts.append(judge_margins(rows[np.array([row in wanted for row in of], bool)], claims))
    table = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
    table = table.sort_values("verdict", key=lambda verdicts: verdicts.eq(BY_CONSTRUCTION), kind="stable")
    if len(table):
        table.to_csv(PAGES / f"data/{name}-claims.csv", index=False)
    return table


def first_screen(comparison: Table, noted: dict[str, str]) -> str:
    """The paper's tables as in the paper, where the page has them, and why numbers differ."""
    rows = undefended(comparison, PAPER_TABLES)
    if not len(rows):
        return ""
    parts = [f"## The paper's tables\n\n{MARKED}", counts(rows)]
    parts += [side_by_side(rows[rows["artifact"].eq(table)]) for table in PAPER_TABLES]
    if explained := reasons(rows, read_reasons(noted.get(REASONS, ""))):
        parts.append(f"Why numbers differ:\n\n{explained}")
    return "\n\n".join(part.strip() for part in parts)


def summary(tables: dict[str, Table]) -> str:
    """How many numbers and claims came out how."""
    texts = ["## Numbers and claims\n\n"]
    if "comparison" in tables:
        numbers = tables["comparison"]
        is_counted = numbers["status"].ne("variant") | numbers["seeds"].gt(0)
        texts.append(f"- Numbers of the paper: {counted(numbers.loc[is_counted, 'status'])}.\n")
    if "claims" in tables:
        verdicts = tables["claims"]["verdict"]
        measured = verdicts[verdicts.ne(BY_CONSTRUCTION)]
        others = f"; {n} more hold by construction" if (n := len(verdicts) - len(measured)) else ""
        texts.append(f"- Claims: {counted(measured) or 'none measured'}{others}.\n")
    texts.append("\n[How to read a page of results](index.md#how-to-read-a-page) defines these words.\n")
    return "".join(texts)


def counted(column: Any) -> str:
    """How often each value is there."""
    return ", ".join(f"{n} {value}" for value, n in column.value_counts().items())


def pictures(config: Config, figures: Sequence[str], measured: Table) -> str:
    """Figures as links, each above its caption, drawn of the kept rows where one needs no more, beside the pages.

    One that needs what was not run, or not kept, is left out.
    """
    folder, target, texts = ROOT / "results/figures", ROOT / "docs/figures/paper", []
    target.mkdir(parents=True, exist_ok=True)
    for name in figures:
        figure, files = config.figures[name], {kind: f"{name}.{kind}" for kind in ("png", "txt")}
        if figure.drawn_from == "metrics" and set(figure.all_studies()) <= set(measured["study"]):
            drawn = plugins.load("figures", figure.kind).plot(measured, figure.params(config))
            save(drawn, SimpleNamespace(png=target / files["png"], pdf=None, caption=target / files["txt"]))
        elif all((folder / file).exists() for file in files.values()):
            for file in files.values():
                shutil.copy(folder / file, target)
        else:
            continue
        texts.append(f"\n![{name}](../figures/paper/{name}.png)\n\n{(target / files['txt']).read_text()}")
    return "".join(texts)


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


def models(config: Config, name: str) -> str:
    """Accuracies of targets and shadows, in %, and epochs, means over seeds."""
    rows = kept(config, name, "models").rename(columns={"train_accuracy": "train", "test_accuracy": "test"})
    rows[["train", "test"]] *= 100
    means = rows.groupby([*MODEL, "role"], sort=False)[["train", "test", "epochs"]].mean().unstack("role")
    means.columns = [f"{role} {what}" for what, role in means.columns]
    return "Accuracies in %.\n\n" + to_markdown(means.reset_index(), [*MODEL, *means.columns])


def thresholds(config: Config, name: str) -> str:
    """Points that thresholds lose on their way from shadow to target, means over seeds."""
    means = kept(config, name, "thresholds").groupby([*MODEL, "attack"], sort=False)["points"].mean().unstack("attack")
    return LOST + to_markdown(means.reset_index(), [*MODEL, *means.columns])


def costs(config: Config, name: str) -> str:
    """CPU minutes of every stage and study, from the workflow's own benchmarks."""
    rows = kept(config, name, "costs")
    table = rows.pivot_table(index="study", columns="stage", values="cpu", aggfunc="sum", fill_value=0.0)
    table = table[[stage for stage in STAGES if stage in table]].rename(columns=STAGES)
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
