"""The table of all metrics, tidy: one row per models, seed, attack, access, queries, setting and metric."""

from collections.abc import Hashable, Iterable, Mapping
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from lmia.evaluation import flags
from lmia.evaluation.intervals import over_seeds

MODELS = ["study", "dataset", "n_train", "model", "defense"]
COLUMNS = [
    *MODELS,
    "seed",
    "attack",
    "access",
    "queries",
    "queries_elsewhere",
    "relabelled",
    "gradients",
    "setting",
    "metric",
    "value",
    "ci_low",
    "ci_high",
    "flags",
]
# By an attack: numbers, which rows about models lack.
SPENT = ("queries", "queries_elsewhere", "relabelled", "gradients")
ALL_SEEDS = "all"
OVER_GAP = "accuracy_over_gap"
CALLED = "outliers_called"
BOUNDS = {OVER_GAP: (-1, 1), "epsilon": (0, np.inf), CALLED: (0, np.inf)}  # of the metrics that are no shares


def read_metrics(path: str | PathLike[str]) -> pd.DataFrame:
    """Read metrics.csv or a part of it; texts are texts, "" where a column does not apply."""
    numbers = (*SPENT, "value", "ci_low", "ci_high")
    texts: dict[Hashable, Any] = {name: str for name in COLUMNS if name not in ("n_train", *numbers)}
    table = pd.read_csv(path, dtype=texts, keep_default_na=False, na_values={name: [""] for name in numbers})
    missing = [name for name in COLUMNS if name in texts and name not in table]
    return table.assign(**dict.fromkeys(missing, "")).reindex(columns=COLUMNS)


def read_measures(paths: Iterable[str | PathLike[str]]) -> pd.DataFrame:
    """The rows of several files as one table, in the order of the files."""
    return pd.concat([read_metrics(path) for path in paths], ignore_index=True)


def with_rows_over_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """Append a row over seeds, seed "all", to each group that differs in its seed alone.

    Values are means, and what was spent too; intervals are those of `intervals.over_seeds`. What is wrong with models
    is flagged on the rows of all attacks on them (`lmia.evaluation.flags`). Blocks of seeds may come in any order: sums
    are rounded, so seeds are taken in theirs.

    Of a pool there are rows over all its models already: they are put in the place of the mean, with the flags of the
    models beside their own, but for those of rates: all models together allow more false alarms than each.
    """
    table = flags.with_models_flags(table, MODELS)
    same = [*MODELS, "attack", "access", "setting", "metric"]
    is_pooled = table["seed"].eq(ALL_SEEDS)
    pooled, table = table.loc[is_pooled], table.loc[~is_pooled]
    over_models = {key: row for key, row in zip(_keys(pooled, same), pooled.to_dict("records"), strict=True)}
    rows = []
    for key, group in table.groupby(same, sort=False, dropna=False):
        assert isinstance(key, tuple)  # as several columns give it
        group = _in_order(group)
        if (row := over_models.pop(key, None)) is not None:
            flagged = flags.over_seeds(list(map(flags.without_rates, group["flags"])))
            rows.append(row | {"flags": flags.join([flagged, row["flags"]])})
            continue
        flagged = flags.over_seeds(group["flags"].tolist())
        value, low, high = over_seeds(group[["value", "ci_low", "ci_high"]].to_numpy())
        low, high = np.clip([low, high], *BOUNDS.get(key[-1], (0, 1)))  # Student's interval knows no bounds
        row = dict(zip(same, key, strict=True)) | {"seed": ALL_SEEDS} | {name: group[name].mean() for name in SPENT}
        rows.append(row | {"flags": flagged, "value": value, "ci_low": low, "ci_high": high})
    rows += over_models.values()  # metrics that single models have not
    return pd.concat([table, pd.DataFrame(rows)], ignore_index=True).loc[:, COLUMNS]


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of single seeds in the order of these, which are texts."""
    return rows.sort_values("seed", key=lambda seeds: seeds.astype(int), kind="stable")


def _keys(table: pd.DataFrame, columns: list[str]) -> list[tuple]:
    return list(table[columns].itertuples(index=False, name=None))


def flags_over_seeds(table: pd.DataFrame, setting: str = "") -> pd.DataFrame:
    """(attack, flags) of attacks on the same models in one setting, "" as they are meant to be run, over seeds."""
    rows = flags.with_models_flags(table, MODELS)
    rows = _in_order(rows.loc[rows["metric"].eq("accuracy") & rows["setting"].eq(setting)])
    return rows.groupby("attack", sort=False)["flags"].agg(lambda texts: flags.over_seeds(texts.tolist())).reset_index()


def select(table: pd.DataFrame, study: str, metric: str, **equal: Any) -> pd.DataFrame:
    """Rows over seeds of one study and metric, with the given columns equal to the given values."""
    keep = (table["study"] == study) & (table["metric"] == metric) & (table["seed"] == ALL_SEEDS)
    for column, value in equal.items():
        keep &= table[column] == value
    return table.loc[keep]


def select_cell(table: pd.DataFrame, metric: str, options: Mapping[str, Any], **equal: Any) -> pd.DataFrame:
    """The same for a figure's options: its study, and its n_train and defense where it names them."""
    chosen = {key: options[key] for key in ("n_train", "defense") if options.get(key) is not None}
    return select(table, options["study"], metric, **chosen, **equal)


def utility(table: pd.DataFrame, study: str, n_train: int) -> dict[str, float]:
    """Test accuracy of a study's targets of one size, by defense, a fraction."""
    rows = select(table, study, "test_accuracy", n_train=n_train)
    return dict(zip(rows["defense"], rows["value"], strict=True))


def magnitudes(rows: pd.DataFrame) -> tuple[np.ndarray, str]:
    """(floats, unit) of rows whose settings read "unit=magnitude"."""
    parts = rows["setting"].str.split("=", n=1)
    return np.array([float(part[1]) for part in parts]), parts.iloc[0][0]
