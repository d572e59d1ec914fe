"""One run of a job: its outputs appear whole or not at all, and never once a later run of the same job has begun.

A job may outlive the Snakemake that started it (killed, or cut off from a cluster) and still be at work when the next
Snakemake starts the same job again. No lock: the successor need not wait for a job that may hang, and locks of a
shared file system may outlive their owners. Instead every run works in a folder of its own, and takes the folders of
earlier runs away as it begins. A run whose folder is gone can no longer write what it has, as all its files reach
their place by being renamed from there: the file system decides who is first.
"""

import contextlib
import errno
import hashlib
import os
import shutil
import uuid
from pathlib import Path

from workflow import checksums

PARTIAL = Path("results/.partial")  # named by no rule, so Snakemake leaves it alone when it cleans up after a failure
JOURNAL = "journal.npz"


class Superseded(RuntimeError):
    """A later run of the same job has begun, so this one must leave no trace."""


class Attempt:
    """A run of the job that makes the files `outputs` (paths)."""

    def __init__(self, outputs):
        self._outputs = [str(output) for output in outputs]
        self.job = hashlib.sha256("\n".join(self._outputs).encode()).hexdigest()[:16]  # the same for all its runs
        self._folder = PARTIAL / f"{self.job}.{uuid.uuid4().hex}"
        self.journal = self._folder / JOURNAL  # survives this run, unless it succeeds
        self.ends = contextlib.ExitStack()  # what is to be ended with the work, before the outputs are published
        self._folder.mkdir(parents=True)
        for earlier in PARTIAL.glob(f"{self.job}.*"):
            if earlier != self._folder:
                self._take_over(earlier)

    def _take_over(self, earlier):
        taken = self._folder / earlier.name
        with contextlib.suppress(FileNotFoundError):  # it has ended, or there are two successors
            os.rename(earlier, taken)
            with contextlib.suppress(FileNotFoundError):
                os.replace(taken / JOURNAL, self.journal)
        shutil.rmtree(taken, ignore_errors=True)

    def path(self, output):
        """Where to write that one of the outputs until all is done."""
        return str(self._folder / f"{self._outputs.index(output)}-{Path(output).name}")

    def publish(self):
        """Move the outputs to their places, and forget the rest."""
        for output in self._outputs:
            if checksums.is_recorded(output):
                self._record(output)
            _move(self.path(output), output)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _record(self, output):
        """Keep the checksum of an output, before it is in its place: what is killed between the two is run again."""
        record, line = self._folder / "checksum", checksums.line_of(output, self.path(output))
        record.write_text(line)
        place = checksums.record_of(output)
        place.parent.mkdir(parents=True, exist_ok=True)
        _move(record, place)

    @contextlib.contextmanager
    def running(self):
        """Publish after the body, if that succeeds. Raises Superseded where a later run was in the way."""
        try:
            with self.ends:
                yield
            self.publish()
        except Exception as error:
            if not self._folder.exists():
                raise Superseded("a later run of this job has begun, and goes on from here; this one stops") from error
            if not self.journal.exists():  # nothing worth keeping
                shutil.rmtree(self._folder, ignore_errors=True)
            raise


def _move(source, target):
    """Rename a file, also to another file system, as where a folder of results is a link to a larger disk."""
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = f"{target}.{uuid.uuid4().hex}.part"
        try:
            shutil.copyfile(source, beside)
            os.rename(source, f"{source}.copied")  # fails where a later run has begun
            os.replace(beside, target)
        finally:
            Path(beside).unlink(missing_ok=True)
