"""What the modules of each kind offer, as protocols: for readers, editors and type checkers.

It imports nothing of lmia, so that every room may import it. Nor does it import torch, as what reads answers has none:
`Tensor` and `Module` stand for torch's, and a type checker takes them for anything.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, Self, TypeAlias, runtime_checkable

import numpy as np

Tensor: TypeAlias = Any  # torch.Tensor
Module: TypeAlias = Any  # torch.nn.Module
Observations: TypeAlias = Any  # one of the classes of lmia.attacks.observations
Shape: TypeAlias = tuple[int, ...]
Streams: TypeAlias = Sequence[np.random.Generator]  # one for each example


class DataSetLoader(Protocol):
    """`load` of a data set. Its parameters are the options of the kind."""

    def __call__(self, **options: Any) -> tuple[np.ndarray, ...]:
        """Inputs, float32 (n, *shape) in [0, 1], and classes, int64 (n,) from 0 to n_classes - 1.

        A third value may be a `lmia.table.Table`, which says what records these inputs stand for, or a `lmia.box.Box`
        that inputs (n, features) lie in, in the place of [0, 1].
        """
        ...


class ModelBuilder(Protocol):
    """`build` of a model, with its options bound."""

    def __call__(self, shape: Shape, n_classes: int, /) -> Module:
        """A new module that maps (n, *shape) to logits (n, n_classes); shape: of one input, without the batch."""
        ...


@runtime_checkable
class Defense(Protocol):
    """A defense. Derive from `lmia.defenses.base.Defense`, which does nothing in each place; `train` insists on it."""

    epochs: int | None
    views_per_epoch: int
    channels_last: bool
    weight_decay: float
    graphable: bool

    def check(self, shape: Shape) -> None: ...

    def supply(
        self, reference: Callable[[], tuple[Tensor, Tensor]], source: Callable[[], Mapping[str, np.ndarray]]
    ) -> None: ...

    def prepare(self, model: Module, n_classes: int, n_members: int) -> None: ...

    def batches(self, n: int, batch_size: int) -> Iterable[Tensor]: ...

    def view(self, inputs: Tensor, rows: Tensor, times: Tensor) -> Tensor: ...

    def loss(self, model: Module, inputs: Tensor, classes: Tensor) -> Tensor: ...

    def penalty(self, model: Module) -> Tensor | float: ...

    def stepper(self, model: Module) -> Callable[[Tensor, Tensor], Tensor] | None: ...

    def tensors(self) -> Mapping[str, Tensor]: ...

    def finish(self, model: Module) -> None: ...

    def report(self) -> Mapping[str, float]: ...

    def mask(self, confidences: Tensor) -> Tensor: ...


@runtime_checkable
class Perturbation(Protocol):
    """A query set that is known in advance.

    unit: what magnitudes count, for axes and tables, as "degrees"; magnitudes: one for each query column, and those of
    one magnitude stand together.
    """

    unit: str
    magnitudes: Sequence[float]

    def blocks(self, inputs: Tensor, streams: Streams) -> Iterator[Tensor]:
        """Yields tensors (n, k, *shape) of k >= 1 consecutive query columns, values in [0, 1], or in
        the box of the data set, which a parameter `box` is given.

        inputs: (n, *shape); streams: one per input. The queries of an example are a function of that example, the
        options and its own stream alone.
        """
        ...


@runtime_checkable
class Crafting(Protocol):
    """Queries that an attacker crafts for each example beforehand, with gradients of its own models.

    unit, magnitudes: as a `Perturbation` has them.
    """

    unit: str
    magnitudes: Sequence[float]

    def craft(
        self,
        models: Sequence[Module],
        knows: np.ndarray,
        inputs: Tensor,
        classes: np.ndarray,
        *,
        box: Any,
        progress: str | None,
        journal: Any,
    ) -> tuple[np.ndarray, np.ndarray]:
        """(crafted, reached): floats (n, q, *shape), and whether each search got to where it should end, bools (n, q).

        models: the attacker's; knows: bools (models, n), which model was trained on which input; inputs: (n, *shape) in
        the box of the data set; classes: ints (n,). The queries of an example are a function of that example, the
        models and the options alone.
        """
        ...


@runtime_checkable
class Attack(Protocol):
    """A decision rule: how observations become membership scores.

    reads: the observations that it takes, keys of `lmia.attacks.observations.OBSERVATIONS`.

    Three more members are optional, and so not part of the protocol:

    - `shadow_scores()`: scores of the shadow's own rows (n,), each by a fit that had not seen that row;
    - `threshold`: a float, for a rule that needs none from the shadow: members have `score >= threshold`;
    - `threshold_on(target)`: the same from the target's own observations, for an attacker who has no shadow, or None to
      take the shadow's after all.
    """

    reads: tuple[str, ...]

    def fit(self, shadow: Observations, is_member: np.ndarray) -> Self:
        """Learn from the shadow's observations; is_member: bool (n,). Returns itself."""
        ...

    def score(self, target: Observations) -> np.ndarray:
        """Floats (n,), higher = more member-like."""
        ...


@runtime_checkable
class Calibration(Protocol):
    """A rule that judges each example of a target by models that were, and were not, trained on it.

    reads: the observations that it takes, as an `Attack` says them.
    """

    reads: tuple[str, ...]

    def score(self, target: Observations, shadows: Sequence[Observations], is_member: np.ndarray) -> np.ndarray:
        """Floats (N,), higher = more member-like.

        target, shadows: observations of the same N examples; is_member: bools (R, N), who was trained on what.
        """
        ...
