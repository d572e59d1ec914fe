"""What an attack gets to see. Never a membership, and never more than its kind says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self, TypeAlias

import numpy as np

from lmia import log_odds
from lmia.boundary.courses import pad_moments


@dataclass(frozen=True)
class Answers:
    """Labels of a fixed query set.

    labels: ints (n, q), the unmodified input in column 0; classes: true classes, ints (n,);
    magnitudes: floats (q,), the magnitude that each column belongs to, 0 for column 0.
    """

    labels: np.ndarray
    classes: np.ndarray
    magnitudes: np.ndarray
    can_rank = True

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """The examples of several, which were asked the same queries, as those of one."""
        return cls(
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.classes for part in parts]),
            parts[0].magnitudes,
        )

    def take(self, rows: np.ndarray) -> Self:
        """Some of the examples, by their places (k,)."""
        return replace(self, labels=self.labels[rows], classes=self.classes[rows])

    def settings(self) -> list[float]:
        """The distinct magnitudes beyond the unmodified input, ascending, as a list."""
        return [float(m) for m in np.unique(self.magnitudes[1:])]

    def at(self, magnitude: float) -> Self:
        """The same with column 0 and the columns of one magnitude only."""
        columns = np.concatenate([[0], 1 + np.flatnonzero(self.magnitudes[1:] == magnitude)])
        return replace(self, labels=self.labels[:, columns], magnitudes=self.magnitudes[columns])

    def cut(self, budget: int) -> Self:
        """What the first `budget` queries of each example gave."""
        return replace(self, labels=self.labels[:, :budget], magnitudes=self.magnitudes[:budget])

    def searches(self) -> tuple[int, int]:
        """(number of censored searches, number of searches): there are none."""
        return 0, 0

    def queries(self) -> np.ndarray:
        """Queries spent per example, ints (n,)."""
        return np.full(len(self.labels), self.labels.shape[1])

    def features(self) -> np.ndarray:
        """1 where the answer is the true class, floats (n, q)."""
        return (self.labels == self.classes[:, None]).astype(float)


def join_moments(courses: Sequence[np.ndarray]) -> np.ndarray:
    """Courses (n_i, c, t_i) as one (n, c, t): a course that took fewer steps has its last moment repeated."""
    return np.concatenate(pad_moments(courses))


def cut_course(distance: np.ndarray, n_queries: np.ndarray, budget: int) -> tuple[np.ndarray, np.ndarray]:
    """The last moment (..., 1) of courses (..., t) by which no more than `budget` queries were spent, or the first."""
    last = np.maximum((n_queries <= budget).sum(axis=-1, keepdims=True) - 1, 0)
    return np.take_along_axis(distance, last, -1), np.take_along_axis(n_queries, last, -1)


@dataclass(frozen=True)
class Distances:
    """The course of a boundary search around c copies of each example (c = 1: the example itself).

    A search by gradients has one moment, its end, and spends gradients where others spend queries.

    distance: floats (n, c, t), the smallest L2 distance so far, in units of the inputs; 0 where the copy is
    misclassified, inf (censored) while no other label has been found; n_queries: ints (n, c, t), queries up to that
    moment; classes: ints (n,); stopped: bools (n,), searches that ended once their side of the threshold was settled,
    None for none: their last distance is not their final one; random_distance, random_queries: the like (r, t) of
    searches around r uniformly random inputs, whose own labels were taken for their classes, None for none;
    reference_distance: floats (n,), the distance to the boundary of the attacker's own models that have not seen the
    example, 0 where these misclassify it, inf where none was found, NaN where there is no such model; None for none;
    relabelled_levels, relabelled_queries: of searches along the first direction, ints (n, 1 + L, t), by the target and
    by L models that were trained on its labels: the first level with a wrong label so far, 0 where misclassified, the
    number of levels where none was found, and the queries up to that moment; None for none.

    Raises ValueError for courses that do not go together, and for other reference distances.
    """

    distance: np.ndarray
    n_queries: np.ndarray
    classes: np.ndarray
    stopped: np.ndarray | None = None
    random_distance: np.ndarray | None = None
    random_queries: np.ndarray | None = None
    reference_distance: np.ndarray | None = None
    relabelled_levels: np.ndarray | None = None
    relabelled_queries: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.reference_distance is not None and np.shape(self.reference_distance) != np.shape(self.classes):
            raise ValueError(
                f"reference_distance: expected a number for each of {len(self.classes)} examples, got shape "
                f"{np.shape(self.reference_distance)}"
            )
        for names, shape in (
            (("random_distance", "random_queries"), "(r, t)"),
            (("relabelled_levels", "relabelled_queries"), "(n, 1 + L, t)"),
        ):
            one, other = (() if (course := getattr(self, name)) is None else course.shape for name in names)
            if one != other or len(one) not in (0, shape.count(",") + 1):
                raise ValueError(f"{', '.join(names)}: expected both of one shape {shape}, got {one} and {other}")

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """The examples of several as those of one; without random inputs, whose distances are of one model."""
        stopped = [part.stopped for part in parts if part.stopped is not None]
        beside = [part.reference_distance for part in parts if part.reference_distance is not None]
        levels = [part.relabelled_levels for part in parts if part.relabelled_levels is not None]
        queries = [part.relabelled_queries for part in parts if part.relabelled_queries is not None]
        return cls(
            join_moments([part.distance for part in parts]),
            join_moments([part.n_queries for part in parts]),
            np.concatenate([part.classes for part in parts]),
            np.concatenate(stopped) if stopped else None,
            reference_distance=np.concatenate(beside) if len(beside) == len(parts) else None,
            relabelled_levels=np.concatenate(levels) if len(levels) == len(parts) else None,
            relabelled_queries=np.concatenate(queries) if len(queries) == len(parts) else None,
        )

    def take(self, rows: np.ndarray) -> Self:
        """Some of the examples, by their places (k,), with the random inputs, which are none of them."""
        names = ("distance", "n_queries", "classes", "stopped", "reference_distance")
        names += ("relabelled_levels", "relabelled_queries")
        return replace(self, **{name: None if (of := getattr(self, name)) is None else of[rows] for name in names})

    def settings(self) -> list[float]:
        """A search has no magnitudes: an empty list."""
        return []

    def cut(self, budget: int) -> Self:
        """What the first `budget` queries of each example gave, split evenly over its copies."""
        copies = self.distance.shape[1]
        if budget < copies:
            raise ValueError(f"budget: expected at least one query for each of {copies} copies, got {budget}")
        distance, n_queries = cut_course(self.distance, self.n_queries, budget // copies)
        cut = replace(self, distance=distance, n_queries=n_queries)
        if self.relabelled_levels is not None and self.relabelled_queries is not None:
            levels, n_queries = cut_course(self.relabelled_levels, self.relabelled_queries, budget // copies)
            cut = replace(cut, relabelled_levels=levels, relabelled_queries=n_queries)
        if self.random_distance is None or self.random_queries is None:
            return cut
        distance, n_queries = cut_course(self.random_distance, self.random_queries, budget)
        return replace(cut, random_distance=distance, random_queries=n_queries)

    def queries(self) -> np.ndarray:
        """Queries per example, all copies together, ints (n,)."""
        return self.n_queries[:, :, -1].sum(axis=1)

    def searches(self) -> tuple[int, int]:
        """(number of censored searches, number of searches): none is needed where a copy is misclassified."""
        last = self.features()
        return int(np.isinf(last).sum()), int((last != 0).sum())

    @property
    def can_rank(self) -> bool:
        """Whether the distances are final, so that their order means something and not only their decision."""
        return self.stopped is None or not self.stopped.any()

    def features(self) -> np.ndarray:
        """The final distances, floats (n, c), censored ones as inf."""
        return self.distance[:, :, -1]


class OneQuery:
    """What is the same of all observations for which each example was asked about once."""

    classes: np.ndarray
    can_rank = True

    def settings(self) -> list[float]:
        """No magnitudes: an empty list."""
        return []

    def cut(self, budget: int) -> Self:
        """One query is all there is, so every budget gives the same."""
        return self

    def searches(self) -> tuple[int, int]:
        """(number of censored searches, number of searches): there are none."""
        return 0, 0

    def queries(self) -> np.ndarray:
        """Queries per example to the model: one each, ints (n,)."""
        return np.ones(len(self.classes), dtype=int)


@dataclass(frozen=True)
class Confidences(OneQuery):
    """Probability vectors, for the baselines that are not label-only.

    probabilities: floats (n, n_classes), rows sum to 1; classes: ints (n,); phi: log odds of the true classes, floats
    (n,), None where nothing but the probabilities was seen; population: phi of z points beside all that are audited,
    floats (z,), the same points for all models of a pool, None for none.

    Raises ValueError for phi or a population of another shape.
    """

    probabilities: np.ndarray
    classes: np.ndarray
    phi: np.ndarray | None = None
    population: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.phi is not None and np.shape(self.phi) != np.shape(self.classes):
            raise ValueError(
                f"phi: expected a number for each of {len(self.classes)} examples, got shape {np.shape(self.phi)}"
            )
        if self.population is not None and np.ndim(self.population) != 1:
            raise ValueError(
                f"population: expected phi of its points, floats (z,), got shape {np.shape(self.population)}"
            )

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """The examples of several as those of one; without their populations, each of which is of one model."""
        phi = [part.phi for part in parts if part.phi is not None]
        return cls(
            np.concatenate([part.probabilities for part in parts]),
            np.concatenate([part.classes for part in parts]),
            np.concatenate(phi) if len(phi) == len(parts) else None,
        )

    def take(self, rows: np.ndarray) -> Self:
        """Some of the examples, by their places (k,), with the population, which is none of them."""
        phi = None if self.phi is None else self.phi[rows]
        return replace(self, probabilities=self.probabilities[rows], classes=self.classes[rows], phi=phi)

    def features(self) -> np.ndarray:
        """The vectors with the true class's entry first and the others descending, floats (n, n_classes)."""
        rows = np.arange(len(self.classes))
        wrong = self.probabilities.copy()
        true = wrong[rows, self.classes]
        wrong[rows, self.classes] = -1
        return np.column_stack([true, -np.sort(-wrong, axis=1)[:, :-1]])

    def log_odds(self) -> np.ndarray:
        """phi, floats (n,); from the probabilities where it was not seen."""
        return log_odds.of_probabilities(self.probabilities, self.classes) if self.phi is None else self.phi


@dataclass(frozen=True)
class Compared(OneQuery):
    """The label of each example, beside those of references: models trained like it on random parts of the data.

    labels: ints (n,), of the model; reference_labels: ints (n, r), of r references; is_in: bools (n, r), whether a
    reference was trained on the example; classes: true classes, ints (n,).

    Raises ValueError for other shapes.
    """

    labels: np.ndarray
    reference_labels: np.ndarray
    is_in: np.ndarray
    classes: np.ndarray

    def __post_init__(self) -> None:
        n, shape = len(self.classes), np.shape(self.reference_labels)
        if np.shape(self.labels) != (n,) or shape != (n, *shape[1:2]) or np.shape(self.is_in) != shape:
            raise ValueError(
                f"labels, reference_labels, is_in: expected shapes {(n,)}, {(n, 'r')} and {(n, 'r')}, got "
                f"{np.shape(self.labels)}, {shape} and {np.shape(self.is_in)}"
            )

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """The examples of several, which were compared with as many references, as those of one."""
        fields = ("labels", "reference_labels", "is_in", "classes")
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in fields})

    def take(self, rows: np.ndarray) -> Self:
        """Some of the examples, by their places (k,)."""
        return type(self)(self.labels[rows], self.reference_labels[rows], self.is_in[rows], self.classes[rows])

    def features(self) -> np.ndarray:
        """Whether the model is right, and the share of references without the example that are, floats (n, 2).

        Where all references had the example, the share over all examples stands for its own.
        """
        right, without = self.reference_labels == self.classes[:, None], ~self.is_in
        counts = without.sum(axis=1)
        overall = right[without].mean() if without.any() else 0.5
        shares = np.where(counts > 0, (right & without).sum(axis=1) / np.maximum(counts, 1), overall)
        return np.column_stack([self.labels == self.classes, shares]).astype(float)


@dataclass(frozen=True)
class Relabelled(OneQuery):
    """The label of each example, and its loss under a model that was trained on other labels of the same target.

    labels: ints (n,), of the target; losses: cross-entropies of the true classes, floats (n,), >= 0, in nats; classes:
    true classes, ints (n,).

    Raises ValueError for other shapes.
    """

    labels: np.ndarray
    losses: np.ndarray
    classes: np.ndarray

    def __post_init__(self) -> None:
        if not np.shape(self.labels) == np.shape(self.losses) == np.shape(self.classes):
            raise ValueError(
                f"labels, losses: expected a number for each of {len(self.classes)} examples, got shapes "
                f"{np.shape(self.labels)} and {np.shape(self.losses)}"
            )

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """The examples of several as those of one."""
        fields = ("labels", "losses", "classes")
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in fields})

    def take(self, rows: np.ndarray) -> Self:
        """Some of the examples, by their places (k,)."""
        return type(self)(self.labels[rows], self.losses[rows], self.classes[rows])

    def features(self) -> np.ndarray:
        """Whether the target is right, and the loss of the other model, floats (n, 2)."""
        return np.column_stack([self.labels == self.classes, self.losses]).astype(float)


Observations: TypeAlias = Answers | Distances | Confidences | Compared | Relabelled


@dataclass(frozen=True)
class Source:
    """Where observations of one kind come from.

    folder: of results, and kind of the artifacts in it; access: what of the model an attacker needs for it, as
    metrics.csv says it; type: of what an attack gets; arrays: its fields, by their names in an artifact; optional: the
    like that it may lack; can_be_masked: whether a defense of confidences changes it.
    """

    folder: str
    access: str
    type: type
    arrays: tuple[str, ...]
    optional: tuple[str, ...] = ()
    can_be_masked: bool = False


OBSERVATIONS = {
    "labels": Source("answers", "label", Answers, ("labels", "classes", "magnitudes")),
    "distances": Source(
        "distances",
        "label",
        Distances,
        ("distance", "n_queries", "classes"),
        (
            *("stopped", "random_distance", "random_queries", "reference_distance"),
            *("relabelled_levels", "relabelled_queries"),
        ),
    ),
    "references": Source("references", "label", Compared, ("labels", "reference_labels", "is_in", "classes")),
    "relabelled": Source("relabelled", "label", Relabelled, ("labels", "losses", "classes")),
    "white_box": Source("white_box", "white-box", Distances, ("distance", "n_queries", "classes")),
    "confidences": Source(
        "confidences",
        "confidence",
        Confidences,
        ("probabilities", "classes", "phi"),
        ("population",),
        can_be_masked=True,
    ),
}
