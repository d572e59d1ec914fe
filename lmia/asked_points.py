"""Which points a model is asked about, and which others an attacker has: ids of the pooled data set."""

import numpy as np

from lmia.streams import stream

MAX_STARTING_POINTS = 2000  # among which boundary searches start


def evaluated_ids(members: np.ndarray, nonmembers: np.ndarray, seed: int, limit: int | None = None) -> np.ndarray:
    """Members and equally many non-members that a model is asked about, ascending: their order tells nothing.

    members, nonmembers: ids (n,), (m,) of the model's role; limit: at most so many of each, None for all that there are
    as many of. Drawn by the seed, the same for every query set; more points include fewer. Returns ids (2k,); where no
    member is known, ids (k,) of non-members alone.
    """
    draw = stream(seed, "evaluated points")
    fewest = min(len(members) or len(nonmembers), len(nonmembers))
    n = min(limit or fewest, fewest)
    return np.sort(np.concatenate([draw.permutation(part)[:n] for part in (members, nonmembers)]))


def evaluated_pool_ids(examples: np.ndarray, pool: int, limit: int | None = None) -> np.ndarray:
    """The examples of a pool that all its models are asked about, ascending, whoever was trained on them.

    examples: ids (n,), ascending; limit: at most twice so many, None for all. Drawn by the number of the pool; more
    points include fewer. Returns ids (k,).
    """
    if limit is None:
        return examples
    return np.sort(in_order_of_evaluation(examples, pool)[: 2 * limit])


def in_order_of_evaluation(examples: np.ndarray, pool: int) -> np.ndarray:
    """The examples of a pool, ids (n,), ascending, in the order in which they are asked about where not all are."""
    return stream(pool, "evaluated points").permutation(examples)


def starting_ids(n_available: int, asked: np.ndarray, members: np.ndarray, seed: int) -> np.ndarray:
    """Points that the attacker has besides those that are asked about, where boundary searches may start, ascending.

    asked, members: ids that are not among them; the seed draws MAX_STARTING_POINTS of those that are left out of
    `n_available`. Returns ids (k,), none where nothing is left.
    """
    others = np.setdiff1d(np.arange(n_available), np.concatenate([asked, members]))
    return np.sort(stream(seed, "pool of starting points").permutation(others)[:MAX_STARTING_POINTS])


def population_ids(n_available: int, members: np.ndarray, nonmembers: np.ndarray, seed: int, n: int) -> np.ndarray:
    """Points of the same population as those that are audited, and none of them, ascending.

    members, nonmembers: ids of the model's role, which are not among them, asked about or not; the seed draws n of the
    rest of `n_available`, and more include fewer. Returns ids (n,). Raises ValueError where fewer are left.
    """
    others = np.setdiff1d(np.arange(n_available), np.concatenate([members, nonmembers]))
    if n > len(others):
        raise ValueError(
            f"population: expected at most {len(others)}, the points beside members and non-members, got {n}; ask for "
            "fewer, or train on less of the data set"
        )
    return np.sort(stream(seed, "population").permutation(others)[:n])
