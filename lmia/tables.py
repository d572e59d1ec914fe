"""The table of all metrics, tidy: one row per run, seed, attack, access, queries, setting and metric."""

import numpy as np
import pandas as pd

from lmia.intervals import over_seeds

RUN = ["study", "dataset", "n_train", "model", "defense"]
COLUMNS = [*RUN, "seed", "attack", "access", "queries", "setting", "metric", "value", "ci_low", "ci_high"]
ALL_SEEDS = "all"


def read_metrics(path):
    """Read metrics.csv or a part of it; texts are texts, "" where a column does not apply."""
    texts = {name: str for name in COLUMNS if name not in ("n_train", "queries", "value", "ci_low", "ci_high")}
    table = pd.read_csv(
        path,
        dtype=texts,
        keep_default_na=False,
        na_values={"queries": [""], "value": [""]} | {name: [""] for name in ("ci_low", "ci_high")},
    )
    return table.reindex(columns=COLUMNS).fillna(dict.fromkeys(texts, ""))


def read_measures(paths):
    """The rows of several files as one table, in the order of the files."""
    return pd.concat([read_metrics(path) for path in paths], ignore_index=True)


def with_rows_over_seeds(table, n_resamples):
    """Append a row over seeds, seed "all", to each group that differs in its seed alone.

    Its value is the mean and its queries the mean; an attack's rows over seeds include "accuracy_over_gap", the paired
    difference to the attack named "gap" on the same models, where there is one.
    """
    same = [*RUN, "attack", "access", "setting", "metric"]
    groups = pd.concat([table, _over_gap(table)]).groupby(same, sort=False, dropna=False)
    rows = []
    for key, group in groups:
        value, low, high = over_seeds(group["value"], n_resamples)
        row = dict(zip(same, key, strict=True)) | {"seed": ALL_SEEDS, "queries": group["queries"].mean()}
        rows.append(row | {"value": value, "ci_low": low, "ci_high": high})
    return pd.concat([table, pd.DataFrame(rows)], ignore_index=True)[COLUMNS]


def _over_gap(table):
    """Accuracy minus the gap attack's, per seed."""
    accuracy = table[(table["metric"] == "accuracy") & (table["attack"] != "gap")]
    gap = table[(table["metric"] == "accuracy") & (table["attack"] == "gap") & (table["setting"] == "")]
    paired = accuracy.merge(gap[[*RUN, "seed", "value"]], on=[*RUN, "seed"], suffixes=("", "_gap"))
    return paired.assign(metric="accuracy_over_gap", value=paired["value"] - paired["value_gap"])[COLUMNS]


def select(table, study, metric, **equal):
    """Rows over seeds of one study and metric, with the given columns equal to the given values."""
    keep = (table["study"] == study) & (table["metric"] == metric) & (table["seed"] == ALL_SEEDS)
    for column, value in equal.items():
        keep &= table[column] == value
    return table[keep]


def select_cell(table, metric, settings):
    """The same for a figure's settings: its study, and its n_train and defense where it names them."""
    chosen = {key: settings[key] for key in ("n_train", "defense") if settings[key] is not None}
    return select(table, settings["study"], metric, **chosen)


def magnitudes(rows):
    """(floats, unit) of rows whose settings read "unit=magnitude"."""
    parts = rows["setting"].str.split("=", n=1)
    return np.array([float(part[1]) for part in parts]), parts.iloc[0][0]
