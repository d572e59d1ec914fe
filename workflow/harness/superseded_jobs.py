"""Whether a job in a cluster was submitted by a Snakemake that is still the latest for its outputs, and for what.

A job that waited in the queue while its Snakemake was killed starts after those that the next Snakemake has submitted,
with the settings of a command that nobody runs any more. It would pass for their successor (job_outputs.py).
Snakemakes that make different files may be at work side by side: its lock is on files, and so is what is asked here.

A job in a cluster is a Snakemake of its own, which reads the configuration, code and files as they are when it starts.
So its run notes of each output what it is to be made from.

Which results a plan makes again is decided in staleness.py.
"""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

FOLDER = Path("results/.runs")  # a file for each run, named after it: a line for each path that it makes
VARIABLE = "LMIA_RUN"  # jobs find the name of their run in their environment


def begin(outputs: Mapping[str, str]) -> None:
    """Make this process a run whose jobs know its name, and outdate all that were to make one of its outputs.

    outputs: path -> what tells of which settings and code it is to be made, "" where the job knows. None of them is
    another's that is still at work, or Snakemake would not have begun. Without any, or where nothing can be written,
    there is nothing that a late job could spoil.
    """
    name = uuid4().hex
    if not outputs:
        return
    with contextlib.suppress(OSError):
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_text("\n".join(f"{path}\t{recipe}" for path, recipe in outputs.items()))
        os.environ[VARIABLE] = name
        for other in FOLDER.iterdir():
            with contextlib.suppress(FileNotFoundError):  # one that ends meanwhile
                if other.name != name and not outputs.keys().isdisjoint(_noted(other)):
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


def planned(output: str) -> str:
    """What this job's run has noted of an output, "" where nobody knows."""
    name = os.environ.get(VARIABLE)
    with contextlib.suppress(FileNotFoundError):
        return _noted(FOLDER / name).get(output, "") if name else ""
    return ""


def _noted(run: Path) -> dict[str, str]:
    lines = (line.partition("\t") for line in run.read_text().splitlines())
    return {path: recipe for path, _, recipe in lines}


def leave() -> None:
    """Be part of no run, whatever the environment says: a Snakemake may be started in a job of another."""
    os.environ.pop(VARIABLE, None)
