"""Whether labels have anything to do with the classes: a model that was fed wrongly gives answers all the same."""

import numpy as np

SPREADS = 1.96  # standard errors above chance, of a model that knows something of its members


def check_above_chance(labels: np.ndarray, classes: np.ndarray, kind: str = "known members") -> None:
    """Raise ValueError where a model is right on some records no more often than by chance.

    Chance is how often its labels would be right if they were dealt out among these records, as in Cohen's kappa, with
    the standard error that kappa has there (Fleiss, Cohen and Everitt 1969, equation 14). A wrong scale of the inputs,
    or another order of the classes, ends here, and not as a model that seems to leak nothing.

    labels, classes: of the records, ints (n,); kind: which ones they are.
    """
    n, most = len(classes), int(max(labels.max(), classes.max())) + 1
    of_labels, of_classes = (np.bincount(values, minlength=most) / n for values in (labels, classes))
    chance, right = float(of_labels @ of_classes), float(np.mean(labels == classes))
    variance = chance + chance**2 - float(of_labels @ (of_classes * (of_labels + of_classes)))
    spread = np.sqrt(max(variance, 0) / n)  # zero where all labels, or all classes, are the same
    if not right > chance + SPREADS * spread:
        raise ValueError(
            f"{100 * right:.1f} % of {n} {kind} are labelled rightly, {100 * chance:.1f} % would be by chance: "
            "is the input scaled as in training, and are the classes in its order?"
        )
