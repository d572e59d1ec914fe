"""Folders that Snakemake cannot run jobs in, or with whose Python it cannot, and where jobs find this one's code."""

import os
import re

APART = re.compile(r"[^\w@%+=:,./-]")  # what shells take apart, at least the common characters of it


def unfit(python: str, folder: str) -> str | None:
    """One line where no job could run, else None. python: path of the running one; folder: the working one."""
    if found := APART.search(python):
        return (
            f"{python}: the path of Python has {found[0]!r} in it, which a shell takes apart, as Snakemake does not "
            "quote it; make the virtual environment in another folder: python3 -m venv ~/lmia-venv"
        )
    if found := re.search("[{}]", folder):
        return f"{folder}: a working folder with {found[0]} in its name, which Snakemake fills in; rename it"
    return None


def put_in_front_for_jobs(folder: str) -> None:
    """Let scripts import from a folder before all others: Snakemake puts it behind them."""
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != folder]
    os.environ["PYTHONPATH"] = os.pathsep.join([folder, *others])
