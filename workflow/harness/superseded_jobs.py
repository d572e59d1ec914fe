"""Whether a job in a cluster was submitted by a Snakemake that is still the latest for its outputs.

A job that waited in the queue while its Snakemake was killed starts after those that the next Snakemake has submitted,
with the settings of a command that nobody runs any more. It would pass for their successor (job_outputs.py).
Snakemakes that make different files may be at work side by side: its lock is on files, and so is what is asked here.

Which results a plan makes again is decided in staleness.py.
"""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

FOLDER = Path("results/.runs")  # a file for each run, named after it, of the paths that it makes
VARIABLE = "LMIA_RUN"  # jobs find the name of their run in their environment


def begin(outputs: Iterable[str]) -> None:
    """Make this process a run whose jobs know its name, and outdate all that were to make one of its outputs.

    outputs: paths. None of them is another's that is still at work, or Snakemake would not have begun. Without any, or
    where nothing can be written, there is nothing that a late job could spoil.
    """
    made, name = {str(output) for output in outputs}, uuid4().hex
    if not made:
        return
    with contextlib.suppress(OSError):
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_text("\n".join(made))
        os.environ[VARIABLE] = name
        for other in FOLDER.iterdir():
            with contextlib.suppress(FileNotFoundError):  # one that ends meanwhile
                if other.name != name and not made.isdisjoint(other.read_text().splitlines()):
                    other.unlink()


def end() -> None:
    """Forget this run: its jobs have ended."""
    if name := os.environ.pop(VARIABLE, None):
        (FOLDER / name).unlink(missing_ok=True)


def is_outdated() -> bool:
    """Whether another run makes what this job was submitted for; False where nobody knows."""
    if name := os.environ.get(VARIABLE):
        try:
            (FOLDER / name).open().close()  # which asks the server, where that a file exists may come from a cache
        except FileNotFoundError:
            return True
    return False


def leave() -> None:
    """Be part of no run, whatever the environment says: a Snakemake may be started in a job of another."""
    os.environ.pop(VARIABLE, None)
