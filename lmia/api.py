"""Membership inference in a notebook: wrap a model, ask it, score the answers, measure the scores.

`import lmia` offers these names. Arrays go in and come out; files, journals and devices stay out of sight.
"""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from lmia.api_checks import (
    as_classes,
    as_inputs,
    as_membership,
    as_queries,
    build,
    check_alike,
    check_fprs,
    check_reads,
    check_references,
    check_resamples,
    check_seed,
    warn_of_axes,
)
from lmia.api_observations import as_observed
from lmia.api_options import WHOLE, Each, OneOf, check_option
from lmia.attacks.observations import Answers, Compared, Confidences, Distances, Relabelled
from lmia.attacks.scoring import AttackResult, run_attack
from lmia.boundary import fixed_directions, search
from lmia.boundary.random_inputs import search_random_inputs
from lmia.boundary.references import reference_crossings
from lmia.evaluation import intervals
from lmia.evaluation.flags import attack_flags
from lmia.label_function import Predict, as_network
from lmia.queries.fixed_queries import ask_crafted, ask_fixed
from lmia.queries.oracle import LabelOracle
from lmia.streams import stream, streams
from lmia.table import Table as Table

Observations = Answers | Distances | Confidences | Compared | Relabelled

PERTURBATIONS = (
    "original",
    "rotation",
    "translation",
    "gaussian",
    "bernoulli",
    "mixed",
    "augmented",
    "augmentation_grid",
    "table",
    "words",
)
OF_RECORDS = ("table", "words")
OF_IMAGES = ("rotation", "translation", "augmented", "augmentation_grid")
ATTACKS = ("gap", "vote", "kept", "difficulty", "distance", "classifier", "max_confidence", "true_confidence")
ATTACKS += ("adaptive_confidence", "calibrated_distance", "dhattack", "transfer")
MIN_BUDGET = 8  # of the economical search: the input itself, a starting point, and the walk back to the boundary


class Model:
    """A model that is asked for labels, and `queries`, how many inputs it has labelled so far.

    Args:
        predict: a torch.nn.Module from inputs (m, *shape) to logits (m, n_classes), which is put into evaluation mode
            and stays on its device; or any function from a float32 array (m, *shape) in [0, 1], of at most 1024
            inputs, to their labels, ints (m,): `predict` of a scikit-learn model, a client of a remote one.
        n_classes: labels are 0, 1, ... n_classes - 1.
        table: how records become inputs. Then inputs are data frames, `predict` is a function of such, and labels and
            classes are what the label column has; see `Table.of`.

    Raises TypeError for anything else than a module or a function, and ValueError for fewer than two classes. What the
    model answers is checked whenever it is asked.
    """

    def __init__(self, predict: torch.nn.Module | Predict, n_classes: int, table: Table | None = None):
        if not callable(predict):
            raise TypeError(
                f"predict: expected a torch.nn.Module or a function from inputs to labels, got {type(predict).__name__}"
                "; of a scikit-learn model, give its method `predict`"
            )
        check_option("n_classes", n_classes, WHOLE)
        if n_classes < 2:
            raise ValueError(f"n_classes: expected at least 2, got {n_classes}")
        if table is not None and len(table.classes) != n_classes:
            raise ValueError(f"n_classes: expected {len(table.classes)}, as the table has classes, got {n_classes}")
        self.n_classes, self.table = n_classes, table
        self._network = _Counted(predict, n_classes, table)

    @property
    def queries(self) -> int:
        """Inputs that it has labelled since it was wrapped."""
        return self._network.queries

    def labels(self, inputs: npt.ArrayLike | pd.DataFrame) -> np.ndarray:
        """Labels (n,), int64, of inputs (n, *shape) in [0, 1], or of n records."""
        inputs = as_inputs(inputs, self.table)
        return LabelOracle(self._network, len(inputs), budget=1)(inputs, np.arange(len(inputs))).cpu().numpy()


class _Counted(torch.nn.Module):
    """A model or function as the oracle asks it: logits, or ones at the labels. Counts what it has answered."""

    def __init__(self, predict, n_classes, table):
        super().__init__()
        self.network = as_network(predict, n_classes, table)
        self.n_classes, self.queries = n_classes, 0

    def forward(self, inputs):
        logits = self.network(inputs)
        shape = getattr(logits, "shape", type(logits).__name__)
        if shape != (len(inputs), self.n_classes):
            raise ValueError(
                f"model: expected logits of shape {(len(inputs), self.n_classes)} for {len(inputs)} inputs, got "
                f"{shape}; set n_classes to the number of logits, or give a function that returns labels"
            )
        if isinstance(logits, torch.Tensor) and logits.isnan().any():
            raise ValueError(
                "model: expected logits, got nan; are inputs scaled as in training, and did that converge?"
            )
        self.queries += len(inputs)
        return logits


def query_labels(
    model: Model,
    inputs: npt.ArrayLike | pd.DataFrame,
    classes: npt.ArrayLike,
    perturbation: str | npt.ArrayLike | torch.Tensor = "original",
    *,
    seed: int = 0,
    progress: bool = True,
    **options,
) -> Answers:
    """Labels of the inputs and of perturbed copies of them, or of queries made for each, a query each.

    Args:
        model: whom to ask.
        inputs: floats (n, *shape) in [0, 1]; images are (n, channels, height, width). Records where the model has a
            table.
        classes: true classes, ints (n,), or labels of records.
        perturbation: "original" (no copies), "rotation", "translation", "gaussian", "bernoulli", "mixed",
            "augmented" or "augmentation_grid", of records "table" or "words", or the dotted path of a module of your
            own; or the queries themselves, floats (n, q, *shape), as `lmia.crafting` makes them, which may leave
            [0, 1] and are all of magnitude 1.
        seed: of random perturbations, int >= 0; input i has a random stream of its own.
        progress: whether to show a progress bar.
        options: those of the perturbation, as `queries` of the configuration has them.

    Raises ValueError for inputs, classes or options that do not fit, and for a model that gives no labels. Warns where
    images are turned, shifted or mirrored whose channels may lie on another axis.
    """
    check_seed(seed)
    inputs, classes = _as_asked(model, inputs, classes)
    if not isinstance(perturbation, str):
        if model.table is not None:
            raise ValueError("queries: a model with a table is asked records; use perturbation table or words")
        return _answers_to(model, inputs, classes, as_queries(perturbation, inputs, options), progress)
    if perturbation in PERTURBATIONS and perturbation != "original":
        if (perturbation in OF_RECORDS) != (model.table is not None):
            of = "a model with a table" if perturbation in OF_RECORDS else "a model of numbers"
            raise ValueError(
                f"{perturbation}: expected {of}; records are asked by perturbation table or words, numbers by others"
            )
    if perturbation in OF_IMAGES:
        warn_of_axes(inputs)
    given = {"table": model.table} if perturbation in OF_RECORDS else {}
    queries = build("perturbations", "Perturbation", PERTURBATIONS, perturbation, options | given)
    draws = partial(streams, seed, perturbation, range(len(inputs)))
    labels, _ = ask_fixed(model._network, inputs, queries, draws, progress=perturbation if progress else None)
    return Answers(labels, classes, np.array([0.0, *queries.magnitudes]))


def _answers_to(
    model: Model, inputs: torch.Tensor, classes: np.ndarray, queries: torch.Tensor, progress: bool
) -> Answers:
    """Labels of the inputs and of queries (n, q, *shape), which are all of one magnitude."""
    labels, _ = ask_crafted(model._network, inputs, queries, progress="queries" if progress else None)
    return Answers(labels, classes, np.array([0.0] + [1.0] * queries.shape[1]))


def search_boundary(
    model: Model,
    inputs: npt.ArrayLike,
    classes: npt.ArrayLike,
    budget: int = 250,
    *,
    seed: int = 0,
    starts: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    shift_pixels: int = 0,
    random_inputs: int = 0,
    references: Sequence[torch.nn.Module] = (),
    progress: bool = True,
) -> Distances:
    """L2 distances to the decision boundary from labels alone, by the economical or warm HopSkipJump search.

    Args:
        model: whom to ask.
        inputs: floats (n, *shape) in [0, 1]; images are (n, channels, height, width).
        classes: true classes, ints (n,).
        budget: most queries for each input, int, at least 8 for each copy.
        seed: of the searches, int >= 0; input i has a random stream of its own.
        starts: (inputs (m, *shape), classes (m,)) that the attacker has besides, among which searches start; random
            noise without. They should be no members.
        shift_pixels: d >= 1 searches around each image and its 4d shifts by d pixels, which share the budget.
        random_inputs: how many random inputs are searched around too, for `threshold="random_inputs"` of the attack
            "distance"; each costs a budget of its own, and a query for its label. Not with shift_pixels or references.
        references: networks of your own, none of which was trained on the inputs. Then the search is the warm one,
            which starts where the mean of their logits changes its label and needs fewer queries, and the attack
            "calibrated_distance" can compare. With none it is the economical search.
        progress: whether to show a progress bar.

    Raises ValueError for inputs, classes, starts, references or a budget that do not fit, and for a model that gives no
    labels.
    """
    check_seed(seed)
    for name, number in {"budget": budget, "shift_pixels": shift_pixels, "random_inputs": random_inputs}.items():
        check_option(name, number, WHOLE)
    if shift_pixels < 0:
        raise ValueError(f"shift_pixels: expected 0 for the input alone, or pixels to shift by, got {shift_pixels}")
    if random_inputs < 0 or (random_inputs and shift_pixels):
        raise ValueError(
            f"random_inputs: expected 0 for none, or how many, without shift_pixels, got {random_inputs} with "
            f"shift_pixels {shift_pixels}"
        )
    if not isinstance(references, torch.nn.Module) and len(references) and random_inputs:
        raise ValueError("references: expected none with random_inputs, which no reference tells a start of")
    inputs, classes = _as_asked(model, inputs, classes, needs_distance=True)
    least = MIN_BUDGET * (1 + 4 * shift_pixels)
    if budget < least:
        raise ValueError(f"budget: expected at least {least} queries per input to find any distance, got {budget}")
    if shift_pixels:
        warn_of_axes(inputs)
    if starts is not None:
        if not isinstance(starts, tuple | list) or len(starts) != 2:
            raise ValueError(f"starts: expected (inputs, classes), got {type(starts).__name__}")
        starts = _as_asked(model, *starts, whose="starts: ")
        if starts[0].shape[1:] != inputs.shape[1:]:
            raise ValueError(
                f"starts: expected inputs of shape (m, {', '.join(map(str, inputs.shape[1:]))}) like those that are "
                f"asked about, got {tuple(starts[0].shape)}"
            )
    crossings, beside = None, None
    check_references(references, inputs, model.n_classes)
    if references:
        crossings, beside = reference_crossings([(np.arange(len(inputs)), references)], inputs, classes)
    distance, n_queries, _ = search.search_boundary(
        model._network,
        inputs,
        classes,
        lambda copy: streams(seed, f"boundary, copy {copy}", range(len(inputs))),
        budget=budget,
        schedule="warm" if references else "economical",
        shift_pixels=shift_pixels,
        pool=starts,
        crossings=crossings,
        progress="boundary" if progress else None,
    )
    # In the precision in which the workflow keeps them.
    beside = None if beside is None else beside.astype(np.float32)
    found = Distances(distance.astype(np.float32), n_queries, classes, reference_distance=beside)
    if not random_inputs:
        return found
    random_distance, random_queries = search_random_inputs(
        model._network,
        random_inputs,
        inputs.shape[1:],
        lambda purpose: streams(seed, f"boundary, random {purpose}", range(random_inputs)),
        budget=budget,
        pool=starts,
        progress="random inputs" if progress else None,
    )
    return replace(found, random_distance=random_distance.astype(np.float32), random_queries=random_queries)


def search_directions(
    model: Model,
    inputs: npt.ArrayLike,
    classes: npt.ArrayLike,
    directions: Sequence[str] = ("white",),
    *,
    levels: int = 32,
    method: str = "bisection",
    seed: int = 0,
    progress: bool = True,
) -> Distances:
    """L2 distances to a wrong label along fixed directions, from a handful of labels.

    Args:
        model: whom to ask.
        inputs: floats (n, *shape) in [0, 1]; images are (n, channels, height, width).
        classes: true classes, ints (n,).
        directions: points that all inputs move towards: "white", "black" or "random", which is uniform noise; or
            "largest", all features at the largest value of the input that moves. Several are several distances, of
            which an attack of kind "distance" reads the first.
        levels: equal steps to each point, a power of two from 2; the first one with a wrong label is the distance.
        method: "bisection" costs log2(levels) queries for each direction, "scan" asks all levels but the last; the
            input itself costs one more.
        seed: of the random point, int >= 0; give the same for all models.
        progress: whether to show a progress bar.

    Raises ValueError for inputs, classes or options that do not fit, and for a model that gives no labels.
    """
    check_seed(seed)
    inputs, classes = _as_asked(model, inputs, classes, needs_distance=True)
    for name, (value, rule) in {
        "directions": (directions, Each(OneOf((*fixed_directions.FIXED, fixed_directions.OWN)))),
        "levels": (levels, WHOLE),
        "method": (method, OneOf(fixed_directions.METHODS)),
    }.items():
        check_option(name, value, rule)
    points = fixed_directions.points_of(directions, inputs, stream(seed, "directions"))
    options = {"levels": levels, "method": method, "progress": "directions" if progress else None}
    distance, n_queries, _ = fixed_directions.search_directions(model._network, inputs, classes, points, **options)
    return Distances(distance.astype(np.float32), n_queries, classes)  # the precision in which the workflow keeps them


def attack(
    kind: str,
    target: Observations,
    shadow: Observations | Sequence[Observations],
    shadow_is_member: npt.ArrayLike | Sequence[npt.ArrayLike],
    *,
    budget: int | None = None,
    **options,
) -> AttackResult:
    """Membership scores of the target's points, with threshold and magnitude chosen on the shadow.

    Args:
        kind: "gap", "vote", "kept", "classifier" (of labels), "difficulty", "distance", "calibrated_distance",
            "classifier" (of distances), "dhattack" (of distances along one direction, with `relabelled_levels`),
            "transfer" (of `lmia.attacks.observations.Relabelled`), "max_confidence", "true_confidence",
            "adaptive_confidence" or "classifier" (of confidences), or the dotted path of a module of your own.
        target: what the target model answered.
        shadow: the same of a shadow model, or of several in a list. Points of the target whose membership is known
            will do as well.
        shadow_is_member: whether each of these points was trained on, bools (n,); a list of such for several shadows.
        budget: use the first so many queries of each example, None for all.
        options: those of the attack, as `attacks` of the configuration has them.

    Returns `scores`, floats (n,), higher = more member-like; `threshold`: a point with at least this score is called a
    member, NaN where none is; `queries`: mean per example; `chosen`: the magnitude, NaN where there is none to choose;
    `searches`: (censored, all).

    Raises ValueError where target and shadow were not asked alike, where their arrays are others than their types say,
    or where the attack does not read what they hold.
    """
    several = isinstance(shadow, Sequence)
    shadows = list(shadow) if several else [shadow]
    members = list(cast(Sequence, shadow_is_member)) if several else [shadow_is_member]
    make = partial(build, "attacks", "Attack", ATTACKS, kind, options)
    check_reads("target", kind, make().reads, target)
    target, shadows = as_observed("target", target), [as_observed("shadow", other) for other in shadows]
    if budget is not None:
        check_option("budget", budget, WHOLE)
        if budget < 1:
            raise ValueError(f"budget: expected at least 1 query per input, got {budget}")
    if len(shadows) != len(members) or not shadows:
        raise ValueError(f"shadow_is_member: expected an array for each of {len(shadows)} shadows, got {len(members)}")
    for other in shadows:
        check_alike(target, other, budget)
    known = [
        as_membership("shadow_is_member", cast(npt.ArrayLike, m), len(of.classes))
        for m, of in zip(members, shadows, strict=True)
    ]
    return run_attack(make, target, shadows, known, budget=budget)[0]


def evaluate(
    result: AttackResult,
    is_member: npt.ArrayLike,
    *,
    fprs: Sequence[float] = (0.01, 0.001),
    n_resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """How well an attack tells members from non-members: one row per metric, with its 95 % interval over points.

    Args:
        result: what `attack` gave.
        is_member: the truth about the target's points, bools (n,).
        fprs: false-positive rates at which the true-positive rate is reported, fractions.
        n_resamples: of the bootstrap over members and non-members.
        seed: of the bootstrap, int >= 0.

    Returns columns `value`, `ci_low` and `ci_high`, fractions; rows accuracy (balanced), precision, recall, f1, auc and
    tpr_at_F_fpr for each rate F, empty (NaN) where there are fewer than 1 / F non-members.

    Raises ValueError where `is_member` has another length, or holds one kind only, and TypeError for another result.
    Warns where the attack has failed: all points are called the same, or too many searches found no other label.
    """
    check_seed(seed)
    check_fprs(fprs)
    check_resamples(n_resamples)
    if not isinstance(result, AttackResult):
        raise TypeError(
            f"result: expected what lmia.attack gave, got {type(result).__name__}; for scores of a pool there is "
            "lmia.evaluate_pool"
        )
    is_member = as_membership("is_member", is_member, len(result.scores))
    if flags := attack_flags(result.scores, result.threshold, *result.searches):
        warnings.warn(f"these numbers say little of the model: {flags}", stacklevel=2)
    metrics = intervals.evaluate(result.scores, is_member, result.threshold, fprs, n_resamples, seed)
    return pd.DataFrame.from_dict(metrics, orient="index", columns=["value", "ci_low", "ci_high"]).rename_axis("metric")


def _as_asked(
    model: Model,
    inputs: npt.ArrayLike | torch.Tensor | pd.DataFrame,
    classes: npt.ArrayLike,
    needs_distance: bool = False,
    whose: str = "",
) -> tuple[torch.Tensor, np.ndarray]:
    """What is asked about, checked: (inputs (n, *shape) as a float32 tensor, classes (n,) as int64).

    whose: before both in errors.
    """
    if not isinstance(model, Model):
        raise TypeError(
            f"model: expected an lmia.Model, got {type(model).__name__}; wrap it: lmia.Model(model, n_classes)"
        )
    if needs_distance and model.table is not None:
        raise ValueError('there is no distance between records; ask about others: query_labels(..., "table", ...)')
    inputs = as_inputs(inputs, model.table, f"{whose}inputs")
    if model.table is not None:
        classes = model.table.class_numbers(classes)
    return inputs, as_classes(classes, len(inputs), model.n_classes, f"{whose}classes")
