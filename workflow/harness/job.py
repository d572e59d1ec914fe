"""What every script does around its work: a log, outputs of its own with a record, and honest hashes."""

import contextlib
import errno
import os
import shutil
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workflow.harness import checksums, result_records, superseded_jobs
from workflow.harness.fingerprint import ROOT, closure, fingerprint, hashes, locate, unlisted
from workflow.harness.freed_memory import keep_freed_memory
from workflow.harness.job_outputs import Attempt, Superseded
from workflow.harness.opened_files import OpenedFiles, folders_in
from workflow.harness.touched_files import Imports, state

AS_BEFORE = "(with your --configfile, if you name one)"
PACKAGES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
FULL = (errno.ENOSPC, errno.EDQUOT)  # no space left on a disk, or none of a user's share


class BadInput(Exception):
    """What a user gave cannot be used: the message says what, where and how to mend it, and is all that is shown."""


class Replaced(Exception):
    """Code, an input or a user's file is not what was planned: what the job keeps would be kept under a wrong name."""


@contextlib.contextmanager
def job(snakemake: Any, *modules: str) -> Iterator[Attempt]:
    """Run the body of a script with its output in the rule's log file; gives the `Attempt` that it is.

    snakemake: the object that Snakemake hands its script; modules: names of those that the script chose at run time. In
    the body `snakemake.output` has the places where the attempt writes, which become the rule's outputs at the end. A
    BadInput leaves its message in the log, and ends the process; so does a Replaced. A full disk does with a message
    for the terminal, as the log may lie on it.
    """
    try:
        with _logged(snakemake):
            if "torch" in sys.modules:
                keep_freed_memory()
            for table in filter(checksums.lies_apart, snakemake.input):
                checksums.check(table)
            imports = _check_code(snakemake, modules)  # or a journal of other code would be taken up, or written
            record, read = _record(snakemake), _files(snakemake)
            _check_run(snakemake)  # before the journal is taken from whom it belongs to
            attempt = Attempt(snakemake.output, record)
            if attempt.take():
                print("taken from what was made before of the same code, settings and inputs")
                sys.exit(0)
            snakemake.output = type(snakemake.output)(snakemake.output, custom_map=attempt.path)
            opened = _opened(snakemake, modules, read)
            with attempt.running(), _refused_told(opened):
                _check_run(snakemake)  # whoever begins from now on comes after this attempt
                yield attempt
                with attempt.nothing_kept_on_failure():
                    _check_opened(opened)
                    _check_code(snakemake, modules, imports)
                    _check_inputs(snakemake, record)
                    _check_files(read)
    except Exception as error:
        if (full := _full(error)) is None:
            raise
        sys.exit(_no_space(full))


@contextlib.contextmanager
def _logged(snakemake: Any) -> Iterator[None]:
    """Write what the body prints, and what it raises, to the rule's log file."""
    Path(snakemake.log[0]).unlink(missing_ok=True)  # an earlier run that is still at work keeps its own
    with open(snakemake.log[0], "w", buffering=1) as log:
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            try:
                yield
            except (BadInput, Replaced) as error:
                print(error)
                sys.exit(1)
            except Superseded:
                traceback.print_exc()
                # A Snakemake removes the outputs of a job that fails: by now its successor's. In a cluster, one within
                # a job removes nothing (failed_outputs.py), and who submitted it is gone, or has submitted the
                # successor too (but for --nolock, docs/explanation/reliability.md). Elsewhere the Snakemake that would
                # be told of a success could note its own code and settings for what others have made, so that is left
                # to fail.
                if not snakemake.config["is_nested"]:
                    raise
                sys.exit(0)
            except SystemExit:
                raise
            except BaseException as error:
                if getattr(error, "is_told", False) and _full(error) is None:  # not every script imports these
                    print(f"the given model cannot be asked: {message_of(error)}")
                    sys.exit(1)
                if _full(error) is None:
                    _advise(error)
                    traceback.print_exc()
                raise


def message_of(error: BaseException) -> str:
    """The message of an error; of one that says no more than what failed, also its type, and a plug-in's line."""
    error = (getattr(error, "is_told", False) and error.__cause__) or error
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(PACKAGES)]
    file = Path(frames[-1].filename)
    if any(file.is_relative_to(ROOT / ours) for ours in ("lmia", "workflow", ".snakemake")):
        return str(error) if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: {error}"
    shown = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
    return f"{type(error).__name__}: {error} ({shown}, line {frames[-1].lineno})"


def _check_run(snakemake: Any) -> None:
    if superseded_jobs.is_outdated() and snakemake.config["is_nested"]:
        raise Superseded("another Snakemake makes what this job was submitted for; this one does nothing")
    planned = superseded_jobs.planned(snakemake.output[0]) if snakemake.config["is_nested"] else ""
    if planned and planned != result_records.recipe_of(snakemake.params.items(), snakemake.input):
        raise Replaced(
            "the configuration, code or a file that this job reads was edited since the workflow was planned; run it "
            "again once this run has ended"
        )


def _full(error: BaseException) -> OSError | None:
    """The error of a full disk that led to this one, or None."""
    found: BaseException | None = error
    while found is not None and not (isinstance(found, OSError) and found.errno in FULL):
        found = found.__cause__ or found.__context__
    return found


def _no_space(error: OSError) -> str:
    """One line for a disk that is full: which, and what to do."""
    named = [name for name in (error.filename2, error.filename) if isinstance(name, str | os.PathLike)]
    folder = Path(named[0] if named else _fullest("results")).resolve()  # of two names the second is written to
    while not folder.is_dir():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return (
        f"{folder}: {os.strerror(error.errno or 0).lower()} ({free / 1e6:.1f} MB free); free some, or put a link to "
        "a folder on a larger disk in its place, and repeat the command: what is finished stays"
    )


def _fullest(top: str) -> str:
    """Of a folder and all links and mounts below it, that on the fullest disk: a failed write names no file."""
    below = [os.path.join(folder, name) for folder, names, _ in os.walk(top) for name in names]
    places = [top, *(path for path in below if os.path.islink(path) or os.path.ismount(path))]
    return min(places, key=lambda path: shutil.disk_usage(path).free)


def _advise(error: BaseException) -> None:
    """Say how to rebuild an input that was found to be damaged, by whichever module: not every script imports them."""
    if damaged := getattr(error, "artifact", None):
        error.add_note(f"rebuild it: snakemake --cores 1 --force {damaged} {AS_BEFORE}")


def _record(snakemake: Any) -> dict[str, Any]:
    inputs = result_records.named(snakemake.input)
    return result_records.record_of(
        snakemake.params.items(),
        {name: [result_records.state(file) for file in files] for name, files in inputs.items()},
    )


def _check_inputs(snakemake: Any, record: dict[str, Any]) -> None:
    if _record(snakemake)["key"] != record["key"]:
        raise Replaced("an input was replaced while this job ran; run it again")


def _files(snakemake: Any) -> dict[str, Any]:
    """The users' files that this job reads, path -> what tells whether it is touched, if all are those of the plan."""
    read = {}
    for planned in snakemake.params.get("files", []):
        for path in snakemake.config["files"][planned]:
            before = state(path)
            if checksums.hash_of(path) != planned.partition(" ")[0]:
                raise Replaced(f"{path}: is another file than when the workflow was planned; run it again")
            read[path] = before
    return read


def _check_files(read: dict[str, Any]) -> None:
    if replaced := [path for path, before in read.items() if state(path) != before]:
        raise Replaced(f"{', '.join(replaced)}: replaced or written to while this job ran; run it again")


def _opened(snakemake: Any, modules: tuple[str, ...], read: dict[str, Any]) -> OpenedFiles | None:
    """What watches the files that a user's code opens, None where there is no such code."""
    plug_ins = [(name, file) for name in modules if (file := locate(name)) and not file.is_relative_to(ROOT / "lmia")]
    files = [file for name, start in plug_ins for file in closure(start, name)]
    own = [file for file in files if not file.is_relative_to(ROOT / "lmia")]
    if not own:
        return None
    return OpenedFiles(own, [*read, *snakemake.input], folders_in(dict(snakemake.params.items()), own))


@contextlib.contextmanager
def _refused_told(opened: OpenedFiles | None) -> Iterator[None]:
    """Let a file that was refused be what a job fails for, whatever came of it."""
    try:
        yield
    except Exception:
        _check_opened(opened)
        raise


def _check_opened(opened: OpenedFiles | None) -> None:
    if opened is not None and opened.refused:
        raise Replaced(opened.refused)


def _check_code(snakemake: Any, modules: tuple[str, ...], imports: Imports | None = None) -> Imports:
    """Raise Replaced unless what runs is what was planned; gives `Imports`, which look at what is imported later."""
    listed = list(snakemake.params.code)
    script = next(entry for entry in listed if entry.startswith("workflow/scripts/")).rpartition("@")[0]
    imports = imports or Imports(closure(ROOT / script, *modules))
    if imports.touched() or hashes(listed) != hashes(fingerprint(script, *modules)):
        raise Replaced(f"{script} or a module that it imports was edited while the workflow ran; run it again")
    if missing := unlisted(ROOT / script, *modules):
        raise Replaced(
            f"{script} ran {', '.join(missing)}, which its rule's `code` does not list; name it there, or let a "
            "plug-in import it by its name, from a folder on PYTHONPATH"
        )
    return imports
