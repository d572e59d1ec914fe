"""Folders that Snakemake cannot run jobs in, or with whose Python it cannot."""

import re

APART = re.compile(r"[^\w@%+=:,./-]")  # what shells take apart, at least the common characters of it


def unfit(python, folder):
    """One line where no job could run, else None. python: path of the running one; folder: the working one."""
    if found := APART.search(python):
        return (
            f"{python}: the path of Python has {found[0]!r} in it, which a shell takes apart, as Snakemake does not "
            "quote it; make the virtual environment in another folder: python3 -m venv ~/lmia-venv"
        )
    if found := re.search("[{}]", folder):
        return f"{folder}: a working folder with {found[0]} in its name, which Snakemake fills in; rename it"
    return None
