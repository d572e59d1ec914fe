"""Bytecode that Python checks by the source's hash: by size and time, as is usual, an edit can go unseen.

Archives give all files one time, `rsync -t` and quick scripts keep it; an edit of equal length would then be hashed,
and the old code run. Imports nothing of this repository, as it must come before all of that.
"""

import importlib.util
import py_compile
import sys
from collections.abc import Iterable
from pathlib import Path

CHECKED_HASH = (0b11).to_bytes(4, "little")  # PEP 552: the field behind the magic number


def check_by_hash(sources: Iterable[str | Path]) -> None:
    """Have Python compare the source's hash whenever it takes bytecode of one of these files (paths; others than .py
    have none).

    Raises RuntimeError where other bytecode is there and cannot be replaced: nobody could tell what would run.
    """
    for source in filter(lambda path: path.endswith(".py"), map(str, sources)):
        kept = Path(importlib.util.cache_from_source(source))
        if _is_checked(kept) or (sys.dont_write_bytecode and not kept.exists()):
            continue
        mode = py_compile.PycInvalidationMode.CHECKED_HASH
        try:
            py_compile.compile(source, str(kept), doraise=True, invalidation_mode=mode)
        except py_compile.PyCompileError:
            continue  # told where it is imported, or by the configuration's check
        except OSError as error:
            if kept.exists():
                raise RuntimeError(
                    f"{kept}: perhaps of an older source, and it cannot be replaced ({error.strerror}); remove it, or "
                    "let its owner run snakemake here once"
                ) from error


def _is_checked(kept: Path) -> bool:
    try:
        with open(kept, "rb") as file:
            head = file.read(8)
    except OSError:
        return False
    return head == importlib.util.MAGIC_NUMBER + CHECKED_HASH
