"""The original files of a data set: fetched once into a cache that all studies share, or taken from a local copy.

Every file is checked by its SHA-256 before it is read. Archives are read member by member: nothing is unpacked to disk,
so no path in an archive leads anywhere, and nothing is unpickled.
"""

import contextlib
import errno
import gzip
import os
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import pooch
import requests
from tqdm import tqdm

from lmia.file_locks import locked

CACHE_VARIABLE = "LMIA_DATA"  # environment variable: folder of the cache, in place of the system's own
RETRIES = 3
TIMEOUT = 30  # seconds without an answer or a further byte
CHUNK = 1 << 14  # bytes: as many may be lost where a download stops
READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)
LOCAL = "`path` (in a configuration: datasets.<name>.path)"
WITHOUT_LOCKS = f"let {CACHE_VARIABLE} name a folder on another, or set {LOCAL} to a copy"


def originals(url: str, hashes: Mapping[str, str | None], path: str | Path | None = None) -> list[Path]:
    """Paths of verified original files, in the order of `hashes`.

    url: where they are on the web, up to their names; hashes: file name -> SHA-256 in hex, None where nobody published
    it; path: a local copy, either the file (where there is only one) or a folder that holds all under these names.
    Raises FileNotFoundError or NotADirectoryError for a wrong path, ValueError for another content than expected or
    where no hash is known, ConnectionError where a file cannot be fetched.
    """
    if path is None:
        files = [_fetch(url + name, name, sha256) for name, sha256 in hashes.items()]
    else:
        files = _local_copies(Path(path).expanduser(), list(hashes))
    return [_verified(file, sha256) for file, sha256 in zip(files, hashes.values(), strict=True)]


def _local_copies(path: Path, names: list[str]) -> list[Path]:
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder; set {LOCAL} to a copy of {', '.join(names)}")
    if path.is_dir():
        return [path / name for name in names]
    if len(names) > 1:
        raise NotADirectoryError(f"{path}: expected a folder that holds {', '.join(names)}, found a file")
    return [path]


def _verified(file: Path, sha256: str | None) -> Path:
    if not file.is_file():
        raise FileNotFoundError(f"{file}: no such file; put the original there, or set {LOCAL} to it")
    found = pooch.file_hash(str(file))
    if sha256 is None:
        raise ValueError(
            f"{file}: nobody published a SHA-256 of this file, so it is not read unseen. It has {found}; "
            f"if you trust it, state that as `sha256` (in a configuration: datasets.<name>.sha256)"
        )
    if found != sha256:
        raise ValueError(
            f"{file}: expected SHA-256 {sha256}, found {found}: the file is incomplete, changed or another one; "
            f"fetch the original again, or set {LOCAL} to it"
        )
    return file


def _fetch(url: str, name: str, sha256: str | None) -> Path:
    """Path of a file in the cache. Jobs that want the same file wait for each other, and it is fetched once."""
    cache = pooch.create(
        path=pooch.os_cache("lmia"),
        env=CACHE_VARIABLE,
        base_url="",
        registry={name: sha256},
        urls={name: url},
        retry_if_failed=RETRIES,
    )
    folder = Path(cache.path)
    kept = folder / name
    if kept.is_file() and sha256 in (None, pooch.file_hash(str(kept))):
        return kept  # perhaps in a folder that only others may write into
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / f".{name}.lock", WITHOUT_LOCKS):
            return Path(cache.fetch(name, downloader=_resume))  # type: ignore - pooch calls it otherwise than it says
    except requests.RequestException as error:
        raise ConnectionError(
            f"{url}: cannot be fetched ({error}); fetch it elsewhere and set {LOCAL} to the copy"
        ) from error
    except OSError as error:
        if error.errno not in READ_ONLY:
            raise
        raise PermissionError(
            f"{kept}: is not there, damaged, or another file, and its folder cannot be written; let {CACHE_VARIABLE} "
            f"name a folder of yours, or set {LOCAL}"
        ) from error
    except ValueError as error:  # pooch has deleted the file
        raise ValueError(f"{url}: not the file that is expected: {error}; set {LOCAL} to an original copy") from error


def _resume(url: str, output: Any, cache: Any) -> None:
    """Fetch into a .part file that outlives an interrupted attempt, and hand it over once it is complete.

    This is pooch's downloader: it then checks the hash of `output`, moves it to its final name, and tries again where
    either fails.
    """
    part = cache.path / f"{url.rpartition('/')[2]}.part"
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if answer.status_code != requests.codes.requested_range_not_satisfiable:  # else all of it is here
            answer.raise_for_status()
            resumed = answer.status_code == requests.codes.partial_content
            _write(answer, part, have if resumed else 0)
    os.replace(part, output)


def _write(answer: requests.Response, part: Path, have: int) -> None:
    """Write an answer's body behind the first `have` bytes of a file."""
    total = have + int(answer.headers.get("Content-Length", 0))
    try:
        with (
            open(part, "ab" if have else "wb") as file,
            tqdm(total=total, initial=have, desc=part.stem, unit="B", unit_scale=True, mininterval=2) as bar,
        ):
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OSError(error.errno, error.strerror, str(part)) from error  # so that it tells which disk is full


@contextlib.contextmanager
def members(archive: Path, *names: str) -> Iterator[list[IO[bytes]]]:
    """Files of a .tar.gz that `originals` has verified, open for reading bytes, in the order of `names`.

    Raises ValueError where one is missing or no regular file, or where the archive cannot be read.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            entries = {entry.name: entry for entry in tar if entry.isreg()}  # links lead anywhere
            for name in names:
                if name not in entries:
                    found = ", ".join(list(entries)[:10]) or "none"
                    raise ValueError(f"{archive}: expected a file {name} in it, found {found}")
            yield [tar.extractfile(entries[name]) for name in names]  # type: ignore - None is for what is no file
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{archive}: expected a .tar.gz archive, cannot read it ({error})") from error
