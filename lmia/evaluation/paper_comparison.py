"""The numbers of the paper's tables and figures beside ours, and the page that shows them with the claims."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lmia.evaluation import flags
from lmia.evaluation.claims import BY_CONSTRUCTION, ONE_PAIR
from lmia.evaluation.flag_texts import parted
from lmia.evaluation.flags import CONSTANT
from lmia.evaluation.metrics import at_threshold, best_threshold
from lmia.evaluation.metrics_table import ALL_SEEDS, read_metrics
from lmia.streams import stream

COMPARISON = [
    "artifact",
    "dataset",
    "n_train",
    "attack",
    "defense",
    "paper",
    "ours",
    "difference",
    "ci_low",
    "ci_high",
    "queries",
    "seeds",
    "status",
    "remark",
]
CLOSE = 2.0  # points within which a value counts as reproduced


def compare_numbers(cells: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row of COMPARISON per number of the paper.

    cells: as `compare_number` takes them, with `table`, the path of the measures, None where they were not run.
    """
    tables = {path: path and read_metrics(path) for path in {cell["table"] for cell in cells}}
    return pd.DataFrame([compare_number(tables[cell["table"]], cell) for cell in cells], columns=COMPARISON)


def compare_number(table: pd.DataFrame | None, cell: Mapping[str, Any]) -> dict[str, Any]:
    """One row of COMPARISON, accuracies in %.

    table: measures of its study with rows over seeds (`metrics_table`), None where it was not run; cell: artifact,
    dataset, n_train, attack ("" for the model's test accuracy), defense, paper (%), remark, and status where that does
    not depend on the number ("variant", "other n"), else None.

    A number is "reproduced" within CLOSE points of the paper's, where its interval leaves no doubt of twice that; it
    "differs" where it is further off and its interval does not hold the paper's; else it is "not resolvable". Of a
    single seed it is "one model pair" in any case: that interval is of this pair alone. What a constant guess would
    reproduce is "by construction": it has its accuracy whatever the models are.
    """
    row = {name: cell.get(name) for name in COMPARISON}
    if table is None:
        return row | {"status": "variant" if cell["status"] == "variant" else "not run", "seeds": 0}
    metric = "accuracy" if cell["attack"] else "test_accuracy"
    rows = table.loc[(table["metric"] == metric) & (table["setting"] == "")]
    for column in ("attack", "defense", "n_train"):
        rows = rows.loc[rows[column] == cell[column]]
    over, by_seed = rows.loc[rows["seed"] == ALL_SEEDS].iloc[0], rows.loc[rows["seed"] != ALL_SEEDS]
    n_seeds, is_constant = len(by_seed), all(CONSTANT in parted(text) for text in by_seed["flags"])
    ours, low, high = (round(100 * float(over[name]), 2) for name in ("value", "ci_low", "ci_high"))
    row |= {"ours": ours, "ci_low": low, "ci_high": high, "queries": over["queries"], "seeds": n_seeds}
    row["remark"] = flags.join([cell["remark"], over["flags"]])
    row["difference"] = difference = round(ours - cell["paper"], 2)
    status = cell["status"] or _status(difference, low - cell["paper"], high - cell["paper"], n_seeds, is_constant)
    return row | {"status": status}


def _status(difference: float, low: float, high: float, n_seeds: int, is_constant: bool) -> str:
    """low, high: interval of the difference, in points; is_constant: whether the attack guesses the same of all."""
    if is_constant and abs(difference) <= CLOSE:
        return BY_CONSTRUCTION
    if n_seeds == 1:
        return ONE_PAIR
    if abs(difference) <= CLOSE:
        return "reproduced" if max(-low, high) <= 2 * CLOSE else "not resolvable"
    return "not resolvable" if low <= 0 <= high else "differs"


def transfer_cost(scores: np.ndarray, is_member: np.ndarray, threshold: float, seed: int = 0) -> float:
    """Balanced accuracy that the shadow's threshold costs against one chosen on the target itself, a fraction.

    The target's threshold is chosen on one half of its points and judged on the other, both ways, so that it does not
    profit from having seen them. It needs the target's membership: no attack, but a measure of how far shadow and
    target differ.
    """
    halves = stream(seed, "halves of the target").permutation(len(scores)) % 2
    held_out = []
    for part in (0, 1):
        own = best_threshold(scores[halves == part], is_member[halves == part])
        held_out.append(at_threshold(scores[halves != part], is_member[halves != part], own)["accuracy"])
    return float(np.mean(held_out)) - at_threshold(scores, is_member, threshold)["accuracy"]


def to_page(title: str, comparison: pd.DataFrame, claims: pd.DataFrame) -> str:
    """A Markdown page of rows of COMPARISON and of CLAIMS."""
    page = f"# {title}\n"
    if len(comparison):
        shown = [name for name in COMPARISON if name != "artifact"]
        page += "\nAccuracy in %, difference and intervals (95 %) in points.\n\n" + to_markdown(comparison, shown)
    if len(claims):
        page += "\nMargins in points, with 95 % intervals.\n\n" + to_markdown(claims, list(claims.columns[1:]))
    return page


def to_markdown(rows: pd.DataFrame, columns: Sequence[str]) -> str:
    """Rows (DataFrame) as a Markdown table; missing values are empty."""
    texts = [[_text(value) for value in row] for row in rows[columns].itertuples(index=False)]
    head = [name.replace("_", " ") for name in columns]
    lines = [head, ["---:" if pd.api.types.is_numeric_dtype(rows[name]) else "---" for name in columns], *texts]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _text(value: Any) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        return f"{round(value, 1) + 0.0:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
