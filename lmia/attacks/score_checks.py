"""What attacks and calibrations give, checked: those of a user's own may give anything."""

from typing import Any

import numpy as np


class BadScores(ValueError):
    """An attack or a calibration gave something else than its kind gives: its mistake, and that of no other code."""


def check_fitted(attack: Any) -> Any:
    """What `fit` of an attack gave. Raises BadScores where that is no attack, as None is."""
    if not hasattr(attack, "score"):
        raise BadScores(f"fit: expected the attack itself, got {type(attack).__name__}; end it with `return self`")
    return attack


def check_scores(method: str, scores: Any, n: int) -> np.ndarray:
    """Scores of n examples as floats (n,).

    method: what gave them, for the message. Raises BadScores for another shape, for NaN, which has no place in an
    order, and for what are no numbers. Infinite ones have a place: that of a distance beyond all that was searched.
    """
    try:
        found, reason = np.asarray(scores), ""
    except (TypeError, ValueError, RuntimeError) as error:  # of rows of several lengths, or of a tensor on a GPU
        found, reason = np.array(None), f" ({str(error).partition(chr(10))[0]})"
    if found.dtype.kind not in "fiub":
        came = f"a {type(scores).__name__} that is no array of numbers of numpy's{reason}"
    elif found.shape != (n,):
        came = f"shape {found.shape}"
    elif np.isnan(found).any():
        came = f"{int(np.isnan(found).sum())} NaN"
    else:
        return found if found.dtype.kind == "f" else found.astype(float)
    raise BadScores(
        f"{method}: expected one score for each of {n} examples, shape ({n},), finite or infinite, got {came}; mend it"
    )
