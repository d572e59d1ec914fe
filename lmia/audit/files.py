"""What an audit reads of the user's own columns, and the files that it writes."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lmia.data.csv import load_columns


def own_columns(path: str, naming: str | None, groups: Sequence[str]) -> pd.DataFrame | None:
    """The columns of a .csv file that name its records and that group them, None where there are none of either.

    naming: None where no column names records. Raises ValueError where there is no such column.
    """
    names = ([naming] if naming else []) + [name for name in groups if name != naming]
    return load_columns(path, names) if names else None


def write(
    output: Any,
    whole: Mapping[str, Any],
    records: pd.DataFrame,
    to_html: Callable[[Mapping[str, Any]], str],
    to_card: Callable[[Mapping[str, Any]], str],
) -> None:
    """Write a report. output: has paths `records`, `json`, `page` and `card`; whole, records: the two parts of it."""
    records.to_csv(output.records, index=False)
    Path(output.json).write_text(json.dumps(whole, indent=2, allow_nan=False) + "\n")
    Path(output.page).write_text(to_html(whole))
    Path(output.card).write_text(to_card(whole))
