"""Who is a member of what: the only place where membership lives."""

from dataclasses import dataclass

import numpy as np

PARTS = ("target_members", "target_nonmembers", "shadow_members", "shadow_nonmembers")


@dataclass(frozen=True)
class Split:
    """Four pairwise disjoint blocks of example ids (int64, each of shape (n,)) into one pooled data set."""

    target_members: np.ndarray
    target_nonmembers: np.ndarray
    shadow_members: np.ndarray
    shadow_nonmembers: np.ndarray

    def members(self, role):
        """Ids of the examples that the model of this role ("target" or "shadow") is trained on, shape (n,)."""
        return getattr(self, f"{role}_members")

    def nonmembers(self, role):
        """Ids of equally many examples that this role's model never sees in training, shape (n,)."""
        return getattr(self, f"{role}_nonmembers")

    def evaluated(self, role):
        """Ids of both kinds, sorted so that their order tells nothing of membership, shape (2n,)."""
        return np.sort(np.concatenate([self.members(role), self.nonmembers(role)]))

    def is_member(self, role, example_ids):
        """Membership of each id in the training set of this role's model, bool, shape of `example_ids`."""
        return np.isin(example_ids, self.members(role))


def draw_split(n_available, n_train, seed, shadow=0):
    """Draw four disjoint blocks of `n_train` ids uniformly out of `n_available` pooled examples.

    The paper's released code takes four consecutive blocks of the pooled data; a seeded permutation comes
    first here, so that seeds differ and the order of the data set does not matter.

    shadow: number of the shadow model. The target's blocks are the same for each; shadows share the rest of the
    pool, from which number 0 has the next two blocks and every other a draw of its own.

    Raises ValueError where the pool is too small for four disjoint blocks.
    """
    if n_train < 1:
        raise ValueError(f"n_train: expected at least 1, got {n_train}")
    if 4 * n_train > n_available:
        raise ValueError(
            f"n_train: four disjoint splits of {n_train} need {4 * n_train} examples, the data set has "
            f"{n_available}; use n_train <= {n_available // 4}"
        )
    order = np.random.default_rng([seed, 0x5B117]).permutation(n_available)
    if shadow:
        np.random.default_rng([seed, 0x5B117, shadow]).shuffle(order[2 * n_train :])
    blocks = order[: 4 * n_train].reshape(4, n_train)
    return Split(*(np.sort(block) for block in blocks))
