"""What a reader must know of models that are trained like a given one, by what was observed of it and of them."""

from collections.abc import Sequence

import numpy as np

from lmia.attacks.observations import Compared, Confidences, Observations
from lmia.evaluation.flags import references_flag


def flag_of(observed: Observations, is_member: np.ndarray) -> str:
    """`references_flag` of what was observed of n records, "" where no references were asked.

    is_member: bools (n,), of the model; where all are False, references are compared on records without them alone.
    """
    if not isinstance(observed, Compared):
        return ""
    are_right = observed.reference_labels == observed.classes[:, None]
    return references_flag(observed.labels == observed.classes, are_right, observed.is_in, is_member)


def flag_of_shadows(
    target: Observations, shadows: Sequence[Observations], is_in: Sequence[np.ndarray], is_member: np.ndarray
) -> str:
    """The like of shadows of a given model, which were asked about the same n records.

    is_in: bools (n,) for each shadow; is_member: bools (n,), of the target.
    """
    are_right = np.stack([_is_right(shadow) for shadow in shadows], axis=1)
    return references_flag(_is_right(target), are_right, np.stack(is_in, axis=1), is_member)


def _is_right(observed: Observations) -> np.ndarray:
    """Whether the model gives each unmodified record its class, bools (n,)."""
    features = observed.features()
    if isinstance(observed, Confidences):
        return features[:, 0] >= features[:, 1]  # the true class's, and the largest other one
    return features[:, 0] > 0  # of distances too, which are 0 where the label is wrong
