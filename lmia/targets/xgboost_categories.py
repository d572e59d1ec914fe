"""The categories that columns of a model of XGBoost's had in training.

XGBoost counts a category by its place among those of the column's dtype, and keeps their names in its file. It takes
new names for them by itself, but not where these are dtypes of one batch, so they are made places here.

As XGBoost 3.2 is given texts of pandas', it takes their lengths in letters for lengths in bytes. So where letters have
more bytes than one, what it keeps is cut in the wrong places, and lacks a few bytes at the end. Places stay right.
"""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

Encoded = Mapping[str, Sequence[int]]


def of_columns(booster: Any) -> dict[str, Encoded]:
    """What is kept of each column of dtype category. Raises ValueError where the file does not have it."""
    kinds = booster.feature_types or []
    if "c" not in kinds:
        return {}
    kept = _kept(json.loads(booster.save_raw("json")))
    if not kept or not kept["enc"]:
        raise ValueError("its file lacks the categories, as XGBoost before 3.1 wrote it; save it by a newer one")
    columns = zip(booster.feature_names, kinds, kept["enc"], strict=True)
    return {name: encoded for name, kind, encoded in columns if kind == "c"}


def places(found: pd.Series, encoded: Encoded) -> np.ndarray:
    """Places of values (m,) among the categories of their column, floats; NaN for a missing one.

    Raises ValueError for a category that training did not have, as XGBoost does.
    """
    distinct = found.dropna().unique().tolist()
    for place_of in _readings(encoded):
        known = {value: place_of(value) for value in distinct}
        if None not in known.values():
            return found.map(known).to_numpy(float)
    unknown = [value for value in distinct if all(place_of(value) is None for place_of in _readings(encoded))]
    raise ValueError(f"{found.name}: the model was trained without the category {(unknown or distinct)[0]!r}")


def _kept(part: Any) -> Any:
    """The value of "cats", wherever it lies: some boosters nest another one."""
    if not isinstance(part, dict):
        return None
    return part["cats"] if "cats" in part else next(filter(None, map(_kept, part.values())), None)


def _readings(encoded: Encoded) -> Iterator[Any]:
    """Functions from a value to its place, or None: by all that the file may mean."""
    if "offsets" not in encoded:  # numbers
        yield {value: place for place, value in enumerate(encoded["values"])}.get
        return
    content, spans = np.array(encoded["values"], np.int8).tobytes(), list(itertools.pairwise(encoded["offsets"]))
    named = {content[start:end]: place for place, (start, end) in enumerate(spans)}
    yield lambda value: named.get(str(value).encode(errors="surrogatepass")) if isinstance(value, str) else None
    whole = content.decode(errors="ignore")  # without a letter that is cut
    yield lambda value: _by_letters(value, whole, spans)


def _by_letters(value: Any, whole: str, spans: Sequence[tuple[int, int]]) -> int | None:
    """The place of a text, where spans are of letters, and the last ones may have lost their end."""
    if not isinstance(value, str):
        return None
    fitting = [
        place
        for place, (start, end) in enumerate(spans)
        if end - start == len(value) and value.startswith(whole[start:end])
    ]
    named = [place for place in fitting if whole[slice(*spans[place])] == value]
    if len(named or fitting) > 1:
        raise ValueError(f"its file lost the end of its categories, so {value!r} may be any of {len(fitting)} of them")
    return next(iter(named or fitting), None)
