"""LDL (Rajabi et al. 2023): training as it is, and labels by a vote over noisy copies of what is asked."""

from lmia.defenses import base
from lmia.models.voting import COPIES, SIGMA


class Defense(base.Defense):
    """Every answer is what most noisy copies of the input get, for accuracies and for all who ask.

    The authors draw copies anew for each query; here the same noise serves all queries, so that nobody averages it out
    by asking again.

    Args:
        sigma: > 0, standard deviation of the noise, in units of the range that inputs lie in.
        copies: that vote.
    """

    graphable = True

    def __init__(self, sigma: float, copies: int = 25):
        self._sigma, self._copies = sigma, copies

    def report(self) -> dict[str, float]:
        """How it votes, which is kept with the model and makes it answer so (`lmia.models.voting`)."""
        return {COPIES: self._copies, SIGMA: self._sigma}
