"""Whose fault an error is: what plug-ins and data files raise is told as one line, by the entry that names them."""

import contextlib
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path

from workflow.harness.fingerprint import ROOT
from workflow.harness.job import BadInput

PACKAGES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


@contextlib.contextmanager
def bad_input(key: str) -> Iterator[None]:
    """Blame what the body raises on the entry `key` of the configuration: the body handles only what users give."""
    try:
        yield
    except Exception as error:
        raise BadInput(f"{key}: {_told(error)}") from error


def _told(error: Exception) -> str:
    """The message of an error; of one that says no more than what failed, also its type, and a plug-in's line."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(PACKAGES)]
    file = Path(frames[-1].filename)
    if any(file.is_relative_to(ROOT / ours) for ours in ("lmia", "workflow", ".snakemake")):
        return str(error) if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: {error}"
    shown = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
    return f"{type(error).__name__}: {error} ({shown}, line {frames[-1].lineno})"
