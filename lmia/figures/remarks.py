"""What a reader of a figure must know that is no part of its data: lines of its caption, each one sentence."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lmia.evaluation.flag_texts import parted
from lmia.evaluation.metrics_table import ALL_SEEDS
from lmia.figures.style import label

WHOSE = ["study", "n_train", "defense", "attack", "setting", "metric"]  # columns that tell rows over seeds apart
TOLD_BY = ("n_train", "defense", "attack", "setting")  # those by which some rows are told from others, best first


def size(n: int) -> str:
    """A number of members, as a reader wants it."""
    return f"n = {n:,}"


def flagged(rows: pd.DataFrame, mark: str, by: str = "attack", with_size: bool = False) -> list[str]:
    """Why rows of a table are flagged (`lmia.evaluation.flags`), a line for each flag; none where no row is.

    mark: how they look in the figure; by: column that tells which they are; with_size: name their n_train too.
    """
    everyone = list(dict.fromkeys(rows[by]))
    found: dict[str, dict[str, list[int]]] = {}
    for row in rows.to_dict("records"):
        for flag in parted(row["flags"]):
            sizes = found.setdefault(flag, {}).setdefault(row[by], [])
            sizes += [row["n_train"]] if with_size and row["n_train"] not in sizes else []
    lines = []
    for flag, of_names in found.items():
        for sizes in dict.fromkeys(tuple(sorted(of)) for of in of_names.values()):
            names = [name for name in everyone if tuple(sorted(of_names.get(name, [-1]))) == sizes]
            told = list(map(label, names))
            apart = "; " if any("," in name for name in told) else ", "
            who = "all" if len(names) == len(everyone) > 1 else apart.join(told)
            where = f" at n = {'; '.join(f'{n:,}' for n in sizes)}" if sizes else ""
            lines.append(f"{mark}{where}: {flag}: {who}.")
    return lines


def intervals(rows: pd.DataFrame, table: pd.DataFrame, options: Mapping[str, Any], mark: str) -> list[str]:
    """What the intervals of drawn rows are over: seeds, the points of a single one, or models and examples of a pool.

    Args:
        rows: Over seeds, as they are drawn; [] is returned where none has an interval.
        table: With the rows of each seed too.
        options: Of the figure, with `pools`, the names of its studies that are pools, where there are any.
        mark: How intervals look in the figure.
    """
    rows = rows.loc[rows["ci_low"].notna()]
    columns = [name for name in WHOSE if name in table]
    single = table.loc[table["seed"].ne(ALL_SEEDS), columns]
    counts = single.groupby(columns, sort=False).size().to_dict()
    of_study = table.loc[table["seed"].ne(ALL_SEEDS)].groupby("study")["seed"].nunique().to_dict()
    groups: dict[str, list[dict]] = {}
    for row in rows.to_dict("records"):
        if row["study"] in options.get("pools", []):
            over = f"over {of_study.get(row['study'], 'all')} models and their examples"
        elif (n := counts.get(tuple(row[name] for name in columns), 0)) > 1:
            over = f"over {n} seeds"
        else:
            over = "over points" if n else ""
        groups.setdefault(over, []).append(row)
    if not groups:
        return []
    return [f"{mark}: 95 % intervals {_parts(groups)}".rstrip() + "."]


def _parts(groups: Mapping[str, list[dict]]) -> str:
    """What each group's intervals are over, and where there are several, whose they are."""
    one_seed = {over: over.replace("over points", "over points of one seed") for over in groups}
    if len(groups) == 1:
        return next(iter(one_seed.values()))
    for column in TOLD_BY:
        values = {over: list(dict.fromkeys(row.get(column) for row in rows)) for over, rows in groups.items()}
        if sum(map(len, values.values())) == len({value for found in values.values() for value in found}):
            told = {over: _told(column, found) for over, found in values.items()}
            return "; ".join(f"{one_seed[over]} ({told[over]})" for over in groups)
    return " or ".join(one_seed.values())


def _told(column: str, values: list[Any]) -> str:
    if column == "n_train":
        return f"n = {'; '.join(f'{n:,}' for n in sorted(values))}"
    return ", ".join(label(value) if value else "as meant" for value in values)
