"""A cache of results that studies, checkouts and users share: each entry lies under a hash of all that it depends on.

An entry's file name holds its key and the SHA-256 of its bytes, so it needs no other file, appears whole by one
rename, and is verified whenever it is taken; what it holds must be what the job would make. It is copied and not
linked, as other users may write to it.
"""

import contextlib
import os
import platform
import shutil
import stat
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import torch
from filelock import FileLock, Timeout

from lmia import artifacts
from lmia.memory_batches import Batches
from workflow.harness import result_records
from workflow.harness.checksums import hash_of
from workflow.harness.durable import sync
from workflow.harness.job_outputs import Attempt
from workflow.harness.shared_cache_key import dependencies

PAUSES = 0.2, 10.0  # s: shortest and longest between two looks of who waits
MAX_BYTES = 16 << 30  # of an entry, which its readers hold in memory
MAX_HOLDER = 1 << 16  # bytes of what a lock says of who holds it


def take_shared(snakemake: Any, attempt: Attempt, device: torch.device) -> bool:
    """Whether the job's one output was taken from the configuration's cache: then nothing is left to do.

    snakemake: the object that Snakemake hands its script; attempt: of this run; device: the job's. While another job
    makes the same, it is waited for. Without a cache, or where the cache has no such entry, False; what the job makes
    is put there once it has succeeded. A cache that cannot be read or written is reported, and costs nothing else.
    """
    root, output = _usable(snakemake.config["cache"]), snakemake.output[0]
    if root is None:
        return False
    key, job = dependencies(attempt.record, snakemake.threads, device), f"{attempt.job} in {Path.cwd()}"
    entry = Entry(root, key, attempt.record["key"], job)
    if entry.take_or_lock(output, is_repeat=attempt.is_repeat):
        return True
    attempt.ends.enter_context(entry.kept(output))
    return False


class Entry:
    """The results with one key (hexadecimal digits) in a shared folder; usually one, or none yet.

    made: key of the record that the artifact must have; job: which one this is, the same for all attempts at it.

    Who makes an entry holds its lock, which the kernel takes from a process that ends, however it ends. It only saves
    work: should two make the same after all, each puts a whole file. Whoever may write to the folder `root` may write
    to all that is made in it, whatever the umask of who made it. Others may put anything there: pipes, devices and
    files without end are not read.
    """

    def __init__(self, root: Path, key: str, made: str, job: str = "") -> None:
        self._root, self._folder, self._key, self._made = root, root / key[:2], key, made
        self._lock_file, self._job = self._folder / f"{key}.lock", ascii(job)[1:-1]
        self._lock: FileLock | None = None  # while this job has it

    def take(self, output: str) -> bool:
        """Copy a sound file of this entry to the path `output`, and return whether there was one."""
        try:
            files = sorted(self._folder.glob(f"{self._key}-*.npz"))
        except OSError as error:
            print(f"cache: {error}")
            return False
        return any(self._take(file, output) for file in files)

    def _take(self, file: Path, output: str) -> bool:
        try:
            problem = _copied(file, output) or self._fault(file, output)
        except OSError as error:  # perhaps it was pruned just now
            print(f"cache: cannot take {file}: {error}")
            with contextlib.suppress(OSError):
                os.unlink(output)
            return False
        if problem:
            print(f"cache: {file}: {problem}; it is made anew")
            for unfit in (file, Path(output)):
                with contextlib.suppress(OSError):
                    unfit.unlink()
            return False
        try:
            os.utime(file)  # it is in use: pruning goes by this
        except OSError as error:
            print(f"cache: cannot note that it is in use, so pruning may remove it: {error}")
        print(f"cache: taken from {file}")
        return True

    def _fault(self, file: Path, copy: str) -> str | None:
        """Why a file is not what this job would make, None where it is."""
        expected, found = file.stem.rpartition("-")[2], hash_of(copy)
        if found != expected:
            return f"damaged: expected SHA-256 {expected}, found {found}"
        try:
            artifacts.load(copy)
        except artifacts.ArtifactError as error:
            return f"not what its name says: {error}"
        if (result_records.read(copy) or {}).get("key") != self._made:
            return "not what its name says: made from something else"
        return None

    def put(self, output: str) -> None:
        """Add a copy of the file `output`; reports it where that cannot be done."""
        if Batches.halved:
            print("cache: not shared: memory ran out on the way, and halves of a batch may round otherwise")
            return
        temporary = self._folder / f".{uuid.uuid4().hex}.part"
        try:
            if (size := os.path.getsize(output)) > MAX_BYTES:
                print(f"cache: not shared: {size} bytes, and {MAX_BYTES} are the most that is taken")
                return
            mode = self._make_folder()
            shutil.copyfile(output, temporary)
            sync(temporary)
            with contextlib.suppress(OSError):  # a file system without such rights
                temporary.chmod(mode)
            os.replace(temporary, self._folder / f"{self._key}-{hash_of(output)}.npz")
        except OSError as error:
            print(f"cache: not shared: {error}")
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def take_or_lock(self, output: str, is_repeat: bool = False) -> bool:
        """As `take`, but wait while another job makes this entry; where it returns False, this one is to do it.

        is_repeat: whether there was an attempt at the same job before. It may hang, and can publish nothing any more,
        so where it is still at work nobody waits for it.
        """
        pause = PAUSES[0]
        while not self.take(output):
            if self._is_our_turn():
                if found := self.take(output):  # put there between the two looks
                    self._unlock()
                return found
            if is_repeat and self._is_held_by_this_job():
                print(f"cache: not waiting for an earlier attempt at this job: {self._lock_file}")
                return False
            if pause == PAUSES[0]:
                print(f"cache: waiting for the job that makes the same: {self._lock_file}")
            time.sleep(pause)
            pause = min(1.5 * pause, PAUSES[1])
        return True

    @contextlib.contextmanager
    def kept(self, output: str) -> Iterator[None]:
        """Put what the body has written, if it succeeds, and let others work in any case."""
        try:
            yield
            self.put(output)
        finally:
            self._unlock()

    def _is_our_turn(self) -> bool:
        """Take the lock, if no other job has it. True also where there can be none, and so nobody waits."""
        try:
            mode = self._make_folder()
            lock = FileLock(self._lock_file, mode=mode, timeout=0, fallback_to_soft=False, on_acquired=self._sign)
            lock.acquire()
            self._lock = lock
        except Timeout:
            return False
        except OSError as error:
            print(f"cache: no lock, so other jobs may make the same beside this one: {error}")
        return True

    def _sign(self, lock: int) -> None:
        """Say in the file of a lock (its descriptor) who holds it."""
        os.ftruncate(lock, 0)
        os.write(lock, f"process {os.getpid()} on {ascii(platform.node())[1:-1]}: {self._job}\n".encode())

    def _is_held_by_this_job(self) -> bool:
        try:
            with _regular(self._lock_file) as file:
                return file.read(MAX_HOLDER).decode(errors="replace").rstrip("\n").endswith(f": {self._job}")
        except OSError:  # it has ended just now, or this is nothing that says anything
            return False

    def _unlock(self) -> None:
        if self._lock:
            with contextlib.suppress(OSError):  # a file of another user, in a folder that does not let it be removed
                self._lock_file.unlink()  # still locked: who waits for it finds that it has no name, and opens another
            with contextlib.suppress(OSError):
                self._lock.release()

    def _make_folder(self) -> int:
        """Make the folder with the rights of the root, if need be, and return those of the files in it."""
        is_new = not self._folder.exists()
        self._folder.mkdir(parents=True, exist_ok=True)
        mode = stat.S_IMODE(self._root.stat().st_mode)
        if is_new:
            with contextlib.suppress(OSError):  # a file system without such rights
                self._folder.chmod(mode)
        return mode & 0o666


def _usable(name: str | None) -> Path | None:
    """The folder that a text names, None where there is none, or no folder can have that name, which is reported."""
    if not name:
        return None
    try:
        name.encode()  # else no log can name it
        folder = Path(name).expanduser()
        with contextlib.suppress(FileNotFoundError):  # it is made when something is put there
            os.stat(folder)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"cache: {ascii(name)[:200]}: cannot be used ({error}), so nothing is shared; set another folder")
        return None
    return folder


def _regular(path: Path) -> IO[bytes]:
    """A regular file, or a link to one, open for reading; OSError where something else has that name."""
    file = open(path, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK))  # or a pipe waits
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError("no regular file")
    return file


def _copied(file: Path, output: str) -> str | None:
    """Copy a file of the cache to the path `output`; why not, None where it is done."""
    with _regular(file) as source:
        if (size := os.fstat(source.fileno()).st_size) > MAX_BYTES:
            return f"{size} bytes, and {MAX_BYTES} are the most that is taken"
        with open(output, "wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
    return None
