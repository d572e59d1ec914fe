"""Names of true-positive rates at a false-positive rate, as the column `metric` has them: tpr_at_0.01_fpr."""

import re

PATTERN = re.compile(r"tpr_at_(\d*\.?\d+(?:e-\d+)?)_fpr")


def tpr_name(fpr: float) -> str:
    """The name of the true-positive rate at this false-positive rate, in (0, 1)."""
    return f"tpr_at_{fpr:g}_fpr"


def fpr_of(metric: str) -> float | None:
    """The false-positive rate in a name that `tpr_name` gives, None in another metric's."""
    found = PATTERN.fullmatch(metric)
    return float(found[1]) if found else None
