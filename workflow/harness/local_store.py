"""Results by what they were made from: a second name in `results/.store/` for each that is there.

Snakemake removes the outputs of a job before it starts, knows a renamed study by no name, and forgets what it did not
see end. A job whose key is in the store takes those files and does nothing. What is left there under no other name is
removed once a run has ended well.
"""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterable, Sequence
from itertools import filterfalse
from pathlib import Path
from typing import Any

from lmia import artifacts
from workflow.harness import checksums, result_records

STORE = Path("results/.store")  # named by no rule, so Snakemake leaves it alone


def places(key: str, outputs: Iterable[str]) -> list[Path]:
    """Where the results of a key are kept, for the paths of a job's outputs in their order."""
    return [STORE / key[:2] / f"{key}.{n}{Path(output).suffix}" for n, output in enumerate(map(str, outputs))]


def has(key: str, outputs: Iterable[str]) -> bool:
    """Whether results of a key are there, as far as their records say."""
    return all((result_records.read(place) or {}).get("key") == key for place in places(key, outputs))


def keep(record: dict[str, Any], paths: Iterable[str], outputs: Iterable[str]) -> None:
    """Give finished results, which lie in `paths`, their second names; without hard links they have none."""
    with contextlib.suppress(OSError):
        for path, place in zip(paths, places(record["key"], outputs), strict=True):
            place.parent.mkdir(parents=True, exist_ok=True)
            if not (place.exists() and place.samefile(path)):
                beside = place.with_name(f"{uuid.uuid4().hex}.part")
                os.link(path, beside)
                os.replace(beside, place)
            if checksums.lies_apart(place):
                made = checksums.made_of(place)
                made.parent.mkdir(parents=True, exist_ok=True)
                made.write_text(result_records.text_beside(place, record))


def strays() -> dict[str, Path]:
    """Artifacts that have no second name, as where results were copied: key -> path."""
    found = {}
    for path in Path("results").glob("[!.]*/**/*.npz"):
        with contextlib.suppress(OSError):  # a link to nothing, or what another run removes
            if path.stat().st_nlink == 1 and (record := result_records.read(path)):
                found[record["key"]] = path
    return found


def drop_copies(key: str, outputs: Sequence[str]) -> None:
    """Forget second names of what was copied to another disk: one copy is enough."""
    for output, place in zip(outputs, places(key, outputs), strict=True):
        with contextlib.suppress(OSError):
            if not place.samefile(output):
                place.unlink()


def take(key: str, paths: Sequence[str], outputs: Sequence[str]) -> bool:
    """Put the results of a key into `paths`, where nothing is; returns whether all were there and sound."""
    sources = places(key, outputs)
    try:
        if not has(key, outputs):
            return False
        for place in filterfalse(checksums.lies_apart, sources):  # the record of others is of their bytes
            artifacts.load(place)
        for place, path in zip(sources, paths, strict=True):
            put(place, path)
    except OSError:  # one has gone meanwhile, or cannot be read
        for path in paths:  # or the job would write to what is kept, under its other name
            Path(path).unlink(missing_ok=True)
        return False
    except artifacts.ArtifactError as error:
        print(f"made anew: {error}")
        forget(key, outputs)
        return False
    return True


def put(source: str | Path, path: str | Path) -> None:
    """Give a result another name, or a copy where the file system has no hard links."""
    try:
        os.link(source, path)
    except OSError:
        shutil.copyfile(source, path)


def forget(key: str, outputs: Iterable[str]) -> None:
    """Remove the second names of results."""
    for place in places(key, outputs):
        for file in (place, checksums.made_of(place)):
            with contextlib.suppress(OSError):
                file.unlink()


def prune() -> None:
    """Remove what has no other name any more; what cannot be removed stays."""
    for file in STORE.glob("*/*"):
        with contextlib.suppress(OSError):
            if file.stat().st_nlink == 1:
                file.unlink()
                checksums.made_of(file).unlink(missing_ok=True)
