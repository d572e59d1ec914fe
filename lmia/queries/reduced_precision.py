"""Reduced precision that is safe: where it changes too many labels, everything is asked again in full.

With `lmia.queries.oracle.AUTO` that does not happen, as labels are those of float32 but for what no audit has found.

Answers in different precisions are never scored together: `lmia.attacks.observation_files.check_precision`.
"""

from collections.abc import Callable
from typing import Any, TypeVar

Answers = TypeVar("Answers")

MAX_DISAGREEMENT = 0.05  # share of labels; what is found depends on how near to the boundary queries lie


def in_precision(
    ask: Callable[[str], tuple[Answers, float | None]], precision: str, most_disagreement: float = MAX_DISAGREEMENT
) -> tuple[Answers, dict[str, Any]]:
    """Ask in one precision, and in float32 where that proves wrong: (answers, provenance).

    ask: a function precision -> (answers, disagreement as `LabelOracle` finds it, None for none); precision: a name in
    `lmia.queries.oracle.PRECISIONS`, or its `AUTO`; most_disagreement: largest share of changed labels that is
    accepted, in [0, 1].
    The provenance has the "precision" that the answers are of, and the "disagreement" found with the reduced one.
    """
    answers, disagreement = ask(precision)
    if disagreement is not None and disagreement > most_disagreement:
        precision = "float32"
        answers, _ = ask(precision)
    return answers, {"precision": precision, "disagreement": disagreement}
