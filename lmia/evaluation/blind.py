"""Whether members and non-members can be told apart without the model that is judged by them."""

from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split

from lmia.evaluation.intervals import Interval, evaluate
from lmia.evaluation.metrics import auc
from lmia.streams import stream

MOST = 2000  # members, and non-members, that are looked at
FEATURES, COMPONENTS = 256, 50  # more features are taken together into so many components
ROWS = 1024  # features of a row, of which trees see each as well
CATEGORIES = 255  # that trees of scikit-learn can tell from numbers
RESAMPLES = 1000
PERMUTATIONS = 999


def blind_auc(inputs: np.ndarray, classes: np.ndarray, is_member: np.ndarray, seed: int = 0) -> Interval:
    """AUC of a classifier that sees inputs and classes alone, and no model, with its 95 % interval over examples.

    Trees learn from one half of the examples and are judged on the other: scores of several folds depend on each other,
    and their intervals exclude one half six times as often as they should. One half is what members and non-members of
    one population give; more says that the two sets differ by themselves, and what an attack finds may be that.

    Args:
        inputs: floats (n, *shape). Of rows (n, f), each of up to ROWS features is seen by itself, whatever the others
            are; of wider rows, and of images of more than FEATURES numbers, components alone are.
        classes: ints (n,).
        is_member: bools (n,), at least two of each kind.
        seed: of the halves, and of those that are looked at where there are more than MOST.
    """
    return evaluate(*blind_scores(inputs, classes, is_member, seed), 0.0, [], RESAMPLES, seed)["auc"]


def permutation_test(scores: np.ndarray, is_member: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """(AUC, share of permuted memberships whose AUC is as high) of scores (n,): right for any number of either kind.

    A bootstrap of five members excludes one half from below twice as often as it says.
    """
    draw, of_score = stream(seed, "permutations of a blind classifier"), np.unique(scores, return_inverse=True)[1]
    counts = np.bincount(of_score)
    ranks = (np.cumsum(counts) - counts / 2)[of_score]  # the middle of those that are tied
    n = int(is_member.sum())
    own = ranks[is_member].sum()
    others = np.array([draw.permutation(ranks)[:n].sum() for _ in range(PERMUTATIONS)])
    as_high = int(np.sum(others >= own - 1e-6))
    return auc(scores, is_member), (1 + as_high) / (1 + PERMUTATIONS)


def blind_scores(
    inputs: np.ndarray, classes: np.ndarray, is_member: np.ndarray, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """(scores (m,), is_member (m,)) of the half on which trees are judged: see `blind_auc`."""
    draw = stream(seed, "a blind classifier")
    kept = [draw.permutation(np.flatnonzero(is_member == kind))[:MOST] for kind in (True, False)]
    rows = np.sort(np.concatenate(kept))
    features = inputs[rows].reshape(len(rows), -1)
    if features.shape[1] > FEATURES:
        state = int(draw.integers(2**31))
        components = min(COMPONENTS, len(rows))
        together = PCA(components, svd_solver="randomized", random_state=state).fit_transform(features)
        is_narrow = inputs.ndim == 2 and features.shape[1] <= ROWS  # what is small beside others is in no component
        features = np.column_stack([features, together]) if is_narrow else together
    is_category = np.arange(features.shape[1] + 1) == features.shape[1] if classes.max() < CATEGORIES else None
    features = np.column_stack([features, classes[rows]])
    options: dict[str, Any] = {"early_stopping": False, "categorical_features": is_category}
    trees = HistGradientBoostingClassifier(**options)
    state = int(draw.integers(2**31))
    learned, judged, known, truth = train_test_split(
        features, is_member[rows], test_size=0.5, stratify=is_member[rows], random_state=state
    )
    return trees.fit(learned, known).decision_function(judged), np.asarray(truth)
