"""Named arrays on disk with their provenance: written whole or not at all, checked when read, never pickled."""

import hashlib
import json
import os
import zipfile
from pathlib import Path

import numpy as np

SCHEMA_VERSION = 1
_META = "provenance.json"


class ArtifactError(ValueError):
    """A file that is damaged, or not of the kind that was expected."""


def _checksum(arrays):
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape};".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def save(path, kind, arrays, provenance):
    """Write `arrays` (name -> array, no objects) with a JSON-able `provenance` dict as one .npz file.

    The file appears under its name only once it is complete. Equal content gives equal bytes.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    meta = {"schema": SCHEMA_VERSION, "kind": kind, "sha256": _checksum(arrays), **provenance}
    text = np.array(json.dumps(meta, sort_keys=True))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(temporary, "wb") as file:
            np.savez(file, allow_pickle=False, **{_META: text}, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load(path, kind, expected=None):
    """Read an artifact: (arrays, provenance).

    kind: what the file must hold; expected: name -> (dtype kinds such as "iu", number of dimensions) of arrays that
    must be there. Raises ArtifactError where the file is damaged, of another kind, or lacks what is expected.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ArtifactError(
            f"{path}: expected an lmia artifact, cannot read it ({error}); delete it and rerun"
        ) from error
    if _META not in arrays:
        raise ArtifactError(f"{path}: expected an lmia artifact, found no provenance; delete it and rerun")
    provenance = json.loads(str(arrays.pop(_META)))
    found = (provenance.get("kind"), provenance.get("schema"))
    if found != (kind, SCHEMA_VERSION):
        raise ArtifactError(f"{path}: expected kind {kind!r}, schema {SCHEMA_VERSION}, found {found}")
    if _checksum(arrays) != provenance["sha256"]:
        raise ArtifactError(f"{path}: checksum differs from the recorded one; delete the file and rerun")
    for name, (dtypes, ndim) in (expected or {}).items():
        array = arrays.get(name)
        if array is None or array.dtype.kind not in dtypes or array.ndim != ndim:
            got = "nothing" if array is None else f"{array.dtype} with {array.ndim} dimensions"
            raise ArtifactError(f"{path}: {name}: expected dtype kind {dtypes} with {ndim} dimensions, found {got}")
    return arrays, provenance
