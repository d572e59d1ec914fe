"""One run of a job: its outputs appear whole or not at all, and never once a later run of the same job has begun.

A job may outlive the Snakemake that started it (killed, or cut off from a cluster) and still be at work when the next
Snakemake starts the same job again. No lock: the successor need not wait for a job that may hang, and locks of a
shared file system may outlive their owners. Instead every run works in a folder of its own, and takes the folders of
earlier runs away as it begins. A run whose folder is gone can no longer write what it has, as all its files reach
their place by being renamed from there: the file system decides who is first.

What a job has made may be lost even so: a Snakemake that was killed did not see it end, and the next one removes the
outputs, as incomplete, and starts the job again. So what took long is linked in PARTIAL as well, under a key of all
that it depends on, until some Snakemake has come to its end with it.
"""

import contextlib
import errno
import hashlib
import os
import shutil
import uuid
from pathlib import Path

from workflow.harness import checksums

PARTIAL = Path("results/.partial")  # named by no rule, so Snakemake leaves it alone when it cleans up after a failure
JOURNAL = "journal.npz"
FINISHED = ".finished.npz"


class Superseded(RuntimeError):
    """A later run of the same job has begun, so this one must leave no trace."""


class Attempt:
    """A run of the job that makes the files `outputs` (paths)."""

    def __init__(self, outputs):
        self._outputs = [str(output) for output in outputs]
        self.job = _name_of(self._outputs)  # the same for all its runs
        self._folder = PARTIAL / f"{self.job}.{uuid.uuid4().hex}"
        self.journal = self._folder / JOURNAL  # survives this run, unless it succeeds
        self.key = None  # of the one output, where it is to be kept until it was seen
        self.ends = contextlib.ExitStack()  # what is to be ended with the work, before the outputs are published
        self._folder.mkdir(parents=True)
        for earlier in PARTIAL.glob(f"{self.job}.*"):
            if earlier != self._folder:
                self._take_over(earlier)

    def _take_over(self, earlier):
        taken = self._folder / earlier.name
        with contextlib.suppress(FileNotFoundError):  # it has ended, or there are two successors
            os.rename(earlier, taken)
            kept = [path for name in (JOURNAL, f"*{FINISHED}") for path in taken.rglob(name)]
            for path in sorted(kept, key=lambda path: -len(path.parts)):  # deeper ones are of those killed in here
                os.replace(path, self._folder / path.name)
        shutil.rmtree(taken, ignore_errors=True)  # leaves the file of a finished run where it is

    def path(self, output):
        """Where to write that one of the outputs until all is done."""
        return str(self._folder / f"{self._outputs.index(output)}-{Path(output).name}")

    @property
    def finished(self):
        """Where the output lies if an earlier run of this `key` has made it."""
        return self._folder / f"{self.job}.{self.key}{FINISHED}"

    def publish(self):
        """Move the outputs to their places, and forget the rest."""
        if self.key:
            with contextlib.suppress(OSError):  # a file system without links
                os.link(self.path(self._outputs[0]), self.finished)
        for output in self._outputs:
            if checksums.is_recorded(output):
                self._record(output)
            _move(self.path(output), output)
        with contextlib.suppress(OSError):
            if self.finished.samefile(self._outputs[0]):  # else that is a copy on another disk, and one is enough
                os.replace(self.finished, PARTIAL / self.finished.name)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _record(self, output):
        """Keep the checksum of an output, before it is in its place: what is killed between the two is run again."""
        record, line = self._folder / "checksum", checksums.line_of(output, self.path(output))
        record.write_text(line)
        place = checksums.record_of(output)
        place.parent.mkdir(parents=True, exist_ok=True)
        _move(record, place)

    @contextlib.contextmanager
    def nothing_kept_on_failure(self):
        """Where the body fails, what was done so far cannot be trusted."""
        try:
            yield
        except Exception:
            self.journal.unlink(missing_ok=True)
            raise

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


def forget_finished(jobs):
    """Drop what runs have left for the next one, of jobs that some Snakemake has seen finished.

    jobs: the outputs of each.
    """
    seen = {_name_of(map(str, outputs)) for outputs in jobs}
    for file in PARTIAL.glob(f"*{FINISHED}"):
        if file.name.partition(".")[0] in seen:
            file.unlink(missing_ok=True)


def _name_of(outputs):
    return hashlib.sha256("\n".join(outputs).encode()).hexdigest()[:16]


def _move(source, target):
    """Rename a file, also to another file system, as where a folder of results is a link to a larger disk.

    It is on the disk before it has its name, or else a loss of power could leave the name and no content.
    """
    _sync(source)
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(source, target)
    with contextlib.suppress(OSError):  # there are file systems that cannot
        _sync(Path(target).parent)


def _copy(source, target):
    beside = f"{target}.{uuid.uuid4().hex}.part"
    try:
        shutil.copyfile(source, beside)
        _sync(beside)
        os.rename(source, f"{source}.copied")  # fails where a later run has begun
        os.replace(beside, target)
    finally:
        Path(beside).unlink(missing_ok=True)


def _sync(path):
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
