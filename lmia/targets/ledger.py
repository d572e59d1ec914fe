"""What a model that bills has answered, kept for good: no run pays twice for the same input.

An SQLite file has the label of each input that was ever answered, and how many inputs were ever sent. The latter is
raised and committed before anything is sent, so that a process which is killed leaves an upper bound of what may have
been billed; labels are committed before they are returned.
"""

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

PARAMETERS = 500  # of one statement; SQLite takes 999 at least
SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (input BLOB PRIMARY KEY, label INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sent (only_row INTEGER PRIMARY KEY CHECK (only_row = 0), inputs INTEGER NOT NULL);
INSERT OR IGNORE INTO sent VALUES (0, 0);
"""
PATIENCE = 60.0  # seconds that a process waits for another one that writes


class OverBudget(ValueError):
    """Sending more would exceed what may be spent; nothing of it was sent."""


def key_of(values: np.ndarray | Mapping[str, Any]) -> bytes:
    """What an input is known by: the SHA-256 of its float32 values and shape, or of a record as JSON."""
    if isinstance(values, Mapping):
        return hashlib.sha256(json.dumps(values).encode()).digest()
    values = np.ascontiguousarray(values, dtype="<f4")
    return hashlib.sha256(f"{values.shape};".encode() + values.tobytes()).digest()


class Ledger:
    """The answers of one endpoint, in a file of its own.

    path: of the file, which is made where there is none, with its folder; most: inputs that may be sent in all, ever,
    None for any number.
    """

    def __init__(self, path: str | Path, most: int | None = None):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._most = most
        self._file = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)  # each statement is committed
        self._file.execute("PRAGMA synchronous = FULL")
        self._file.executescript(SCHEMA)

    @property
    def sent(self) -> int:
        """How many inputs were ever sent: at least as many as were billed."""
        return self._file.execute("SELECT inputs FROM sent").fetchone()[0]

    @property
    def kept(self) -> int:
        """How many inputs have an answer."""
        return self._file.execute("SELECT COUNT(*) FROM answers").fetchone()[0]

    def known(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """The labels of those inputs that were answered before. keys: see `key_of`."""
        found: dict[bytes, int] = {}
        for start in range(0, len(keys), PARAMETERS):
            part = keys[start : start + PARAMETERS]
            marks = ",".join("?" * len(part))
            found |= dict(self._file.execute(f"SELECT input, label FROM answers WHERE input IN ({marks})", part))
        return found

    def note(self, n: int) -> None:
        """Note that n inputs are about to be sent. Raises OverBudget, with nothing noted, where that is too many."""
        bound = self._most if self._most is not None else -1
        raised = "UPDATE sent SET inputs = inputs + ? WHERE ? < 0 OR inputs + ? <= ?"
        noted = self._file.execute(raised, (n, bound, n, bound))
        if not noted.rowcount:
            raise OverBudget(
                f"most: {self._most}: {self.sent} inputs were sent, and {n} more are asked for, of which none was; "
                "raise it, or ask for fewer records or queries"
            )

    def keep(self, answers: Mapping[bytes, int]) -> None:
        """Keep labels by the keys of their inputs."""
        with self._file:
            self._file.execute("BEGIN IMMEDIATE")
            self._file.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?)", answers.items())
