"""The paper's tables as in the paper, with our number beside each of its, marked by its status."""

from collections.abc import Mapping, Sequence
from typing import Any

from lmia.evaluation.paper_comparison import CLOSE

Table = Any  # a pandas DataFrame of `paper_comparison.COMPARISON`

ROWS = {  # the paper's name of a row -> names of our attacks that are it, of which each data set has one
    "gap": ("gap",),
    "confidence vector": ("true-confidence",),
    "data augmentation": ("rotation",),
    "noise": ("bernoulli", "mixed"),
    "boundary": ("boundary",),
    "combined": ("combined", "combined-published"),
}
DATASETS = {
    "cifar100": "CIFAR-100",
    "mnist": "MNIST",
    "texas": "Texas",
    "purchase": "Purchase",
    "location": "Location",
    "adult": "Adult",
}
NOT_RUN, OTHER_N = "not run", "other n"
MARKS = {"reproduced": "✓", "differs": "✗", "not resolvable": "?", "one model pair": "1 pair", OTHER_N: OTHER_N}
NOT_COUNTED = ("variant", "by construction")


def undefended(comparison: Table, tables: Sequence[str]) -> Table:
    """Rows of the paper's accuracies without a defense in some of its tables, each number once."""
    rows = comparison[comparison["artifact"].isin(tables) & comparison["defense"].eq("none")]
    return rows[~rows["status"].isin(NOT_COUNTED) & rows["attack"].fillna("").ne("")]


def side_by_side(rows: Table) -> str:
    """One of the paper's tables, as Markdown: attacks down, data sets across, ours beside each of the paper's numbers.

    rows: of `undefended`, of one table.
    """
    datasets = list(dict.fromkeys(zip(rows["dataset"], rows["n_train"], strict=True)))
    head = ["attack"]
    for name, n in datasets:
        head += [f"{DATASETS.get(name, name)}, n = {n:,}: paper", "ours"]
    lines = [head, ["---", *["---:", "---"] * len(datasets)]]
    for label, attacks in ROWS.items():
        of_attack = rows[rows["attack"].isin(attacks)]
        if not len(of_attack):
            continue
        line = [label]
        for name, n in datasets:
            cell = of_attack[of_attack["dataset"].eq(name) & of_attack["n_train"].eq(n)]
            line += [f"{cell.iloc[0]['paper']:.1f}", _ours(cell.iloc[0])] if len(cell) else ["", ""]
        lines.append(line)
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _ours(cell: Any) -> str:
    """Our number with its interval and the mark of its status, which the site colours."""
    if cell["status"] == NOT_RUN:
        return f'<span class="not-run">{NOT_RUN}</span>'
    number = f"{cell['ours']:.1f} [{cell['ci_low']:.1f}, {cell['ci_high']:.1f}]"
    return f'<span class="{cell["status"].replace(" ", "-")}">{number} {MARKS[cell["status"]]}</span>'


def counts(rows: Table) -> str:
    """How many of the paper's undefended accuracies came out how, as one sentence."""
    found = rows["status"].value_counts()
    said = [f"{found[status]} {status}" for status in (*MARKS, NOT_RUN) if status in found]
    return f"Of the paper's {len(rows)} undefended accuracies: {', '.join(said)}."


def reasons(rows: Table, given: Mapping[str, str]) -> str:
    """One line for each number that was not run, or lies more than CLOSE points from the paper's.

    Of a data set without any number there is one line.

    given: "data set, row" -> why, as in "MNIST, combined". Raises ValueError where a number that is off has none.
    """
    lines: dict[str, str] = {}
    missing = []
    for _, cell in rows.iterrows():
        dataset = DATASETS.get(str(cell["dataset"]), str(cell["dataset"]))
        row = next(label for label, attacks in ROWS.items() if cell["attack"] in attacks)
        key, of_dataset = f"{dataset}, {row}", rows.loc[rows["dataset"].eq(cell["dataset"]), "status"]
        if cell["status"] in (NOT_RUN, OTHER_N):
            is_all = of_dataset.eq(cell["status"]).all()
            lines[dataset if is_all else key] = f"{cell['status']}: {cell['remark']}"
        elif abs(cell["difference"]) > CLOSE:
            off = f"{cell['ours']:.1f} and not {cell['paper']:.1f}"
            missing += [] if key in given else [f"- **{key}:** why it is {off}"]
            lines[key] = f"{off} %: {given.get(key)}"
    if missing:
        raise ValueError("notes: expected these lines under ## Reasons:\n" + "\n".join(missing))
    return "".join(f"- **{key}:** {why.rstrip('.')}.\n" for key, why in lines.items())


def read_reasons(text: str) -> dict[str, str]:
    """The lines "- **data set, row:** why" of a section of notes, as `reasons` takes them."""
    pairs = (line[4:].split(":**", 1) for line in text.splitlines() if line.startswith("- **") and ":**" in line)
    return {key: why.strip() for key, why in pairs}
