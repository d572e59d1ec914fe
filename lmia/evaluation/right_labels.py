"""Whether labels have anything to do with the classes: a model that was fed wrongly gives answers all the same."""

import numpy as np

from lmia.evaluation.intervals import proportion


def check_above_chance(labels: np.ndarray, classes: np.ndarray) -> None:
    """Raise ValueError where a model is right on its members no more often than by chance.

    Chance is how often its labels would be right if they were dealt out among the members, as in Cohen's kappa, and the
    exact 95 % interval of how often they are right has to lie above that. A wrong scale of the inputs, or another order
    of the classes, ends here, and not as a model that seems to leak nothing.

    labels, classes: of the members, ints (n,).
    """
    n, most = len(classes), int(max(labels.max(), classes.max())) + 1
    shares = [np.bincount(values, minlength=most) / n for values in (labels, classes)]
    chance = float(shares[0] @ shares[1])
    right, low, _ = proportion(int((labels == classes).sum()), n)
    if low <= chance:
        raise ValueError(
            f"{100 * right:.1f} % of {n} known members are labelled rightly, {100 * chance:.1f} % would be by chance: "
            "is the input scaled as in training, and are the classes in its order?"
        )
