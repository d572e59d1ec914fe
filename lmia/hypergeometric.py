"""The tail of the hypergeometric distribution, of Fisher's exact test of two shares."""

import numpy as np
from scipy import special


def tail(hits: int, drawn: int, marked: int, among: int) -> float:
    """Probability that of `drawn` out of `among`, `marked` of which are marked, `hits` or more are marked."""
    n = np.arange(max(hits, drawn + marked - among), min(drawn, marked) + 1)
    ways = _log_ways(marked, n) + _log_ways(among - marked, drawn - n) - _log_ways(among, drawn)
    return float(np.exp(ways).sum())


def _log_ways(n: int, k: np.ndarray | int) -> np.ndarray:
    return special.gammaln(n + 1) - special.gammaln(np.add(k, 1)) - special.gammaln(np.subtract(n, k) + 1)
