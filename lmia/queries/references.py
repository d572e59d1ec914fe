"""Models like the one that is asked, each trained on a random part of the data: what they say of the same records.

Which records a reference is trained on is drawn without a look at whose they are.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from tqdm import tqdm

from lmia.journal import Journal
from lmia.queries.oracle import LabelOracle
from lmia.streams import stream


def ask_references(
    train: Callable[[np.ndarray, np.ndarray, int], torch.nn.Module],
    inputs: np.ndarray,
    classes: np.ndarray,
    asked: np.ndarray,
    n_train: int,
    n_references: int,
    seed: int,
    journal: Journal | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Train references, and ask each about the same records.

    Args:
        train: (inputs (m, *shape), classes (m,), seed) -> a model of them, see `LabelOracle`.
        inputs: Float32 (N, *shape) in [0, 1], all that there is to train on.
        classes: Ints (N,).
        asked: Ids (n,) of the records to ask about.
        n_train: Records that each is trained on; half of them all where there are fewer than twice as many.
        n_references: How many models.
        seed: Of the draws, int >= 0.
        journal: Of the finished references; None for none.

    Returns (labels ints (n, r), bools (n, r): whether a reference was trained on the record).
    """
    journal, size, columns = journal or Journal(), min(n_train, len(inputs) // 2), []
    for number in tqdm(range(n_references), desc="references"):
        draw, part = stream(seed, "records of a reference", number), journal.part(f"reference {number}")
        rows = np.sort(draw.permutation(len(inputs))[:size])
        if not (kept := part.get()):
            model = train(inputs[rows], classes[rows], int(draw.integers(2**31)))
            oracle = LabelOracle(model, len(asked), budget=1)
            labels = oracle(torch.from_numpy(inputs[asked]), np.arange(len(asked))).cpu().numpy()
            kept = part.finish({"labels": labels})
        columns.append((kept["labels"], np.isin(asked, rows)))
    labels, is_in = zip(*columns, strict=True)
    return np.stack(labels, axis=1), np.stack(is_in, axis=1)


def told(labels: np.ndarray, is_in: np.ndarray, classes: np.ndarray) -> Sequence[float]:
    """How often references are right on records that they were trained on, and on others."""
    right = labels == classes[:, None]
    return [float(right[of].mean()) if of.any() else float("nan") for of in (is_in, ~is_in)]
