"""What a model that bills has answered, kept for good: no run pays twice for the same input.

An SQLite file has the label of each input that was ever answered, which is committed before it is returned. Another one
has how many inputs were ever sent to the address, whichever model was asked there. That is raised and committed before
anything is sent, so that a process which is killed leaves an upper bound of what may have been billed.

A few inputs are asked about again on purpose. Those are kept with what is sent for them, so that any later process can
ask about them once more, and tell whether the model behind the address is still the same.
"""

import hashlib
import json
import math
import sqlite3
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from lmia.hypergeometric import tail
from lmia.targets.headers import is_variable

FOLDER = Path("results/paid")  # of ledgers, which no run removes
ASKED_AGAIN = 50  # inputs at most: of each study that begins, and of those kept after each pause
LEVEL = 0.01  # of all tests together whether a model has changed
PARAMETERS = 500  # of one statement; SQLite takes 999 at least
SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (input BLOB PRIMARY KEY, label INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answered (only_row INTEGER PRIMARY KEY CHECK (only_row = 0), at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS looks (look INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS again (
    input BLOB PRIMARY KEY, content BLOB NOT NULL,
    second INTEGER NOT NULL, second_at REAL NOT NULL, latest INTEGER NOT NULL, latest_at REAL NOT NULL
);
"""
SCHEMA_OF_SENT = """
CREATE TABLE IF NOT EXISTS sent (only_row INTEGER PRIMARY KEY CHECK (only_row = 0), inputs INTEGER NOT NULL);
INSERT OR IGNORE INTO sent VALUES (0, 0);
"""
PATIENCE = 60.0  # seconds that a process waits for another one that writes


@dataclass(frozen=True)
class Repeats:
    """How inputs that were asked about again were answered, beside their first labels.

    asked: how many when they were new, otherwise: of these with another label; since: when, in seconds; asked_now,
    otherwise_now: the same of those that were asked about latest; look: which time of asking about them it is, from 1.
    """

    asked: int
    otherwise: int
    since: float
    asked_now: int
    otherwise_now: int
    look: int = 1

    @property
    def tells_another_model(self) -> bool:
        """Whether more answers differ now than a model's own share explains, by Fisher's exact test.

        Of the k-th look the level is 6 LEVEL / (pi k)^2, which is LEVEL for all looks together.
        """
        differing, among = self.otherwise + self.otherwise_now, self.asked + self.asked_now
        return tail(self.otherwise_now, self.asked_now, differing, among) < 6 * LEVEL / (math.pi * self.look) ** 2


class OverBudget(ValueError):
    """Sending more would exceed what may be spent; nothing of it was sent."""


def key_of(values: np.ndarray | Mapping[str, Any]) -> bytes:
    """What an input is known by: the SHA-256 of its float32 values and shape, or of a record as JSON.

    A record is the same in any order of its columns, and with 41.0 for 41, as a column has it where a value is missing.
    """
    if isinstance(values, Mapping):
        whole = {name: int(v) if isinstance(v, float) and v.is_integer() else v for name, v in values.items()}
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).digest()
    values = np.ascontiguousarray(values, dtype="<f4")
    return hashlib.sha256(f"{values.shape};".encode() + values.tobytes()).digest()


def path_of(
    url: str,
    revision: str,
    send: str,
    receive: str,
    headers: Mapping[str, str] = MappingProxyType({}),
    classes: Sequence[Any] | None = None,
) -> Path:
    """The file of one model's answers.

    headers: which may choose the model; of those from the environment the names alone count, so that a new key changes
    nothing; classes: of the data set, as its table has them, None where it is none.
    """
    asked: list[Any] = [url, revision, send, receive]
    asked.append({name.lower(): "$" if is_variable(headers[name]) else headers[name] for name in sorted(headers)})
    asked += [] if classes is None else [classes]  # numbers mean other labels where the data set has other ones
    return FOLDER / f"{_hash(asked)}.sqlite"


def path_of_sent(url: str) -> Path:
    """The file that has how many inputs were sent to an address."""
    return FOLDER / f"{_hash(url)}.sent"


def _hash(asked: Any) -> str:
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def _opened(path: str | Path, schema: str) -> sqlite3.Connection:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    file = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)  # each statement is committed
    file.execute("PRAGMA synchronous = FULL")
    file.executescript(schema)
    return file


class Sent:
    """How many inputs were sent to one address, in a file of its own.

    path: of the file, which is made where there is none, with its folder; most: inputs that may be sent in all, ever,
    None for any number; stated: how a user said so, "most: 90" where that is all.
    """

    def __init__(self, path: str | Path, most: int | None = None, stated: str = ""):
        self._most, self._stated = most, stated or f"most: {most}"
        self._file = _opened(path, SCHEMA_OF_SENT)

    @property
    def inputs(self) -> int:
        """How many were ever sent: at least as many as were billed."""
        return self._file.execute("SELECT inputs FROM sent").fetchone()[0]

    def note(self, n: int) -> None:
        """Note that n inputs are about to be sent. Raises OverBudget, with nothing noted, where that is too many."""
        bound = self._most if self._most is not None else -1
        raised = "UPDATE sent SET inputs = inputs + ? WHERE ? < 0 OR inputs + ? <= ?"
        noted = self._file.execute(raised, (n, bound, n, bound))
        if not noted.rowcount:
            raise OverBudget(
                f"{self._stated}: {self.inputs} inputs were sent, and {n} more are asked for, of which none was; "
                "raise it, or ask for fewer records or queries"
            )

    def take_back(self, n: int) -> None:
        """Note that n inputs which were noted never left."""
        self._file.execute("UPDATE sent SET inputs = inputs - ?", (n,))


class Ledger:
    """The answers of one model, in a file of its own, which is made where there is none, with its folder."""

    def __init__(self, path: str | Path):
        self._file = _opened(path, SCHEMA)

    @property
    def kept(self) -> int:
        """How many inputs have an answer."""
        return self._file.execute("SELECT COUNT(*) FROM answers").fetchone()[0]

    @property
    def kept_again(self) -> int:
        """How many of these have a second one."""
        return self._file.execute("SELECT COUNT(*) FROM again").fetchone()[0]

    def known(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """The labels of those inputs that were answered before. keys: see `key_of`."""
        return self._among("SELECT input, label FROM answers", keys)

    def known_again(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """The second labels of those inputs that were asked about again."""
        return self._among("SELECT input, second FROM again", keys)

    def _among(self, selected: str, keys: Sequence[bytes]) -> dict[bytes, int]:
        found: dict[bytes, int] = {}
        for start in range(0, len(keys), PARAMETERS):
            part = keys[start : start + PARAMETERS]
            marks = ",".join("?" * len(part))
            found |= dict(self._file.execute(f"{selected} WHERE input IN ({marks})", part))
        return found

    def keep(self, answers: Mapping[bytes, int]) -> None:
        """Keep labels by the keys of their inputs."""
        with self._file:
            self._file.execute("BEGIN IMMEDIATE")
            self._file.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?)", answers.items())
            self._file.execute("INSERT OR REPLACE INTO answered VALUES (0, ?)", (time.time(),))

    @property
    def pause(self) -> float:
        """Seconds since an answer was last kept; 0 where none was."""
        row = self._file.execute("SELECT at FROM answered").fetchone()
        return time.time() - row[0] if row else 0.0

    def keep_again(self, answers: Mapping[bytes, int], contents: Mapping[bytes, Any]) -> None:
        """Keep labels of inputs that have one already, by their keys; contents: what was sent for them, as JSON."""
        now = time.time()
        rows = [
            (key, zlib.compress(json.dumps(contents[key]).encode()), label, now, label, now)
            for key, label in answers.items()
        ]
        latest = "ON CONFLICT (input) DO UPDATE SET latest = excluded.latest, latest_at = excluded.latest_at"
        with self._file:
            self._file.execute("BEGIN IMMEDIATE")
            self._file.executemany(f"INSERT INTO again VALUES (?, ?, ?, ?, ?, ?) {latest}", rows)

    def note_look(self) -> None:
        """Note that all that were due were asked about once more, and so that the model is tested anew."""
        self._file.execute("INSERT INTO looks DEFAULT VALUES")

    def due(self, seconds: float) -> dict[bytes, Any]:
        """Key -> what was sent, of inputs to ask about once more: those that were not for so many seconds."""
        before = time.time() - seconds
        chosen = f"SELECT * FROM again ORDER BY input LIMIT {ASKED_AGAIN}"  # by their hashes: at random, and the same
        rows = self._file.execute(f"SELECT input, content FROM ({chosen}) WHERE latest_at < ?", (before,))
        return {key: json.loads(zlib.decompress(content)) for key, content in rows}

    def repeats(self) -> Repeats | None:
        """What the answers of inputs that were asked about again say of the model; None where there was none."""
        rows = self._file.execute(
            "SELECT second <> label, latest <> label, second_at FROM again JOIN answers USING (input) ORDER BY input"
        ).fetchall()
        if not rows:
            return None
        now = [latest for _, latest, _ in rows[:ASKED_AGAIN]]
        (looks,) = self._file.execute("SELECT COUNT(*) FROM looks").fetchone()
        first = len(rows), sum(row[0] for row in rows), min(row[2] for row in rows)
        return Repeats(*first, len(now), sum(now), max(looks, 1))
