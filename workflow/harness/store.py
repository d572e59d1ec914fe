"""Artifacts by what they were made from: a second name, `results/.store/<key>`, for each of those that are there.

Snakemake removes the outputs of a job before it starts, knows a renamed study by no name, and forgets what it did not
see end. A job whose key is in the store takes that file and does nothing. What is left there under no other name is
removed once a run has ended well.
"""

import contextlib
import os
from pathlib import Path

from lmia import artifacts

STORE = Path("results/.store")  # named by no rule, so Snakemake leaves it alone


def keeps(outputs):
    """Whether the results of a job are kept: artifacts, which take long; tables and figures are made again."""
    return len(outputs) == 1 and str(outputs[0]).endswith(".npz")


def place(key):
    return STORE / key[:2] / f"{key}.npz"


def keep(path, key):
    """Give a finished artifact its second name; where the file system has no hard links, it has none."""
    with contextlib.suppress(OSError):
        place(key).parent.mkdir(parents=True, exist_ok=True)
        place(key).unlink(missing_ok=True)
        os.link(path, place(key))


def drop_copies(path, key):
    """Forget the second name of an artifact that was copied to `path` on another disk: one copy is enough."""
    with contextlib.suppress(OSError):
        if not place(key).samefile(path):
            place(key).unlink()


def take(key, path):
    """Put the artifact of a key to `path`, where nothing is; returns whether there was a sound one."""
    try:
        artifacts.load(place(key))
        os.link(place(key), path)
    except OSError:  # none is there, or a file system without links has been put in between
        return False
    except artifacts.ArtifactError as error:
        print(f"made anew: {error}")
        place(key).unlink(missing_ok=True)
        return False
    return True


def prune():
    """Remove what has no other name any more."""
    for file in STORE.glob("*/*.npz"):
        with contextlib.suppress(FileNotFoundError):
            if file.stat().st_nlink == 1:
                file.unlink()
