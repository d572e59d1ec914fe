"""One attempt at a job: its outputs appear whole or not at all, and never once a later attempt has begun.

A job may outlive the Snakemake that started it (killed, or cut off from a cluster) and still be at work when the next
Snakemake starts the same job again. No lock: the successor need not wait for a job that may hang, and locks of a
shared file system may outlive their owners. Instead every attempt works in a folder of its own, and takes the folders
of earlier ones away as it begins. An attempt whose folder is gone can no longer write what it has, as all its files
reach their place by being renamed from there: the file system decides who is first.

What a job has made may be lost even so: a Snakemake that was killed did not see it end, and the next one removes the
outputs, as incomplete, and starts the job again. So all are kept under another name too (local_store.py).
"""

import contextlib
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from workflow.harness import checksums, local_store, result_records
from workflow.harness.durable import move, sync

PARTIAL = Path("results/.partial")  # named by no rule, so Snakemake leaves it alone when it cleans up after a failure
JOURNAL = "journal.npz"


class Superseded(RuntimeError):
    """A later attempt at the same job has begun, so this one must leave no trace."""


class Attempt:
    """An attempt at the job that makes `outputs` (paths) from what `record` says (result_records.record_of)."""

    def __init__(self, outputs: Iterable[str], record: dict[str, Any]) -> None:
        self.record = record
        self._outputs = [str(output) for output in outputs]
        self.job = _name_of(self._outputs)  # the same for all attempts at it
        self._folder = PARTIAL / f"{self.job}.{uuid.uuid4().hex}"
        self.journal = self._folder / JOURNAL  # survives this attempt, unless it succeeds
        self.ends = contextlib.ExitStack()  # what is to be ended with the work, before the outputs are published
        self._folder.mkdir(parents=True)
        before = [folder for folder in PARTIAL.glob(f"{self.job}.*") if folder != self._folder]
        self.is_repeat = bool(before)  # of an attempt that has left something, or is still at work
        for earlier in before:
            self._take_over(earlier)

    def _take_over(self, earlier: Path) -> None:
        taken = self._folder / earlier.name
        with contextlib.suppress(FileNotFoundError):  # it has ended, or there are two successors
            os.rename(earlier, taken)
            for path in sorted(taken.rglob(JOURNAL), key=lambda path: -len(path.parts)):  # deeper: killed in here
                os.replace(path, self.journal)
        shutil.rmtree(taken, ignore_errors=True)

    def path(self, output: str) -> str:
        """Where to write that one of the outputs until all is done."""
        return str(self._folder / f"{self._outputs.index(output)}-{Path(output).name}")

    def take(self) -> bool:
        """Whether the outputs were taken from where the same were made before; then they are published, all is done."""
        with self._unless_superseded():
            taken = local_store.take(self.record["key"], list(map(self.path, self._outputs)), self._outputs)
            self._publish() if taken else self._folder.stat()  # which fails where a later attempt has begun
        return taken

    def adopt(self, sources: Iterable[str | Path]) -> None:
        """Publish files that were made before of the same, in the order of the outputs; OSError where one has gone."""
        for source, output in zip(sources, self._outputs, strict=True):
            local_store.put(source, self.path(output))
        self._publish()

    def _sign(self) -> None:
        for output in self._outputs:
            if not checksums.lies_apart(output):
                result_records.sign(self.path(output), self.record)

    def _publish(self) -> None:
        """Move the outputs to their places, and forget the rest."""
        for output in self._outputs:
            sync(self.path(output))  # before it has any name
        local_store.keep(self.record, list(map(self.path, self._outputs)), self._outputs)
        for output in self._outputs:
            if checksums.lies_apart(output):
                self._note(checksums.place_of(output), checksums.line_of(output, self.path(output)))
                self._note(checksums.made_of(output), result_records.text_beside(self.path(output), self.record))
            move(self.path(output), output)
        local_store.drop_copies(self.record["key"], self._outputs)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _note(self, place: Path, text: str) -> None:
        """Write what is kept of an output, before it is in its place: what is killed between the two is run again."""
        beside = self._folder / "note"
        beside.write_text(text)
        sync(beside)
        place.parent.mkdir(parents=True, exist_ok=True)
        move(beside, place)

    @contextlib.contextmanager
    def nothing_kept_on_failure(self) -> Iterator[None]:
        """Where the body fails, what was done so far cannot be trusted."""
        try:
            yield
        except Exception:
            self.journal.unlink(missing_ok=True)
            raise

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Publish after the body, if that succeeds. Raises Superseded where a later attempt was in the way."""
        with self._unless_superseded():
            with self.ends:
                yield
                self._sign()
            self._publish()

    @contextlib.contextmanager
    def _unless_superseded(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if not self._folder.exists():
                raise Superseded(
                    "a later attempt at this job has begun, and goes on from here; this one stops"
                ) from error
            if not self.journal.exists():  # nothing worth keeping
                shutil.rmtree(self._folder, ignore_errors=True)
            raise


def _name_of(outputs: list[str]) -> str:
    return hashlib.sha256("\n".join(outputs).encode()).hexdigest()[:16]
