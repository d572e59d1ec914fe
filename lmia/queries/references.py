"""Models like the one that is asked, each trained on a random part of the data: what they say of the same records.

Which records a reference is trained on is drawn without a look at whose they are.
"""

import math
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
    same: np.ndarray,
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
        same: Ints (N,), equal where inputs are: who was trained on a record's twin was trained on the record.
        asked: Ids (n,) of the records to ask about.
        n_train: Records that each is trained on, about; half of them all where there are fewer than twice as many. Of
            each class there is the same share.
        n_references: How many models.
        seed: Of the draws, int >= 0.
        journal: Of the finished references; None for none.

    Returns (labels ints (n, r), bools (n, r): whether a reference was trained on the record).
    """
    journal, share, columns = journal or Journal(), min(n_train / len(inputs), 0.5), []
    for number in tqdm(range(n_references), desc="references"):
        draw, part = stream(seed, "records of a reference", number), journal.part(f"reference {number}")
        rows = _part(draw.permutation(len(inputs)), classes, share)
        if not (kept := part.get()):
            model = train(inputs[rows], classes[rows], int(draw.integers(2**31)))
            oracle = LabelOracle(model, len(asked), budget=1)
            labels = oracle(torch.from_numpy(inputs[asked]), np.arange(len(asked))).cpu().numpy()
            kept = part.finish({"labels": labels})
        columns.append((kept["labels"], np.isin(same[asked], same[rows])))
    labels, is_in = zip(*columns, strict=True)
    return np.stack(labels, axis=1), np.stack(is_in, axis=1)


def _part(order: np.ndarray, classes: np.ndarray, share: float) -> np.ndarray:
    """Ids of a share of each class, at least one, ascending. order: all ids (N,), as they are taken one by one."""
    own = [order[classes[order] == number] for number in np.unique(classes)]
    return np.sort(np.concatenate([ids[: math.ceil(share * len(ids))] for ids in own]))


def told(labels: np.ndarray, is_in: np.ndarray, classes: np.ndarray) -> Sequence[float]:
    """How often references are right on records that they were trained on, and on others."""
    right = labels == classes[:, None]
    return [float(right[of].mean()) if of.any() else float("nan") for of in (is_in, ~is_in)]
