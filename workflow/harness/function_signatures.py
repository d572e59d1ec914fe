"""The parameters of rules' functions, looked up once for each: Snakemake (9.27) asks for them 30 times a job.

That is a sixth of a plan's time.
"""

import functools
import inspect
import types
from typing import Any

import snakemake.common


def install() -> None:
    """Keep what this process has found out about a function; another Snakemake may look it up in another way."""
    common: Any = snakemake.common
    if getattr(common, "inspect", None) is inspect:
        known = functools.cache(inspect.signature)
        common.inspect = types.SimpleNamespace(**{**vars(inspect), "signature": known})
