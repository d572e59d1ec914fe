"""What each result was made from: params, code and the content of inputs, kept with the result itself.

An artifact has its record as one more member of its file, so the two cannot be parted; of tables and figures it lies
beside their checksum (checksums.py). By these records, and by nothing that Snakemake notes, a plan tells what is to be
made again (staleness.py): they go wherever the results go, and neither times nor names of files are in them.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lmia import artifacts
from workflow.harness import checksums
from workflow.harness.fingerprint import hashes

Record = dict[str, Any]
RECORD = "record.json"  # name of the member in an artifact's file
LAYOUT = 1  # of a record; one of another layout says nothing


def record_of(params: Iterable[tuple[str, Any]], inputs: dict[str, list[tuple[str | None, str | None]]]) -> Record:
    """What a job's results are made from, a dict that JSON can hold.

    params: (name, plain value) pairs, with the list `code`; inputs: name -> [(content, origin) of each file], where
    `content` tells what a file holds and `origin` what it was made from, each None where that is not known. Outputs of
    equal "key" are the same bytes, whatever their names, on one machine. "origin" is of params and code all the way up,
    and known without any file.
    """
    own = dict(params)
    code = own.pop("code", [])
    contents, origins = ({name: [file[n] for file in files] for name, files in inputs.items()} for n in range(2))
    return {
        "layout": LAYOUT,
        "key": _digest(own, hashes(code), contents),
        "origin": _digest(own, hashes(code), origins),
        "params": json.loads(json.dumps(own)),
        "code": code,
        "inputs": contents,
        "origins": origins,
    }


def recipe_of(params: Iterable[tuple[str, Any]], inputs: Any) -> str:
    """What tells of which settings, code, users' files and results a job makes its outputs, whatever these hold.

    params: as for `record_of`; inputs: a list of Snakemake's, as for `named`.
    """
    own = dict(params)
    code = own.pop("code", [])
    return _digest(own, hashes(code), named(inputs))


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def named(files: Any) -> dict[str, list[str]]:
    """Paths of a job's inputs by their names in the rule, "" for all where they have none: name -> list.

    files: a list of Snakemake's, whose `items()` has those with a name.
    """
    names = dict(files.items())
    if not names:
        return {"": [str(file) for file in files]}
    return {
        name: [str(file) for file in ([value] if isinstance(value, str) else value)] for name, value in names.items()
    }


def state(path: str | Path) -> tuple[str | None, str | None]:
    """(content, origin) of a result that is there, for `record_of`; raises FileNotFoundError where it is not.

    Of what is damaged nothing is known: (None, None).
    """
    try:
        if checksums.lies_apart(path):
            checksums.check(path)
        return content(path), (read(path) or {}).get("origin")
    except (artifacts.ArtifactError, checksums.ChecksumError):
        return None, None


def content(path: str | Path) -> str:
    """What tells a file's content: an artifact's provenance, with the checksum of its arrays, or the hash of its bytes.

    Raises FileNotFoundError, or ArtifactError where an artifact is damaged.
    """
    if checksums.lies_apart(path):
        return checksums.hash_of(path)
    return hashlib.sha256(artifacts.provenance_text(path).encode()).hexdigest()


def read(path: str | Path) -> Record | None:
    """The record of a result, None where it has none, or none of its present content."""
    try:
        text = _beside(path) if checksums.lies_apart(path) else artifacts.extra(path, RECORD)
        record = json.loads(text or "null")
    except (ValueError, FileNotFoundError):  # no artifact, or no JSON
        return None
    return record if isinstance(record, dict) and record.get("layout") == LAYOUT else None


def _beside(path: str | Path) -> str | None:
    """The text of a table's or figure's record, unless it is of another file than the one that is there."""
    made, _, text = checksums.made_of(path).read_text().partition("\n")
    return text if made == checksums.hash_of(path) else None


def text_of(record: Record) -> str:
    """A record as it is written."""
    return json.dumps(record, sort_keys=True)


def sign(source: str | Path, record: Record) -> None:
    """Put the record of a job to its artifact, which lies in `source` so far."""
    artifacts.add_extra(source, RECORD, text_of(record))


def text_beside(source: str | Path, record: Record) -> str:
    """What is to lie in `checksums.made_of`, for a table or figure that lies in `source` so far."""
    return f"{checksums.hash_of(source)}\n{text_of(record)}\n"


def differences(old: Record, new: Record) -> tuple[set[str], set[str]]:
    """(before, now): sets of lines on where two records differ."""
    lines = [set(_lines(record)) for record in (old, new)]
    code = [sorted(hashes(record["code"])) for record in (old, new)]
    if code[0] == code[1]:  # files were only moved
        lines = [{line for line in side if not line.startswith("code ")} for side in lines]
    return lines[0] - lines[1], lines[1] - lines[0]


def _lines(record: Record) -> Iterator[str]:
    yield from (f"{name}: {json.dumps(value, sort_keys=True)}" for name, value in record["params"].items())
    yield from (f"code {entry}" for entry in record["code"])
    for name, contents in record["inputs"].items():
        yield from (f"content of input {name} {n}: {(content or 'none')[:12]}" for n, content in enumerate(contents))
