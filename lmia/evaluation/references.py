"""What a reader must know of references, by what was observed of a given model and of them."""

import numpy as np

from lmia.attacks.observations import Compared, Observations
from lmia.evaluation.flags import references_flag


def flag_of(observed: Observations, is_member: np.ndarray) -> str:
    """`references_flag` of what was observed of n records, "" where no references were asked.

    is_member: bools (n,), of the model; where all are False, references are compared on records without them alone.
    """
    if not isinstance(observed, Compared):
        return ""
    are_right = observed.reference_labels == observed.classes[:, None]
    return references_flag(observed.labels == observed.classes, are_right, observed.is_in, is_member)
