"""Who is a member of what: the only place where membership lives."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lmia.split_rows import padded
from lmia.streams import stream

MIN_KNOWN = 50  # members of a given model, and non-members: one half of each teaches, and the other is judged
KINDS = ("members", "non-members")  # of what is known of a given model
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


def draw_block(
    scheme: str,
    n_available: int,
    n_train: int,
    seeds: Sequence[int],
    role: str,
    n_nonmembers: int | None = None,
    pool: int = 0,
) -> dict[str, np.ndarray]:
    """Members and non-members of one role for each seed of a block: arrays of an artifact of splits.

    Args:
        scheme: "disjoint" for `draw_split`, "halves" for `draw_halves`, "pool" for `draw_pool` with seeds as models.
        n_available: examples in the data set.
        n_train: members of each model; of a pool, the number that is expected: it audits twice as many examples.
        seeds: of the block.
        role: "target", or "shadow0" and so on; pools have targets, and "surrogate0" and so on: see `draw_surrogate`.
        n_nonmembers: see `draw_split`.
        pool: int >= 0, which pool, of scheme "pool".

    Returns members (s, n) and nonmembers (s, m), ids ascending. Models of a pool differ in how many they have: rows end
    in -1 where they are shorter than the longest, see `lmia.split_rows.ids_of`.

    Raises ValueError where the data set is too small.
    """
    if role.startswith("surrogate"):
        parts = [draw_surrogate(n_available, n_train, pool, int(role.removeprefix("surrogate")))]
    elif scheme == "pool":
        examples = draw_examples(n_available, 2 * n_train, pool)
        parts = [(examples[is_in], examples[~is_in]) for is_in in draw_pool(seeds, len(examples), pool)]
    else:
        kind, shadow = role_parts(role)
        splits = [
            draw_halves(n_available, n_train, seed)
            if scheme == "halves"
            else draw_split(n_available, n_train, seed, shadow, n_nonmembers)
            for seed in seeds
        ]
        parts = [(split.members(kind), split.nonmembers(kind)) for split in splits]
    members, nonmembers = zip(*parts, strict=True)
    return {"members": padded(members), "nonmembers": padded(nonmembers)}


def known_split(
    membership: np.ndarray, same: np.ndarray, kinds: Sequence[str] = KINDS
) -> tuple[np.ndarray, np.ndarray, int]:
    """Members and non-members of a model that exists, where somebody knows them.

    Args:
        membership: int8 (n,), 1 for what it was trained on, 0 for what it was not, and -1 where nobody knows.
        same: ints (n,), equal where inputs are, see `lmia.data.equal_inputs`.
        kinds: which of KINDS there have to be; of the others none are taken, as few would teach nothing.

    Returns (ids of members, of non-members, number of known examples that are left out). Left out is what is among the
    members and among the non-members: no attack can tell them apart, and whoever has them in both was mistaken in one.
    So are all but the first of equal examples of one kind, or one would be judged by what its twin has taught.

    Raises ValueError where fewer than MIN_KNOWN of a kind are left.
    """
    both = np.intersect1d(same[membership == 1], same[membership == 0])
    clear = [np.flatnonzero((membership == kind) & ~np.isin(same, both)) for kind in (1, 0)]
    members, nonmembers = (ids[np.sort(np.unique(same[ids], return_index=True)[1])] for ids in clear)
    n_left_out = int((membership >= 0).sum()) - len(members) - len(nonmembers)
    for kind, ids in zip(KINDS, (members, nonmembers), strict=True):
        if kind in kinds and len(ids) < MIN_KNOWN:
            left = f", once {n_left_out} are left out whose inputs are those of another" if n_left_out else ""
            raise ValueError(
                f"membership: {len(ids)} known {kind}{left}: too few for one half to judge the other; at least "
                f"{MIN_KNOWN} of each kind are needed"
            )
    members, nonmembers = (
        ids if kind in kinds else ids[:0] for kind, ids in zip(KINDS, (members, nonmembers), strict=True)
    )
    return members, nonmembers, n_left_out


def draw_in_question(membership: np.ndarray, same: np.ndarray, seed: int, limit: int) -> tuple[np.ndarray, int]:
    """Records of which nobody knows whether a given model was trained on them, and which are judged too.

    Args:
        membership: As `known_split` has it.
        same: The like.
        seed: Int >= 0, of the draw; more records include fewer.
        limit: At most so many.

    Returns (ids (n,), ascending, number of unknown examples that are left out). Left out are those with the inputs of a
    known example: whoever was trained on its twin was trained on it.

    Raises ValueError where none is left.
    """
    unknown = membership < 0
    ids = np.flatnonzero(unknown & ~np.isin(same, same[~unknown]))
    n_left_out = int(unknown.sum()) - len(ids)
    if not len(ids):
        raise ValueError(
            f"membership: expected records in question, as -1 or nothing marks them, got none, once {n_left_out} are "
            "left out whose inputs are those of a known one"
        )
    return np.sort(stream(seed, "records in question").permutation(ids)[:limit]), n_left_out


def draw_shadow(
    judged: np.ndarray, classes: np.ndarray, same: np.ndarray, n_train: int, seed: int, number: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Records that a shadow of a given model is trained on, and others: it is asked what the given model is asked.

    Half of the records that the given model is judged by are the shadow's members, as many of each class as of the
    others but for one. Which ones is drawn without a look at whether the given model was trained on them, so that a
    rule that the shadow teaches has not seen that of any record. That the shadow knows a record which its rule judges
    later tells nothing of it: it does so of every other one, members of the given model and others alike.

    Args:
        judged: Ids (2n,).
        classes: Ints (N,), of the whole data set.
        same: Ints (N,), equal where inputs are.
        n_train: Members of the given model. The shadow has as many, or half of all records where that is less: those
            beside its half of `judged` are drawn from all that have no twin there, and are asked about by nobody.
        seed: Of the study, int >= 0.
        number: Of the shadow.

    Returns (members (n,), non-members (n,), others that it is trained on (k,)), ids ascending.
    """
    draw = stream(seed, "records of a shadow", number)
    order, coin = _by_class(draw.permutation(judged), classes), int(draw.integers(2))
    members, nonmembers = order[coin::2], order[1 - coin :: 2]
    rest = _by_class(draw.permutation(np.flatnonzero(~np.isin(same, same[judged]))), classes)
    n_more = min(max(min(n_train, len(classes) // 2) - len(members), 0), len(rest))
    others = rest[np.linspace(0, len(rest), n_more, endpoint=False).astype(int)]
    return np.sort(members), np.sort(nonmembers), np.sort(others)


def _by_class(order: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Ids, class by class, in the order within each class in which they come."""
    return order[np.argsort(classes[order], kind="stable")]


def draw_examples(n_available: int, n: int, pool: int) -> np.ndarray:
    """Ids of the n examples that a pool audits, ascending, out of `n_available`.

    Raises ValueError where there are not as many.
    """
    if n > n_available:
        raise ValueError(
            f"n_train: a pool of models of {n // 2} members audits {n} examples, the data set has {n_available}; "
            "lower n_train"
        )
    return np.sort(stream(pool, "examples of a pool").permutation(n_available)[:n])


def draw_surrogate(n_available: int, n_train: int, pool: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """What a surrogate is trained on, of points beside all that a pool audits, and the examples that it audits.

    A surrogate is like the models of the pool, but knows none of the examples: queries are crafted from its gradients.
    The pool's number draws its points, which surrogates may share.

    Returns (ids (n_train,), ids (2 * n_train,)), ascending. Raises ValueError where fewer than n_train are left.
    """
    examples = draw_examples(n_available, 2 * n_train, pool)
    others = np.setdiff1d(np.arange(n_available), examples)
    if len(others) < n_train:
        raise ValueError(
            f"n_train: a surrogate of {n_train} members needs as many points beside the {len(examples)} examples of "
            f"its pool, the data set has {n_available}; lower n_train"
        )
    return np.sort(stream(pool, "members of a surrogate", number).permutation(others)[:n_train]), examples


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
