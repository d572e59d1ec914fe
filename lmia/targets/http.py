"""A model behind an address: asked in batches, each distinct input once and for good, at the pace that it allows."""

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import requests
import tenacity
from filelock import FileLock

from lmia.label_function import Predict, in_range
from lmia.table import Table
from lmia.targets.ledger import Ledger, key_of

FOLDER = Path("results/paid")  # of ledgers, which no run removes
BUSY = (408, 425, 429, 500, 502, 503, 504)  # states that pass
LONGEST_WAIT = 60.0  # seconds between two attempts, where the server does not say more
SHOWN = 200  # characters of a server's message

Input: TypeAlias = np.ndarray | dict[str, Any]  # numbers, or a record


class Busy(ConnectionError):
    """The server answers later. after: seconds, None where it does not say."""

    def __init__(self, reason: str, after: float | None = None):
        super().__init__(reason)
        self.after = after


def build(
    shape: tuple[int, ...],
    n_classes: int,
    url: str,
    revision: str = "",
    headers: Mapping[str, str] = MappingProxyType({}),
    send: str = "inputs",
    receive: str = "labels",
    batch: int = 100,
    per_second: float | None = None,
    most: int | None = None,
    timeout: float = 60.0,
    patience: float = 900.0,
    table: Table | None = None,
) -> Predict:
    """A function from inputs to labels that asks a server by POST, with JSON in both directions.

    Args:
        shape: Of one input.
        n_classes: Labels are 0, 1, ... n_classes - 1.
        url: Where to ask.
        revision: Of the model there; another one has a ledger of its own.
        headers: Of requests; a value $NAME is read from the environment variable NAME.
        send: Key under which inputs are sent, as nested lists of numbers in [0, 1], or as objects where they are
            records of a table, with a value for each column.
        receive: Key under which as many class numbers come back.
        batch: Most inputs of one request.
        per_second: Most inputs per second, None for no limit.
        most: Inputs that may be sent in all, ever, None for any number.
        timeout: Seconds that one answer may take.
        patience: Seconds for which a request is repeated while the server is busy, or not to be reached.
        table: Of the data set, where that is one; then answers may be labels as it has them, too.

    The function raises ValueError where an answer is none, `OverBudget` where `most` does not allow what is asked for,
    and `Busy` where patience ends. What was answered until then is kept.
    """
    asked = [url, revision, send, receive]  # numbers mean other labels where the data set has other ones
    asked += [] if table is None else [table.classes.tolist()]
    name = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]
    path, session = FOLDER / f"{name}.sqlite", requests.Session()
    ledger = Ledger(path, most)

    def post(inputs: Sequence[Input]) -> list[int]:
        ledger.note(len(inputs))
        try:
            content = {send: [values.tolist() if isinstance(values, np.ndarray) else values for values in inputs]}
            answer = session.post(url, json=content, headers=_filled(headers), timeout=timeout)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise Busy(f"{url}: no answer ({type(error).__name__})") from error
        if answer.status_code in BUSY:
            raise Busy(f"{url}: status {answer.status_code}", _seconds(answer.headers.get("Retry-After")))
        if not answer.ok:
            told = answer.text.strip().partition("\n")[0][:SHOWN]
            raise ValueError(f"{url}: expected labels, got status {answer.status_code}: {told}")
        return _labels(answer, receive, len(inputs), n_classes, url, table)

    def pay(inputs: Mapping[bytes, Input]) -> dict[bytes, int]:
        """Labels of distinct inputs, after what another process may have paid for by now."""
        with FileLock(f"{path}.lock"):
            labels = ledger.known(list(inputs))
            wanted = {key: values for key, values in inputs.items() if key not in labels}
            if wanted:
                attempts = tenacity.Retrying(
                    stop=tenacity.stop_after_delay(patience),
                    wait=_wait,
                    retry=tenacity.retry_if_exception_type(Busy),
                    reraise=True,
                )
                fresh = dict(zip(wanted, attempts(post, list(wanted.values())), strict=True))
                ledger.keep(fresh)
                labels |= fresh
                if per_second:
                    time.sleep(len(wanted) / per_second)
        return labels

    def predict(inputs: np.ndarray | pd.DataFrame) -> np.ndarray:
        rows = _records(inputs) if isinstance(inputs, pd.DataFrame) else list(inputs)
        keys = [key_of(values) for values in rows]
        labels = ledger.known(list(dict.fromkeys(keys)))
        missing = {key: values for key, values in zip(keys, rows, strict=True) if key not in labels}
        for start in range(0, len(missing), batch):
            labels |= pay(dict(list(missing.items())[start : start + batch]))
        found = np.array([labels[key] for key in keys], dtype=np.int64)
        return found if table is None else table.classes[found]

    return predict


def _records(frame: pd.DataFrame) -> list[Input]:
    """Column -> value of each record, as JSON has them: null for what is missing."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")  # type: ignore[return-value]


def _filled(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers with the values of environment variables. Raises ValueError, without any value, where one is not set."""
    filled = {}
    for name, value in headers.items():
        if value.startswith("$"):
            if value[1:] not in os.environ:
                raise ValueError(f"headers.{name}: {value}: no such environment variable; set it")
            value = os.environ[value[1:]]
        filled[name] = value
    return filled


def _labels(
    answer: requests.Response, receive: str, n: int, n_classes: int, url: str, table: Table | None
) -> list[int]:
    try:
        labels = np.asarray(answer.json()[receive])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{url}: expected JSON with a list under {receive}, got {answer.text[:SHOWN]}") from error
    if table is not None and labels.shape == (n,):
        try:
            labels = table.class_numbers(labels)
        except ValueError as error:
            raise ValueError(f"{url}: {error}") from error
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"{url}: expected {n} class numbers under {receive}, got {labels.dtype} of shape {labels.shape}"
        )
    return in_range(url, labels, n_classes).tolist()


def _seconds(text: str | None) -> float | None:
    """What Retry-After says, where that is a number."""
    try:
        return max(0.0, float(text or ""))
    except ValueError:
        return None


def _wait(state: tenacity.RetryCallState) -> float:
    """Seconds: as the server says, else twice as long each time, with chance so that many do not come at once."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, Busy) and error.after is not None:
        return error.after
    return tenacity.wait_random_exponential(max=LONGEST_WAIT)(state)
