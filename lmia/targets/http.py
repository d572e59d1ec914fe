"""A model behind an address: asked in batches, each distinct input once and for good, at the pace that it allows."""

import json
import math
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import requests
import tenacity
import urllib3.exceptions as sending

from lmia.file_locks import locked
from lmia.label_function import Predict, in_range
from lmia.table import Table
from lmia.targets.headers import filled, hidden
from lmia.targets.ledger import Ledger, Sent, key_of, path_of, path_of_sent
from lmia.targets.prices import affordable, money

BUSY = (408, 425, 429, 500, 502, 503, 504)  # states that pass
PASSING = (  # what may be otherwise in a moment
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
LONGEST_WAIT = 60.0  # seconds between two attempts, where the server does not say more
SHOWN = 200  # characters of a server's message
WITHOUT_LOCKS = "two jobs could pay for the same: run in a folder on another file system, or mount this one with flock"
PAUSE = 3600.0  # seconds without an answer after which another model may be there

Input: TypeAlias = np.ndarray | dict[str, Any]  # numbers, or a record
Known: TypeAlias = Callable[[Sequence[bytes]], dict[bytes, int]]  # keys of inputs -> labels of some
Keep: TypeAlias = Callable[[Mapping[bytes, int], Mapping[bytes, Any]], None]  # labels, and what was sent for them


class Busy(ConnectionError):
    """The server answers later. after: seconds, None where it does not say."""

    def __init__(self, reason: str, after: float | None = None):
        super().__init__(reason)
        self.after = after


@dataclass(frozen=True)
class Endpoint:
    """A function from inputs to labels that keeps what it was answered, so that nothing is asked twice by chance.

    answered: that function; again: the same, but with the labels of a second question, which is kept as well.
    """

    answered: Predict
    again: Predict

    def __call__(self, inputs: np.ndarray | pd.DataFrame) -> npt.ArrayLike:
        return self.answered(inputs)


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
    price: float | None = None,
    currency: str = "",
    spend: float | None = None,
    timeout: float = 60.0,
    patience: float = 900.0,
    table: Table | None = None,
) -> Endpoint:
    """A function from inputs to labels that asks a server by POST, with JSON in both directions.

    Args:
        shape: Of one input.
        n_classes: Labels are 0, 1, ... n_classes - 1.
        url: Where to ask.
        revision: Of the model there; another one has a ledger of its own.
        headers: Of requests; a value $NAME is all of the environment variable NAME, and read when something is sent.
        send: Key under which inputs are sent, as nested lists of numbers in [0, 1], or as objects where they are
            records of a table, with a value for each column.
        receive: Key under which as many class numbers come back.
        batch: Most inputs of one request.
        per_second: Most inputs per second, None for no limit.
        most: Inputs that may be sent to that address in all, ever, None for any number.
        price: Of one input that is sent; None where nobody bills.
        currency: Of the price, in messages.
        spend: Money that may be spent at that address in all, ever, at that price; None for any amount.
        timeout: Seconds that one answer may take.
        patience: Seconds for which a request is repeated while the server is busy, or not to be reached.
        table: Of the data set, where that is one; then answers may be labels as it has them, too.

    The function raises ValueError where an answer is none, or where after a pause so many answers to questions that
    were asked before differ that another model must be there; `OverBudget` where `most` or `spend` do not allow what is
    asked for, and `Busy` where patience ends. What was answered until then is kept.
    """
    path = path_of(url, revision, send, receive, headers, None if table is None else table.classes.tolist())
    ledger, session = Ledger(path), requests.Session()
    sent = Sent(path_of_sent(url), *_bound(most, price, currency, spend))
    began = 0.0  # the latest request

    def post(inputs: Sequence[Any]) -> list[int]:
        nonlocal began
        ready = filled(headers)
        sent.note(len(inputs))
        began = time.monotonic()
        try:
            # A redirect is not followed, as secrets would go along.
            answer = session.post(url, json={send: inputs}, headers=ready, timeout=timeout, allow_redirects=False)
        except requests.RequestException as error:
            if _is_unsent(error):
                sent.take_back(len(inputs))
            problem = f"{url}: no answer ({type(error).__name__})"
            if isinstance(error, PASSING) and not isinstance(error, requests.exceptions.SSLError):
                raise Busy(problem) from None
            raise ValueError(problem) from None  # whose own text may show headers
        if answer.status_code in BUSY:
            raise Busy(f"{url}: status {answer.status_code}", _seconds(answer.headers.get("Retry-After")))
        if answer.is_redirect:
            moved = hidden(answer.headers["Location"], headers, ready)[:SHOWN]
            raise ValueError(f"{url}: is elsewhere, at {moved}, where nothing was sent; if you trust it, set url to it")
        if not answer.ok:
            told = hidden(answer.text, headers, ready).strip().partition("\n")[0][:SHOWN]
            raise ValueError(f"{url}: expected labels, got status {answer.status_code}: {told}")
        return _labels(hidden(answer.text, headers, ready), receive, len(inputs), n_classes, url, table)

    def pay(contents: Mapping[bytes, Any], keep: Keep) -> dict[bytes, int]:
        """Labels of one batch, which are kept before anything else."""
        attempts = tenacity.Retrying(
            stop=tenacity.stop_before_delay(patience),
            wait=_wait,
            retry=tenacity.retry_if_exception_type(Busy),
            reraise=True,
        )
        labels = dict(zip(contents, attempts(post, list(contents.values())), strict=True))
        keep(labels, contents)
        if per_second:
            time.sleep(max(0.0, began + len(contents) / per_second - time.monotonic()))
        return labels

    def check_model() -> None:
        """Before anything is sent after a pause: whether known inputs are answered as they were."""
        if ledger.pause <= PAUSE:
            return
        due = ledger.due(PAUSE)
        for part in _parts(list(due), batch):
            pay({key: due[key] for key in part}, ledger.keep_again)
        if due:
            ledger.note_look()  # once for these answers: a job that is started again finds the same by them
        found = ledger.repeats()
        if found is not None and found.tells_another_model:
            raise ValueError(
                f"{url}: answers {found.otherwise_now} of {found.asked_now} inputs otherwise than on "
                f"{datetime.fromtimestamp(found.since, UTC).date()}, when asked twice it did so with {found.otherwise} "
                f"of {found.asked}: another model is there; give it another `revision`, so that it is asked anew"
            )

    def labels_of(inputs: np.ndarray | pd.DataFrame, known: Known, keep: Keep) -> np.ndarray:
        """Labels that are known, or else are paid for and kept."""
        rows = _records(inputs) if isinstance(inputs, pd.DataFrame) else list(inputs)
        keys = [key_of(values) for values in rows]
        labels = known(list(dict.fromkeys(keys)))
        missing = {key: values for key, values in zip(keys, rows, strict=True) if key not in labels}
        for part in _parts(list(missing), batch):
            with locked(f"{path}.lock", WITHOUT_LOCKS):
                labels |= known(part)  # another process may have paid for them by now
                if wanted := {key: _content(missing[key]) for key in part if key not in labels}:
                    check_model()
                    labels |= pay(wanted, keep)
        found = np.array([labels[key] for key in keys], dtype=np.int64)
        return found if table is None else table.classes[found]

    return Endpoint(
        answered=lambda inputs: labels_of(inputs, ledger.known, lambda labels, _: ledger.keep(labels)),
        again=lambda inputs: labels_of(inputs, ledger.known_again, ledger.keep_again),
    )


def _bound(most: int | None, price: float | None, currency: str, spend: float | None) -> tuple[int | None, str]:
    """(inputs that may be sent in all, None for any number; what says so)."""
    bounds: list[tuple[int | None, str]] = [] if most is None else [(most, f"most: {most}")]
    if spend is not None and price is not None:
        pays = affordable(spend, price)
        each = f"pays for {pays} inputs, at {money(price, currency)} each"
        bounds.append((pays, f"spend: {spend:.12g}: {each}"))
    return min(bounds, default=(None, ""))


def _parts(keys: list[bytes], size: int) -> Iterator[list[bytes]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))


def _content(values: Input) -> Any:
    """What is sent of one input."""
    return values.tolist() if isinstance(values, np.ndarray) else values


def _records(frame: pd.DataFrame) -> list[Input]:
    """Column -> value of each record, as JSON has them: null for what is missing."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")  # type: ignore[return-value]


def _is_unsent(error: requests.RequestException) -> bool:
    """Whether a request certainly never left: no connection was made, or the server had no right certificate."""
    reason = getattr(next(iter(error.args), None), "reason", None)
    return (
        isinstance(error, requests.ConnectTimeout)
        or isinstance(reason, sending.NewConnectionError | sending.NameResolutionError)
        or isinstance(reason, sending.SSLError)
        and isinstance(next(iter(reason.args), None), ssl.SSLCertVerificationError)
    )


def _labels(text: str, receive: str, n: int, n_classes: int, url: str, table: Table | None) -> list[int]:
    try:
        labels = np.asarray(json.loads(text)[receive])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{url}: expected JSON with a list under {receive}, got {text[:SHOWN]}") from error
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
        seconds = float(text or "")
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def _wait(state: tenacity.RetryCallState) -> float:
    """Seconds: twice as long each time, with chance so that many do not come at once; longer where the server says."""
    own = tenacity.wait_random_exponential(max=LONGEST_WAIT)(state)
    error = state.outcome.exception() if state.outcome else None
    return max(own, error.after) if isinstance(error, Busy) and error.after is not None else own
