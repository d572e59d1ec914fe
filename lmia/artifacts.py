"""Named arrays on disk with their provenance: written whole or not at all, checked when read, never pickled."""

import contextlib
import hashlib
import json
import os
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

SCHEMA_VERSION = 1
_META = "provenance.json"
_REMEDY = "delete it and rerun"


class ArtifactError(ValueError):
    """A file that is damaged, or not of the kind that was expected: `artifact`, its path, is to be rebuilt."""

    def __init__(self, path: str | Path, problem: str):
        super().__init__(f"{path}: {problem}")
        self.artifact = str(path)


def _checksum(arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape};".encode())
        digest.update(array.data)  # its bytes, without a copy of them
    return digest.hexdigest()


def save(path: str | Path, kind: str, arrays: Mapping[str, Any], provenance: Mapping[str, Any]) -> None:
    """Write `arrays` (name -> array, no objects) with a JSON-able `provenance` dict as one .npz file.

    The file appears under its name only once it is complete. Equal content gives equal bytes. Raises
    FileNotFoundError where its folder is not there.
    """
    path = Path(path)
    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    meta = {"schema": SCHEMA_VERSION, "kind": kind, "sha256": _checksum(arrays), **provenance}
    text = np.array(json.dumps(meta, sort_keys=True))
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")  # process ids repeat on other machines
    try:
        with open(temporary, "wb") as file:
            np.savez(file, allow_pickle=False, **{_META: text}, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load(
    path: str | Path, kind: str | None = None, expected: Mapping[str, tuple[str, int]] | None = None
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read an artifact: (arrays, provenance).

    kind: what the file must hold, None for anything; expected: name -> (dtype kinds such as "iu", number of dimensions)
    of arrays that must be there. Raises ArtifactError where the file is damaged, of another kind, or lacks what is
    expected, and FileNotFoundError where there is none.
    """
    with _opened(path) as file:
        provenance = _provenance(path, file)
        names = {entry.removesuffix(".npy") for entry in file.zip.namelist() if entry.endswith(".npy")}
        arrays = {name: file[name] for name in file.files if name in names - {_META}}
    found = (provenance.get("kind"), provenance.get("schema"))
    if found != (kind or found[0], SCHEMA_VERSION):
        raise ArtifactError(path, f"expected kind {kind!r}, schema {SCHEMA_VERSION}, found {found}")
    recorded, actual = provenance.get("sha256"), _checksum(arrays)
    if actual != recorded:
        raise ArtifactError(path, f"checksum: expected {recorded}, found {actual}; {_REMEDY}")
    for name, (dtypes, ndim) in (expected or {}).items():
        array = arrays.get(name)
        if array is None or array.dtype.kind not in dtypes or array.ndim != ndim:
            got = "nothing" if array is None else f"{array.dtype} with {array.ndim} dimensions"
            raise ArtifactError(path, f"{name}: expected dtype kind {dtypes} with {ndim} dimensions, found {got}")
    return arrays, provenance


def recorded_checksum(path: str | Path) -> str:
    """The checksum that an artifact carries, without reading its arrays. Raises as `load` does."""
    return json.loads(provenance_text(path))["sha256"]


def provenance_text(path: str | Path) -> str:
    """The provenance of an artifact as it is written, in JSON, without reading its arrays. Raises as `load` does."""
    with _opened(path) as file:
        return _text(path, file)


def add_extra(path: str | Path, name: str, text: str) -> None:
    """Put a text to an artifact, which changes nothing that `load` reads, and no checksum. Not while others read it."""
    with zipfile.ZipFile(path, "a") as file:
        if name not in file.namelist():
            file.writestr(zipfile.ZipInfo(name), text)  # without the time of day: equal content, equal bytes


def extra(path: str | Path, name: str) -> str | None:
    """A text of `add_extra`, None where there is none. Raises as `load` does."""
    with _opened(path) as file:
        return file.zip.read(name).decode() if name in file.zip.namelist() else None


@contextlib.contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    """The file as numpy reads it. Raises ArtifactError for whatever its damage makes numpy or zipfile raise."""
    try:
        with np.load(path, allow_pickle=False) as file:
            yield file
    except (FileNotFoundError, ArtifactError):
        raise
    except Exception as error:
        problem = f"expected an lmia artifact, cannot read it ({type(error).__name__}: {error}); {_REMEDY}"
        raise ArtifactError(path, problem) from error


def _provenance(path: str | Path, file: Any) -> dict[str, Any]:
    return json.loads(_text(path, file))


def _text(path: str | Path, file: Any) -> str:
    if _META not in file.files:
        raise ArtifactError(path, f"expected an lmia artifact, found no provenance; {_REMEDY}")
    return str(file[_META])
