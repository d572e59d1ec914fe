"""A cache of results that studies, checkouts and users share: each entry lies under a hash of all that it depends on.

An entry's file name holds its key and the SHA-256 of its bytes, so it needs no other file, appears whole by one
rename, and is verified whenever it is taken; what it holds must be what the job would make. It is copied and not
linked, as Snakemake sets the times of what a job has made, and would set them in every study that has the same file.
"""

import contextlib
import hashlib
import os
import shutil
import threading
import time
import uuid
from pathlib import Path

from lmia import artifacts
from lmia.devices import Batches
from workflow.harness import records
from workflow.harness.attempt import PARTIAL
from workflow.harness.dependencies import dependencies

BEAT, STALE = 20.0, 180.0  # s: who computes says so this often; file systems may show it to others a minute later
PAUSES = 0.2, 10.0  # s: shortest and longest between two looks of who waits


def take_shared(snakemake, attempt, device):
    """Whether the job's one output was taken from the configuration's cache: then nothing is left to do.

    attempt: of this run; device: its torch.device. While another job computes the same, it is waited for. Without a
    cache, or where the cache has no such entry, False; what the job makes is put there once it has succeeded. A cache
    that cannot be read or written is reported, and costs nothing else.
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


def _checkout():
    """A random name of this folder of results: its path may be that of another's too, as it is in containers."""
    file = PARTIAL / "owner"
    if not file.exists():
        beside = file.with_name(f"owner.{uuid.uuid4().hex}")
        beside.write_text(uuid.uuid4().hex)
        os.replace(beside, file)
    return file.read_text()


class Entry:
    """The results with one key (hexadecimal digits) in a shared folder; usually one, or none yet.

    owner: one line that says for which job this is, the same for all runs of the job; made: key of the record that the
    artifact must have.

    A claim is a file that says that its owner is at work, by a time that moves on. It is advice and no lock: who finds
    it standing still, or left by an earlier run of the same job, takes it over. Should two compute the same after all,
    each puts a whole file. Whoever may write to the folder `root` may write to all that is made in it.
    """

    def __init__(self, root, key, owner, made):
        self._root = Path(root).expanduser()
        self._folder, self._key = self._root / key[:2], key
        self._made = made
        self._claim, self._text = self._folder / f"{key}.claim", f"{owner}\n{uuid.uuid4().hex}"
        self._done = threading.Event()

    def take(self, output):
        """Copy a sound file of this entry to the path `output`, and return whether there was one."""
        return any(self._take(file, output) for file in sorted(self._folder.glob(f"{self._key}-*.npz")))

    def _take(self, file, output):
        try:
            shutil.copyfile(file, output)
        except OSError as error:  # perhaps it was pruned just now
            print(f"cache: cannot take {file}: {error}")
            return False
        if problem := self._fault(file, output):
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

    def _fault(self, file, copy):
        """Why a file is not what this job would make, None where it is."""
        expected, found = file.stem.rpartition("-")[2], _file_hash(copy)
        if found != expected:
            return f"damaged: expected SHA-256 {expected}, found {found}"
        try:
            artifacts.load(copy)
        except artifacts.ArtifactError as error:
            return f"not what its name says: {error}"
        if (records.read(copy) or {}).get("key") != self._made:
            return "not what its name says: made from something else"
        return None

    def put(self, output):
        """Add a copy of the file `output`; reports it where that cannot be done."""
        if Batches.halved:
            print("cache: not shared: memory ran out on the way, and halves of a batch may round otherwise")
            return
        temporary = self._folder / f".{uuid.uuid4().hex}.part"
        try:
            self._make_folder()
            with open(output, "rb") as source, open(temporary, "wb") as copy:
                shutil.copyfileobj(source, copy, 1 << 20)
                copy.flush()
                os.fsync(copy.fileno())
            self._open_to_all_of_root(temporary)
            os.replace(temporary, self._folder / f"{self._key}-{_file_hash(output)}.npz")
        except OSError as error:
            print(f"cache: not shared: {error}")
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def take_or_claim(self, output):
        """As `take`, but wait while another job computes this entry; where it returns False, this one is to do it."""
        pause, seen, since = PAUSES[0], None, time.monotonic()
        while not self.take(output):
            if self._claims():
                if found := self.take(output):  # put there between the two looks
                    self._release()
                return found
            now, state = time.monotonic(), self._state()
            if state != seen:
                seen, since = state, now
            if now - since > STALE or self._is_mine(state):
                print(f"cache: {self._claim}: left behind by a run that has ended; taken over")
                if not self._remove_claim():
                    return False
                continue
            if pause == PAUSES[0]:
                print(f"cache: waiting for the job that computes the same: {self._claim}")
            time.sleep(pause)
            pause = min(1.5 * pause, PAUSES[1])
        return True

    @contextlib.contextmanager
    def kept(self, output):
        """Put what the body has written, if it succeeds, and give up the claim in any case."""
        try:
            yield
            self.put(output)
        finally:
            self._release()

    def _claims(self):
        """Whether it is this job's turn: also where nobody can write a claim, and so nobody waits."""
        try:
            self._make_folder()
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

    def _make_folder(self):
        if not self._folder.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            self._open_to_all_of_root(self._folder)

    def _open_to_all_of_root(self, path):
        """Let those write to a new file or folder who may write to the root, whatever this process's umask."""
        mode = self._root.stat().st_mode & (0o7777 if path.is_dir() else 0o666)
        with contextlib.suppress(OSError):  # a file system without such rights
            path.chmod(mode)

    def _beat(self):
        with contextlib.suppress(OSError):  # taken over, or pruned
            while not self._done.wait(BEAT):
                os.utime(self._claim)

    def _state(self):
        """(text, time) of the claim, None where it is gone."""
        try:
            return self._claim.read_text(), self._claim.stat().st_mtime_ns
        except OSError:
            return None

    def _is_mine(self, state):
        return state is not None and state[0].partition("\n")[0] == self._text.partition("\n")[0]

    def _release(self):
        self._done.set()
        if (state := self._state()) is not None and state[0] == self._text:
            self._remove_claim()

    def _remove_claim(self):
        try:
            self._claim.unlink(missing_ok=True)
        except OSError as error:  # another user's, in a folder that does not let it be removed
            print(f"cache: {error}")
            return False
        return True


def _file_hash(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
