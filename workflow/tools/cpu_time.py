"""CPU time of jobs, by the files that Snakemake's `benchmark:` directives leave."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd


def cpu_seconds(files: Iterable[Path]) -> float:
    """What these jobs took together. Snakemake samples, so a job of under half a second counts as 0."""
    spent = [pd.read_csv(file, sep="\t", na_values=["-", "NA"])["cpu_time"].iloc[0] for file in files]
    return float(np.nansum(spent))
