"""Decisions of an attack on the points of one target, from its scores and the target's membership."""

from collections.abc import Iterator

import numpy as np

from lmia.evaluation.paper_comparison import Decisions


def decisions(
    scored: dict[str, np.ndarray], members: np.ndarray, setting: str, of_model: bool = False
) -> Iterator[Decisions]:
    """The `Decisions` of one attack in one setting, for each seed of a block.

    Args:
        scored: arrays of an artifact of scores.
        members: ids (s, m) of the target's members, for each seed.
        setting: one of the attack's.
        of_model: the scores are the gap attack's, and what counts is how often the model is right on non-members.
    """
    v = scored["settings"].tolist().index(setting)
    columns = (scored["scores"][:, v], scored["thresholds"][:, v], scored["example_ids"], scored["queries"][:, v])
    for scores, threshold, ids, queries, inside in zip(*columns, members, strict=True):
        is_member = np.isin(ids, inside)
        if of_model:  # scores are 1 where the label is right; the threshold may be that of a constant rule
            outside = ~is_member
            yield Decisions(scores[outside] == 1, is_member[outside], ids[outside], 1.0)
        else:
            yield Decisions((scores >= threshold) == is_member, is_member, ids, float(queries))
