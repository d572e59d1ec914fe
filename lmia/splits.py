"""Who is a member of what: the only place where membership lives."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lmia.streams import stream

PARTS = ("target_members", "target_nonmembers", "shadow_members", "shadow_nonmembers")


@dataclass(frozen=True)
class Split:
    """Four blocks of example ids (int64, each of shape (n,)) into one pooled data set; a role's two are disjoint."""

    target_members: np.ndarray
    target_nonmembers: np.ndarray
    shadow_members: np.ndarray
    shadow_nonmembers: np.ndarray

    def members(self, role: str) -> np.ndarray:
        """Ids of the examples that the model of this role ("target" or "shadow") is trained on, shape (n,)."""
        return getattr(self, f"{role}_members")

    def nonmembers(self, role: str) -> np.ndarray:
        """Ids of equally many examples that this role's model never sees in training, shape (n,)."""
        return getattr(self, f"{role}_nonmembers")

    def evaluated(self, role: str) -> np.ndarray:
        """Ids of both kinds, sorted so that their order tells nothing of membership, shape (2n,)."""
        return np.sort(np.concatenate([self.members(role), self.nonmembers(role)]))

    def is_member(self, role: str, example_ids: np.ndarray) -> np.ndarray:
        """Membership of each id in the training set of this role's model, bool, shape of `example_ids`."""
        return np.isin(example_ids, self.members(role))


def draw_halves(n_available: int, n_train: int, seed: int) -> Split:
    """Draw two disjoint blocks of `n_train` ids: each role is trained on what are the other's non-members.

    As the paper splits CIFAR-100, to train on half of all images. Target and shadow are then no longer independent:
    the shadow has learned the target's non-members.

    Raises ValueError where the pool is too small for two disjoint blocks.
    """
    one, other = _draw_blocks(n_available, [n_train, n_train], seed)
    return Split(one, other, other, one)


def draw_split(n_available: int, n_train: int, seed: int, shadow: int = 0, n_nonmembers: int | None = None) -> Split:
    """Draw four disjoint blocks of ids uniformly out of `n_available` pooled examples.

    Args:
        n_available: examples in the pool.
        n_train: members of each role.
        seed: int >= 0, of the draw.
        shadow: number of the shadow model. The target's blocks are the same for each; shadows share the rest of the
            pool, from which number 0 has the next two blocks and every other a draw of its own.
        n_nonmembers: non-members of each role; None: as many as members.

    The paper's released code takes four consecutive blocks of the pooled data; a seeded permutation comes
    first here, so that seeds differ and the order of the data set does not matter.

    Raises ValueError where the pool is too small for four disjoint blocks.
    """
    role = [n_train, n_train if n_nonmembers is None else n_nonmembers]
    return Split(*_draw_blocks(n_available, role + role, seed, shadow))


def draw_roles(
    scheme: str, n_available: int, n_train: int, seeds: Sequence[int], shadow: int = 0, n_nonmembers: int | None = None
) -> list[Split]:
    """The split of each seed. scheme: "halves" for `draw_halves`, "disjoint" for `draw_split`; the rest as there."""
    if scheme == "halves":
        return [draw_halves(n_available, n_train, seed) for seed in seeds]
    return [draw_split(n_available, n_train, seed, shadow, n_nonmembers) for seed in seeds]


def draw_pool(models: Iterable[int], n: int, seed: int) -> np.ndarray:
    """Which of n examples models of a pool are trained on, bools (s, n), one row for each of `models`, numbers from 0.

    Models 2p and 2p + 1 are a pair: a fair coin puts each example into the training set of one of the two, with the
    coins of a pair depending on nothing else. seed: int >= 0, of the pool.
    """
    heads = {pair: stream(seed, "coins of a pair", pair).random(n) < 0.5 for pair in {model // 2 for model in models}}
    return np.stack([heads[model // 2] ^ (model % 2 == 1) for model in models])


def _draw_blocks(n_available: int, sizes: list[int], seed: int, shadow: int = 0) -> list[np.ndarray]:
    if min(sizes) < 1:
        raise ValueError(f"n_train, n_nonmembers: expected at least 1, got {min(sizes)}")
    if sum(sizes) > n_available:
        raise ValueError(
            f"n_train: disjoint splits of {', '.join(map(str, sizes))} need {sum(sizes)} examples, the data set has "
            f"{n_available}; lower n_train or n_nonmembers"
        )
    order = np.random.default_rng([seed, 0x5B117]).permutation(n_available)
    if shadow:
        np.random.default_rng([seed, 0x5B117, shadow]).shuffle(order[sizes[0] + sizes[1] :])
    return [np.sort(block) for block in np.split(order[: sum(sizes)], np.cumsum(sizes)[:-1])]


def role_parts(role: str) -> tuple[str, int]:
    """("target" or "shadow", number of the shadow): "shadow3" is ("shadow", 3), "target" is ("target", 0)."""
    return ("target", 0) if role == "target" else ("shadow", int(role.removeprefix("shadow")))
