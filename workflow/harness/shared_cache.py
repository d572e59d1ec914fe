"""A cache of results that studies, checkouts and users share: each entry lies under a hash of all that it depends on.

An entry's file name holds its key and the SHA-256 of its bytes, so it needs no other file, appears whole by one
rename, and is verified whenever it is taken; what it holds must be what the job would make. It is copied and not
linked, as other users may write to it.
"""

import contextlib
import os
import shutil
import stat
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import torch

from lmia import artifacts
from lmia.memory_batches import Batches
from workflow.harness import result_records
from workflow.harness.checksums import hash_of
from workflow.harness.job_outputs import PARTIAL, Attempt
from workflow.harness.shared_cache_key import dependencies

BEAT, STALE = 20.0, 180.0  # s: who computes says so this often; file systems may show it to others a minute later
PAUSES = 0.2, 10.0  # s: shortest and longest between two looks of who waits
MAX_BYTES = 16 << 30  # of an entry, which its readers hold in memory
MAX_CLAIM_BYTES = 1 << 16  # bytes
NO_CLAIM = "", -1  # as a text and a time


def take_shared(snakemake: Any, attempt: Attempt, device: torch.device) -> bool:
    """Whether the job's one output was taken from the configuration's cache: then nothing is left to do.

    snakemake: the object that Snakemake hands its script; attempt: of this run; device: the job's. While another job
    computes the same, it is waited for. Without a cache, or where the cache has no such entry, False; what the job
    makes is put there once it has succeeded. A cache that cannot be read or written is reported, and costs nothing
    else.
    """
    folder = snakemake.config["cache"]
    if not folder:
        return False
    output, owner = snakemake.output[0], f"{_checkout()} {Path.cwd()} {attempt.job}"
    key = dependencies(attempt.record, snakemake.threads, device)
    entry = Entry(folder, key, owner, attempt.record["key"])
    if entry.take_or_claim(output):
        return True
    attempt.ends.enter_context(entry.kept(output))
    return False


def _checkout() -> str:
    """A random name of this folder of results: its path may be that of another's too, as it is in containers."""
    file = PARTIAL / "owner"
    if not file.exists():
        beside = file.with_name(f"owner.{uuid.uuid4().hex}")
        beside.write_text(uuid.uuid4().hex)
        os.replace(beside, file)
    return file.read_text(errors="replace")


class Entry:
    """The results with one key (hexadecimal digits) in a shared folder; usually one, or none yet.

    owner: one line that says for which job this is, the same for all runs of the job; made: key of the record that the
    artifact must have.

    A claim is a file that says that its owner is at work, by a time that moves on. It is advice and no lock: who finds
    it standing still, or left by an earlier run of the same job, takes it over. Should two compute the same after all,
    each puts a whole file. Whoever may write to the folder `root` may write to all that is made in it. Where no folder
    can have that name, this is told, and nothing is taken or put. Others may put anything there: pipes, devices and
    files without end are not read.
    """

    def __init__(self, root: str | Path, key: str, owner: str, made: str) -> None:
        self._root = _usable(root)
        self._folder, self._key = (self._root or Path()) / key[:2], key
        self._made = made
        self._claim = self._folder / f"{key}.claim"
        self._text = f"{ascii(owner)[1:-1]}\n{uuid.uuid4().hex}"
        self._done = threading.Event()

    def take(self, output: str) -> bool:
        """Copy a sound file of this entry to the path `output`, and return whether there was one."""
        try:
            files = sorted(self._folder.glob(f"{self._key}-*.npz")) if self._root else []
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
            print(f"cache: {file}: {problem}; it is computed anew")
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
        if self._root is None:
            return
        if Batches.halved:
            print("cache: not shared: memory ran out on the way, and halves of a batch may round otherwise")
            return
        temporary = self._folder / f".{uuid.uuid4().hex}.part"
        try:
            if (size := os.path.getsize(output)) > MAX_BYTES:
                print(f"cache: not shared: {size} bytes, and {MAX_BYTES} are the most that is taken")
                return
            self._make_folder()
            with open(output, "rb") as source, open(temporary, "wb") as copy:
                shutil.copyfileobj(source, copy, 1 << 20)
                copy.flush()
                os.fsync(copy.fileno())
            self._open_to_all_of_root(temporary)
            os.replace(temporary, self._folder / f"{self._key}-{hash_of(output)}.npz")
        except OSError as error:
            print(f"cache: not shared: {error}")
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def take_or_claim(self, output: str) -> bool:
        """As `take`, but wait while another job computes this entry; where it returns False, this one is to do it."""
        if self._root is None:
            return False
        pause, seen, since = PAUSES[0], None, time.monotonic()
        while not self.take(output):
            if self._claims():
                if found := self.take(output):  # put there between the two looks
                    self._release()
                return found
            now, state = time.monotonic(), self._state()
            if state != seen:
                seen, since = state, now
            if now - since > STALE or self._is_mine(state) or state == NO_CLAIM:
                print(f"cache: {self._claim}: left behind by a run that has ended, or no claim; taken over")
                if not self._remove_claim():
                    return False
                continue
            if pause == PAUSES[0]:
                print(f"cache: waiting for the job that computes the same: {self._claim}")
            time.sleep(pause)
            pause = min(1.5 * pause, PAUSES[1])
        return True

    @contextlib.contextmanager
    def kept(self, output: str) -> Iterator[None]:
        """Put what the body has written, if it succeeds, and give up the claim in any case."""
        try:
            yield
            self.put(output)
        finally:
            self._release()

    def _claims(self) -> bool:
        """Whether it is this job's turn: also where nobody can write a claim, and so nobody waits."""
        try:
            self._make_folder()
        except OSError as error:  # a file that exists, too
            print(f"cache: {error}")
            return True
        try:
            with open(self._claim, "x") as file:
                file.write(self._text)
            self._open_to_all_of_root(self._claim)
        except FileExistsError:
            return False
        except OSError as error:
            print(f"cache: {error}")
            return True
        threading.Thread(target=self._beat, daemon=True).start()
        return True

    def _make_folder(self) -> None:
        if not self._folder.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            self._open_to_all_of_root(self._folder)

    def _open_to_all_of_root(self, path: Path) -> None:
        """Let those write to a new file or folder who may write to the root, whatever this process's umask."""
        mode = self._folder.parent.stat().st_mode & (0o7777 if path.is_dir() else 0o666)
        with contextlib.suppress(OSError):  # a file system without such rights
            path.chmod(mode)

    def _beat(self) -> None:
        with contextlib.suppress(OSError):  # taken over, or pruned
            while not self._done.wait(BEAT):
                os.utime(self._claim)

    def _state(self) -> tuple[str, int] | None:
        """(text, time) of the claim, None where it is gone, NO_CLAIM where something else has its name."""
        try:
            with _regular(self._claim) as file:
                if file is None:
                    return NO_CLAIM
                return file.read(MAX_CLAIM_BYTES).decode(errors="replace"), os.fstat(file.fileno()).st_mtime_ns
        except OSError:
            return None

    def _is_mine(self, state: tuple[str, int] | None) -> bool:
        return state is not None and state[0].partition("\n")[0] == self._text.partition("\n")[0]

    def _release(self) -> None:
        self._done.set()
        if self._root and (state := self._state()) is not None and state[0] == self._text:
            self._remove_claim()

    def _remove_claim(self) -> bool:
        try:
            self._claim.unlink(missing_ok=True)
        except OSError as error:  # another user's, in a folder that does not let it be removed
            print(f"cache: {error}")
            return False
        return True


def _usable(root: str | Path) -> Path | None:
    """The folder that a text names, None where no folder can have that name, which is reported."""
    try:
        str(root).encode()  # else no log can name it
        folder = Path(root).expanduser()
        with contextlib.suppress(FileNotFoundError):  # it is made when something is put there
            os.stat(folder)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"cache: {ascii(str(root))[:200]}: cannot be used ({error}), so nothing is shared; set another folder")
        return None
    return folder


@contextlib.contextmanager
def _regular(path: Path) -> Iterator[IO[bytes] | None]:
    """A regular file, or a link to one, open for reading its bytes; None where something else has that name."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe would wait for who writes to it
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        yield None
        return
    with open(descriptor, "rb") as file:
        yield file


def _copied(file: Path, output: str) -> str | None:
    """Copy a file of the cache to the path `output`; why not, None where it is done."""
    with _regular(file) as source:
        if source is None:
            return "no regular file"
        size = os.fstat(source.fileno()).st_size
        if size > MAX_BYTES:
            return f"{size} bytes, and {MAX_BYTES} are the most that is taken"
        with open(output, "wb") as copy:
            while size > 0 and (block := source.read(min(size, 1 << 20))):
                copy.write(block)
                size -= len(block)
    return None
