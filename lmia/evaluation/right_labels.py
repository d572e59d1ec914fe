"""Whether labels have anything to do with the classes: a model that was fed wrongly gives answers all the same."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from lmia.hypergeometric import tail

SPREADS = 1.96  # standard errors above chance, of a model that knows something of its members
OTHERWISE = 5.0  # standard errors by which another order of the classes is right more often
MANY = 12  # classes, which a message does not name all
EXCHANGED = 1 / 30_000  # of sound audits, at most, have others so much more often right than members


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
    if (labels == labels[0]).all() and not right > chance:
        raise ValueError(
            f"all {n} {kind} get the label {labels[0]}, which {100 * right:.1f} % of them have: if that is what the "
            "model does, its labels tell nothing of membership; else, is the input scaled as in training?"
        )
    if not right > chance + SPREADS * spread:
        raise ValueError(
            f"{100 * right:.1f} % of {n} {kind} are labelled rightly, {100 * chance:.1f} % would be by chance: "
            "is the input scaled as in training, and are the classes in its order?"
        )


def check_order(
    labels: np.ndarray, classes: np.ndarray, names: Sequence[object] | None = None, kind: str = "known members"
) -> None:
    """Raise ValueError where a model is clearly more often right with its classes numbered in another order.

    A model whose commonest class has its right number is above chance although others are exchanged, and its members
    look like others. Each class counts alike, as a model that often errs for a rare class is in no other order. The
    order of most right labels, one to one, is found on one half of the records, and has to be right more often on the
    other, as of so many orders one always fits what it is chosen by.

    labels, classes: of the records, ints (n,); names: what each class is called; kind: which records they are.
    """
    most, weights = int(max(labels.max(), classes.max())) + 1, 1 / np.bincount(classes)[classes]
    half = np.random.default_rng(0).permutation(len(classes)) % 2 > 0  # the same in every run
    counts = np.zeros((most, most))  # of each label and class
    np.add.at(counts, (labels[half], classes[half]), weights[half])
    other = linear_sum_assignment(counts, maximize=True)[1]
    now, then = labels == classes, other[labels] == classes
    gain = (weights * (then.astype(float) - now))[~half]
    if gain.sum() > OTHERWISE * np.sqrt((gain**2).sum()):
        raise ValueError(
            f"{100 * now.mean():.1f} % of {len(now)} {kind} are labelled rightly, and {100 * then.mean():.1f} % would "
            f"be if some classes were exchanged: in which order does the model number them?{_here(names)}"
        )


def _here(names: Sequence[object] | None) -> str:
    named = [f"{number} {name}" for number, name in enumerate(names or [])]
    return f" Here they are {', '.join(named[:MANY])}{', ...' if len(named) > MANY else ''}" if named else ""


def check_not_exchanged(members: np.ndarray, others: np.ndarray) -> None:
    """Raise ValueError where a model is clearly more often right on others than on its members.

    Then the two are exchanged, or members are the harder records or the worse labelled ones. Whichever it is, an attack
    that calls what is labelled rightly a member names the wrong records. It is Fisher's exact test, as one kind may be
    far smaller than the other and nearly all may be right.

    members, others: whether a known record is labelled rightly, bools (n,) and (m,), n and m at least 1.
    """
    right = int(members.sum() + others.sum())
    if tail(int(others.sum()), len(others), right, len(members) + len(others)) < EXCHANGED:
        raise ValueError(
            f"{100 * members.mean():.1f} % of {len(members)} known members are labelled rightly, and "
            f"{100 * others.mean():.1f} % of {len(others)} known non-members: are the two exchanged? If not, members "
            "are harder, or labelled worse: give non-members that were drawn and labelled as they were"
        )
