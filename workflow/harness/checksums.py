"""Checksums of tables and figures, which carry none themselves as artifacts do: each has one in results/checksums/.

They read as `sha256sum` writes them, so `sha256sum -c` checks them too.
"""

import hashlib
from pathlib import Path

FOLDER = Path("results/checksums")


class ChecksumError(ValueError):
    """A table or figure that is damaged: `artifact`, its path, is to be rebuilt."""

    def __init__(self, path: str | Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.artifact = str(path)


def lies_apart(path: str | Path) -> bool:
    """Whether a result's checksum is kept apart from it."""
    return not str(path).endswith(".npz")


def place_of(path: str | Path) -> Path:
    """Where the checksum of a result is kept."""
    return FOLDER / f"{str(path).removeprefix('results/')}.sha256"


def made_of(path: str | Path) -> Path:
    """Where it is kept what a result was made from (workflow/harness/result_records.py)."""
    return FOLDER / f"{str(path).removeprefix('results/')}.made"


def hash_of(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def line_of(path: str | Path, source: str | Path) -> str:
    """What is kept for a result, of the bytes that lie in `source` at present."""
    return f"{hash_of(source)}  {path}\n"


def check(path: str | Path) -> None:
    """Raise ChecksumError where a result is not as it was made, FileNotFoundError where there is none."""
    actual, record = line_of(path, path), place_of(path)
    if not record.exists():
        raise ChecksumError(path, f"checksum: expected one in {record}, found none")
    recorded = record.read_bytes()  # perhaps no text any more
    if actual.encode() != recorded:
        expected = recorded.partition(b"  ")[0].decode(errors="replace")[:100]
        raise ChecksumError(path, f"checksum: expected {expected!r} in {record}, found {actual.split('  ')[0]}")
